-- The 1, 7 and 28 days to yesterday: what is still running has requests that no answer has come to.
WITH spans AS (
    SELECT column1 AS span FROM (VALUES (1), (7), (28))
),

end_dates AS (
    SELECT CAST(today() - INTERVAL '1 day' AS date) AS end_date
),

routed AS (
    SELECT * FROM routing_hourly WHERE date >= today() - INTERVAL '28 days' AND date < today()
),

part AS (
    SELECT * FROM health_cells WHERE size = 'day' AND date >= today() - INTERVAL '28 days' AND date < today()
)

