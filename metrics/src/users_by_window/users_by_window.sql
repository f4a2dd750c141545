-- Rows of `users_by_window` for the end dates $1 to $2 and windows of $4 days; $3 is the first day of those before.
WITH cells_of_windows AS (
    -- Days are merged before dimensions are made: a long window has many more days than a cell has rows.
    SELECT
        period_days.end_date,
        period_days.window_days,
        placed_cells.author_row,
        placed_cells.model_row,
        placed_cells.variant_row,
        placed_cells.provider_row,
        hll_merge(placed_cells.users) FILTER (WHERE period_days.step = 0) AS users,
        hll_merge(placed_cells.users) FILTER (WHERE period_days.step = 1) AS users_before
    FROM period_days
    JOIN placed_cells ON placed_cells.date = period_days.date
    WHERE period_days.end_date BETWEEN $1 AND $2
        AND period_days.window_days = $4
        AND period_days.step <= 1
        AND placed_cells.date BETWEEN $3 AND $2
        AND placed_cells.users IS NOT NULL
    GROUP BY
        period_days.end_date,
        period_days.window_days,
        placed_cells.author_row,
        placed_cells.model_row,
        placed_cells.variant_row,
        placed_cells.provider_row
),
named AS (
    SELECT
        end_date,
        window_days,
        dimension,
        CASE dimension
            WHEN 'author' THEN author_row
            WHEN 'model' THEN model_row
            WHEN 'variant' THEN variant_row
            WHEN 'provider' THEN provider_row
            -- Who uses nothing but what is hidden is in no number: beside those of the names it would be the rest.
            ELSE CASE WHEN variant_row = 'hidden:' THEN variant_row ELSE 'total:' END
        END AS row_name,
        users,
        users_before
    FROM cells_of_windows
    CROSS JOIN (
        SELECT column1 AS dimension
        FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'))
    ) AS dimensions
),
estimates AS (
    SELECT
        end_date,
        window_days,
        dimension,
        row_name,
        hll_estimate(hll_merge(users)) AS users,
        hll_estimate(hll_merge(users_before)) AS users_before
    FROM named
    WHERE row_name <> 'hidden:'
    GROUP BY end_date, window_days, dimension, row_name
)
SELECT
    CAST(date_trunc('month', end_date) AS date) AS month,
    end_date,
    window_days,
    dimension,
    CASE WHEN starts_with(row_name, 'key:') THEN substr(row_name, 5) ELSE split_part(row_name, ':', 1) END AS key,
    split_part(row_name, ':', 1) AS kind,
    users,
    users_before
FROM estimates
ORDER BY end_date, window_days, dimension, kind, key
