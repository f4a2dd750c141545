-- All rows of `apps`.
WITH named AS (
    SELECT date AS decided_on, key FROM app_gate WHERE is_public
    UNION ALL
    -- Open days follow the last closed one.
    SELECT open_days.date AS decided_on, key
    FROM (SELECT CAST(unnest(generate_series(open_from(), today(), INTERVAL '1 day')) AS date) AS date) AS open_days
    CROSS JOIN app_gate
    WHERE is_public AND app_gate.date = open_from() - INTERVAL '1 day'
),

shown AS (
    SELECT app_cells.date, app_cells.app_id, app_cells.model_id
    FROM terms
    CROSS JOIN app_cells
    LEFT JOIN named ON named.key = app_cells.app_id AND named.decided_on = app_cells.date
    WHERE
        app_cells.is_public
        AND app_cells.app_id IS NOT NULL
        AND app_cells.requests > 0
        AND (terms.users = 0 OR named.key IS NOT NULL)
),

merged AS (
    SELECT
        app_id,
        min(date) AS first_date,
        max(date) AS last_date,
        count(DISTINCT model_id) FILTER (WHERE date > today() - INTERVAL '7 days') AS models
    FROM shown
    GROUP BY app_id
)

SELECT
    app_id AS key,
    app_id AS app,
    app_id AS display_name,
    first_date,
    last_date,
    models,
    models > 0 AS is_active
FROM merged
ORDER BY key
