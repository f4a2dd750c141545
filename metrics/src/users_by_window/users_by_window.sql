-- Rows of `users_by_window` for the end dates $4 and windows of $5 days; $3 is the first day of those before them.
WITH cuts AS (
    -- First days of windows, and days after their last: between two neighbours no window begins or ends.
    SELECT DISTINCT CAST(CAST(end_date AS int) + 1 - step * CAST(window_days AS int) AS date) AS cut
    FROM (SELECT unnest(CAST($4 AS date[])) AS end_date) AS ends
    CROSS JOIN (SELECT unnest(CAST($5 AS bigint[])) AS window_days) AS lengths
    CROSS JOIN (SELECT column1 AS step FROM (VALUES (0), (1), (2))) AS steps
),
segments AS (
    SELECT days.date, max(cuts.cut) AS segment
    FROM (
        SELECT unnest(generate_series(CAST($3 AS date), CAST($2 AS date), INTERVAL '1 day')) AS date
    ) AS days
    INNER JOIN cuts ON cuts.cut <= days.date
    GROUP BY days.date
),
parts AS (
    -- Few ends cut time into few segments, whose days are merged before dimensions are made: fewer sketches to merge. Of
    -- many ends, nearly every day is a segment of its own.
    SELECT segment AS date, author_row, model_row, variant_row, provider_row, hll_merge(users) AS users
    FROM segments
    INNER JOIN placed_cells ON placed_cells.date = segments.date
    WHERE placed_cells.date BETWEEN $3 AND $2
        AND users IS NOT NULL
        AND array_length(CAST($4 AS date[])) <= 6
    GROUP BY segment, author_row, model_row, variant_row, provider_row
    UNION ALL
    SELECT date, author_row, model_row, variant_row, provider_row, users
    FROM placed_cells
    WHERE date BETWEEN $3 AND $2
        AND users IS NOT NULL
        AND array_length(CAST($4 AS date[])) > 6
),
named AS (
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
    FROM parts
    CROSS JOIN (
        SELECT column1 AS dimension
        FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'))
    ) AS dimensions
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
