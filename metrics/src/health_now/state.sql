-- Goes on after `speeds`: the state of each key, which its last 30 minutes make, beside every window.
,

all_windows AS (
    SELECT speeds.*, span AS window_minutes FROM speeds
    UNION ALL BY NAME
    -- Windows that are not computed now.
    SELECT health_now.* EXCEPT (state, state_uptime, state_counted, state_reason)
    FROM health_now
    WHERE $3 < 10080 AND window_minutes > $3
),

half_hours AS (
    SELECT
        all_windows.*,
        max(CASE WHEN window_minutes = 30 THEN uptime END) OVER half_hour AS state_uptime,
        coalesce(max(CASE WHEN window_minutes = 30 THEN counted END) OVER half_hour, 0) AS state_counted
    FROM all_windows
    WINDOW half_hour AS (PARTITION BY dimension, key, model, provider)
)

SELECT
    half_hours.*,
    CASE
        WHEN state_uptime >= 0.95 THEN 'operational'
        WHEN state_uptime >= 0.8 THEN 'degraded'
        WHEN state_uptime IS NOT NULL THEN 'down'
        ELSE 'no_data'
    END AS state,
    CASE WHEN state_uptime IS NULL THEN 'not_enough' END AS state_reason
FROM half_hours
