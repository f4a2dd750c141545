-- Goes on after `speeds`: the state of each key, which its last 30 minutes make, beside every window.
,

half_hours AS (
    SELECT
        speeds.*,
        max(CASE WHEN span = 30 THEN uptime END) OVER half_hour AS state_uptime,
        coalesce(max(CASE WHEN span = 30 THEN counted END) OVER half_hour, 0) AS state_counted
    FROM speeds
    WINDOW half_hour AS (PARTITION BY dimension, key, model, provider)
)

SELECT
    half_hours.*,
    span AS window_minutes,
    CASE
        WHEN state_uptime >= 0.95 THEN 'operational'
        WHEN state_uptime >= 0.8 THEN 'degraded'
        WHEN state_uptime IS NOT NULL THEN 'down'
        ELSE 'no_data'
    END AS state,
    CASE WHEN state_uptime IS NULL THEN 'not_enough' END AS state_reason
FROM half_hours
