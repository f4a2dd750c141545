-- The windows that rankings are made of, whether the history holds what they are compared with, and the terms of that.
WITH windows AS (
    SELECT column1 AS window_days, column2 AS is_daily
    FROM (VALUES (1, true), (7, true), (28, true), (30, false), (90, false), (364, false))
),
ends AS (
    -- Closed days; the running one while no other is.
    SELECT
        unnest(generate_series(
            first_date,
            CASE WHEN first_date < today THEN today - INTERVAL '1 day' ELSE today END,
            INTERVAL '1 day'
        )) AS end_date,
        today,
        growth_requests,
        CAST(first_date AS int) AS first_day
    FROM history
)
SELECT
    ends.end_date,
    windows.window_days,
    ends.end_date >= ends.today AS is_partial,
    ends.growth_requests,
    CAST(ends.end_date AS int) - 2 * windows.window_days + 1 >= ends.first_day AS has_before,
    CAST(ends.end_date AS int) - 4 * windows.window_days + 1 >= ends.first_day AS has_three_before
FROM ends
CROSS JOIN windows
WHERE windows.is_daily
    OR date_part('dow', ends.end_date) = 0
    OR ends.end_date >= ends.today - INTERVAL '1 day'
