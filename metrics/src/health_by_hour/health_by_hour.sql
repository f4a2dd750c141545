-- Each hour by itself and against the hour before it.
WITH known AS (
    -- Days of the history, as in windows of days: one of the seven up to it has attempts.
    SELECT DISTINCT CAST(CAST(date AS int) + CAST(later AS int) AS date) AS day
    FROM (
        SELECT DISTINCT date
        FROM health_daily
        WHERE date BETWEEN CAST($1 AS date) - INTERVAL '7 days' AND CAST($2 AS date)
    ) AS dates
    CROSS JOIN (SELECT unnest(range(0, 7)) AS later) AS laters
),

hours AS (
    -- Each hour twice: as itself, and as the one before the next.
    SELECT bucket_at AS starts_at, false AS is_before, health_cells.* EXCEPT (date, bucket_at)
    FROM health_cells
    WHERE size = 'hour' AND date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
    UNION ALL
    SELECT bucket_at + INTERVAL '1 hour' AS starts_at, true AS is_before, health_cells.* EXCEPT (date, bucket_at)
    FROM health_cells
    WHERE size = 'hour' AND date BETWEEN CAST($1 AS date) - INTERVAL '1 day' AND CAST($2 AS date)
),

cells AS (
    SELECT
        CAST(hours.starts_at AS date) AS date,
        hours.starts_at,
        hours.starts_at + INTERVAL '1 hour' AS ends_at,
        1 AS span,
        hours.is_before,
        known.day IS NOT NULL AS has_before,
        1 AS history_days,
        hours.* EXCEPT (size, starts_at, is_before)
    FROM hours
    LEFT JOIN known ON known.day = CAST(hours.starts_at - INTERVAL '1 hour' AS date)
    WHERE CAST(hours.starts_at AS date) BETWEEN CAST($1 AS date) AND CAST($2 AS date)
)

