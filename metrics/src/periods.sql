-- The windows that rankings are made of, whether the history holds what they are compared with, and the terms of that.
WITH windows AS (
    SELECT column1 AS window_days, column2 AS is_daily
    FROM (VALUES (1, true), (7, true), (28, true), (30, false), (90, false), (364, false))
),
ends AS (
    -- Closed days; the running one while there is none.
    SELECT
        unnest(generate_series(
            CASE WHEN first_date < open_from THEN first_date ELSE today END,
            CASE WHEN first_date < open_from THEN open_from - INTERVAL '1 day' ELSE today END,
            INTERVAL '1 day'
        )) AS end_date,
        open_from,
        growth_requests,
        CAST(first_date AS int) AS first_day
    FROM history
    WHERE first_date <= today
)
SELECT
    ends.end_date,
    windows.window_days,
    ends.end_date >= ends.open_from AS is_partial,
    ends.growth_requests,
    CAST(ends.end_date AS int) - 2 * windows.window_days + 1 >= ends.first_day AS has_before,
    CAST(ends.end_date AS int) - 4 * windows.window_days + 1 >= ends.first_day AS has_three_before
FROM ends
CROSS JOIN windows
WHERE windows.is_daily
    OR date_part('dow', ends.end_date) = 0
    OR ends.end_date >= ends.open_from - INTERVAL '1 day'
