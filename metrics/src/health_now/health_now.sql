-- Windows that end at the newest complete bucket by the watermark, against the equal windows before them. The week ends
-- with an hour: further back than eight days, no shorter bucket is kept. $3: the longest window that is computed; longer
-- ones stand in `health_now` (`state.sql`).
WITH ends AS (
    SELECT
        column1 AS span,
        column2 AS length,
        CASE
            WHEN column1 = 10080 THEN date_trunc('hour', watermark())
            ELSE date_bin(INTERVAL '5 minutes', watermark())
        END AS ends_at
    FROM (
        VALUES
            (5, INTERVAL '5 minutes'),
            (30, INTERVAL '30 minutes'),
            (360, INTERVAL '6 hours'),
            (1440, INTERVAL '1 day'),
            (10080, INTERVAL '7 days')
    )
    WHERE column1 <= $3
),

sides AS (
    SELECT span, length, ends_at, false AS is_before, ends_at - length AS read_from, ends_at AS read_to
    FROM ends
    UNION ALL
    SELECT span, length, ends_at, true, ends_at - length - length, ends_at - length
    FROM ends
),

known AS (
    -- Days of the history, as in windows of days: one of the seven up to it has attempts.
    SELECT DISTINCT CAST(CAST(date AS int) + CAST(later AS int) AS date) AS day
    FROM (
        SELECT DISTINCT date
        FROM health_daily
        WHERE
            date BETWEEN CAST(watermark() - INTERVAL '22 days' AS date) AND CAST(watermark() AS date)
    ) AS dates
    CROSS JOIN (SELECT unnest(range(0, 7)) AS later) AS laters
),

windows AS (
    -- A window is made of its whole days, whole hours outside those, and short buckets outside those: few rows, no less exact.
    SELECT
        sides.*,
        ends_at - length AS starts_at,
        known.day IS NOT NULL AS has_before,
        date_trunc('hour', read_from + INTERVAL '59 minutes') AS hours_from,
        date_trunc('hour', read_to) AS hours_to,
        date_trunc('day', read_from + INTERVAL '23 hours 59 minutes') AS days_from,
        date_trunc('day', read_to) AS days_to
    FROM sides
    LEFT JOIN known ON known.day = CAST(ends_at - length - length AS date)
),

buckets AS (
    -- What the windows can need at most, said of the watermark alone so that no other file is read.
    SELECT * FROM health_cells
    WHERE
        size = '5m'
        AND date BETWEEN CAST(watermark() - INTERVAL '2 days' AS date) AND CAST(watermark() AS date)
        AND (
            -- Half an hour, the one before, and what is not complete yet.
            bucket_at >= watermark() - INTERVAL '65 minutes'
            OR ($3 > 30 AND bucket_at >= watermark() - INTERVAL '2 hours')
            OR ($3 > 30 AND bucket_at BETWEEN watermark() - INTERVAL '7 hours' AND watermark() - INTERVAL '5 hours')
            OR ($3 > 30 AND bucket_at BETWEEN watermark() - INTERVAL '13 hours' AND watermark() - INTERVAL '11 hours')
            OR ($3 > 30 AND bucket_at BETWEEN watermark() - INTERVAL '25 hours' AND watermark() - INTERVAL '23 hours')
            OR ($3 > 30 AND bucket_at BETWEEN watermark() - INTERVAL '49 hours' AND watermark() - INTERVAL '47 hours')
        )
    UNION ALL
    SELECT * FROM health_cells
    WHERE
        size = 'hour'
        AND $3 > 30
        AND (
            date BETWEEN CAST(watermark() - INTERVAL '2 days' AS date) AND CAST(watermark() AS date)
            OR date BETWEEN CAST(watermark() - INTERVAL '8 days' AS date) AND CAST(watermark() - INTERVAL '7 days' AS date)
            OR date BETWEEN CAST(watermark() - INTERVAL '15 days' AS date)
            AND CAST(watermark() - INTERVAL '14 days' AS date)
        )
    UNION ALL
    SELECT * FROM health_cells
    WHERE
        size = 'day'
        AND $3 > 1440
        AND date BETWEEN CAST(watermark() - INTERVAL '15 days' AS date) AND CAST(watermark() AS date)
),

cells AS (
    SELECT
        CAST(windows.ends_at AS date) AS date,
        windows.starts_at,
        windows.ends_at,
        windows.span,
        windows.is_before,
        windows.has_before,
        1 AS history_days,
        buckets.* EXCEPT (size, date, bucket_at)
    FROM windows
    INNER JOIN buckets
        ON bucket_at >= read_from
        AND bucket_at < read_to
        AND CASE size
            WHEN '5m' THEN NOT (bucket_at >= hours_from AND bucket_at < hours_to)
            WHEN 'hour'
                THEN
                    bucket_at >= hours_from
                    AND bucket_at < hours_to
                    AND NOT (bucket_at >= days_from AND bucket_at < days_to)
            ELSE bucket_at >= days_from AND bucket_at < days_to
        END
)

