-- Each hour by itself. Hours of one provider are too few to call one the best.
WITH part AS (
    SELECT * FROM health_cells WHERE size = 'day' AND date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
),

cells AS (
    SELECT
        date,
        hour AS starts_at,
        hour + INTERVAL '1 hour' AS ends_at,
        1 AS span,
        date AS day,
        routing_hourly.* EXCEPT (date, hour)
    FROM routing_hourly
    WHERE date BETWEEN CAST($1 AS date) AND CAST($2 AS date)
),

best AS (
    SELECT date, span, '' AS model, '' AS provider, 0 AS success, 0 AS counted FROM cells WHERE false
)

