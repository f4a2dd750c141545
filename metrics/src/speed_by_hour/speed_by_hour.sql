-- Each hour by itself.
WITH cells AS (
    SELECT
        date,
        bucket_at AS starts_at,
        bucket_at + INTERVAL '1 hour' AS ends_at,
        1 AS span,
        false AS is_before,
        false AS has_before,
        1 AS history_days,
        health_cells.* EXCEPT (size, date, bucket_at)
    FROM health_cells
    WHERE size = 'hour' AND date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
)

