-- Rows of `users_by_window` for the end dates $4 and windows of $5 days; $3 is the first day of those before them.
WITH named AS (
    SELECT
        date,
        dimension,
        CASE dimension
            WHEN 'author' THEN author_row
            WHEN 'model' THEN model_row
            WHEN 'variant' THEN variant_row
            WHEN 'provider' THEN provider_row
            -- Who uses nothing but what is hidden is in no number: beside those of the names it would be the rest.
            ELSE CASE WHEN variant_row = 'hidden:' THEN variant_row ELSE 'total:' END
        END AS row_name,
        users
    FROM placed_cells
    CROSS JOIN (
        SELECT column1 AS dimension
        FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'))
    ) AS dimensions
    WHERE date BETWEEN $3 AND $2
        AND users IS NOT NULL
),
windows AS (
    -- Step 0 is a window, step 1 the equal one just before.
    SELECT dimension, row_name, hll_windows(users, date, $4, $5, 2) AS windows
    FROM named
    WHERE row_name <> 'hidden:'
    GROUP BY dimension, row_name
),
listed AS (
    -- The names are split here, because DataFusion takes what was grouped by for a key of the listed rows too, and would
    -- group these by all that they have.
    SELECT
        dimension,
        split_part(row_name, ':', 1) AS kind,
        CASE WHEN starts_with(row_name, 'key:') THEN substr(row_name, 5) ELSE split_part(row_name, ':', 1) END AS key,
        unnest(windows) AS found
    FROM windows
)
SELECT
    CAST(date_trunc('month', found['end_date']) AS date) AS month,
    found['end_date'] AS end_date,
    found['window_days'] AS window_days,
    dimension,
    key,
    kind,
    max(found['users']) FILTER (WHERE found['step'] = 0) AS users,
    max(found['users']) FILTER (WHERE found['step'] = 1) AS users_before
FROM listed
GROUP BY found['end_date'], found['window_days'], dimension, kind, key
ORDER BY end_date, window_days, dimension, kind, key
