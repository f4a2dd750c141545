-- Rows of `routing_hourly` as they stand: they are whole already.
SELECT * FROM part ORDER BY date, hour, model_id, author
