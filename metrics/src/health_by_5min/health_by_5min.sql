-- The 24 hours up to the newest complete bucket, as far as their dates are asked for, and instants from $3 to before $4.
WITH cells AS (
    SELECT
        date,
        bucket_at AS starts_at,
        bucket_at + INTERVAL '5 minutes' AS ends_at,
        5 AS span,
        false AS is_before,
        false AS has_before,
        1 AS history_days,
        health_cells.* EXCEPT (size, date, bucket_at)
    FROM health_cells
    WHERE
        size = '5m'
        AND date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
        AND bucket_at >= $3
        AND bucket_at < $4
        AND bucket_at >= date_bin(INTERVAL '5 minutes', watermark()) - INTERVAL '24 hours'
        AND bucket_at < date_bin(INTERVAL '5 minutes', watermark())
)

