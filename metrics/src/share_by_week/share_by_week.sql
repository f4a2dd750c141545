-- Rows of `share_by_week` for the weeks that begin from $1 to $2.
WITH days AS (
    SELECT CAST(date_trunc('week', date) AS date) AS period, usage_by_day.*
    FROM usage_by_day
    WHERE date BETWEEN $1 AND CAST($2 AS date) + INTERVAL '6 days'
        AND CAST(date_trunc('week', date) AS date) BETWEEN $1 AND $2
),

cells_of_days AS (
    SELECT CAST(date_trunc('week', date) AS date) AS period, author_row, model_row, variant_row, provider_row, users
    FROM placed_cells
    WHERE date BETWEEN $1 AND CAST($2 AS date) + INTERVAL '6 days' AND users IS NOT NULL
)
