-- Windows of whole days that end with each closed day, against the equal windows before them.
WITH spans AS (
    SELECT column1 AS span FROM (VALUES (7), (28), (30), (90))
),

end_dates AS (
    SELECT end_date
    FROM (
        SELECT unnest(generate_series(CAST($1 AS date), CAST($2 AS date), INTERVAL '1 day')) AS end_date
    ) AS dates
    WHERE end_date < today()
),

part AS (
    SELECT * FROM health_cells
    WHERE size = 'day' AND date BETWEEN CAST($1 AS date) - INTERVAL '179 days' AND CAST($2 AS date)
)

