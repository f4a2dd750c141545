-- Rows of `routing_hourly` of the hours from $1 to before $2 as they stand: they are whole already.
SELECT *
FROM part
WHERE hour >= $1 AND hour < $2
ORDER BY hour, model_id, author
