-- Rows of `growth_by_month` for the months that begin from $1 to $2.
WITH days AS (
    SELECT CAST(date_trunc('month', date) AS date) AS period, usage_by_day.*
    FROM usage_by_day
    WHERE date >= $1
        AND date < CAST(date_trunc('month', CAST($2 AS date)) AS date) + INTERVAL '1 month'
        AND CAST(date_trunc('month', date) AS date) BETWEEN $1 AND $2
),

cells_of_days AS (
    SELECT CAST(date_trunc('month', date) AS date) AS period, author_row, model_row, variant_row, provider_row, users
    FROM placed_cells
    WHERE date >= $1
        AND date < CAST(date_trunc('month', CAST($2 AS date)) AS date) + INTERVAL '1 month'
        AND users IS NOT NULL
)
