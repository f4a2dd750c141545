-- Each day by itself.
WITH spans AS (
    SELECT 1 AS span
),

end_dates AS (
    SELECT unnest(generate_series(CAST($1 AS date), CAST($2 AS date), INTERVAL '1 day')) AS end_date
),

routed AS (
    SELECT * FROM routing_hourly WHERE date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
),

part AS (
    SELECT * FROM health_cells WHERE size = 'day' AND date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
)

