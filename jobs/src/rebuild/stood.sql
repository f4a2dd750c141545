-- Rows of `routing_hourly` as they stand: they are whole already.
SELECT * FROM part
