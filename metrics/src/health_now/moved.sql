-- The longest window that has another end now than its rows in `health_now`; those up to half an hour are always computed.
-- Six hours end with the day, so they move together.
WITH ends AS (
    SELECT column1 AS length, column2 AS ends_at
    FROM (
        VALUES
            (1440, date_bin(INTERVAL '5 minutes', watermark())),
            (10080, date_trunc('hour', watermark()))
    )
),

stands AS (
    SELECT window_minutes, max(ends_at) AS ended_at FROM health_now GROUP BY window_minutes
)

SELECT CAST(coalesce(max(length), 30) AS bigint) AS longest
FROM ends
LEFT JOIN stands ON stands.window_minutes = ends.length AND stands.ended_at = ends.ends_at
WHERE stands.window_minutes IS NULL
