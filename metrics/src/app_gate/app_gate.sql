-- Decisions of the closed days $1 to $2.
WITH ends AS (
    SELECT series.date
    FROM (SELECT unnest(generate_series(CAST($1 AS date), CAST($2 AS date), INTERVAL '1 day')) AS date) AS series
    CROSS JOIN history
    WHERE series.date < open_from() OR history.first_date >= open_from()
),

spans AS (
    SELECT CAST(date AS date) AS date, CAST(CAST(date AS int) - CAST(age AS int) AS date) AS day
    FROM ends
    CROSS JOIN (SELECT unnest(range(0, 28)) AS age) AS ages
),

app_days AS (
    -- One sketch a day first: a day counts for up to 28 others.
    SELECT
        date AS day,
        app_id AS key,
        hll_merge(users) AS users,
        sum(requests) AS requests,
        sum(requests_with_user) AS requests_with_user
    FROM app_cells
    WHERE
        is_public
        AND app_id IS NOT NULL
        -- Where open days alone are asked for, no other one decides anything.
        AND date
            BETWEEN CASE WHEN CAST($1 AS date) < open_from() THEN CAST($1 AS date) - INTERVAL '27 days' ELSE open_from() END
            AND CAST($2 AS date)
    GROUP BY date, app_id
),

apps AS (
    SELECT
        spans.date,
        app_days.key,
        coalesce(hll_estimate(hll_merge(app_days.users)), 0) AS users,
        sum(app_days.requests) AS requests,
        sum(app_days.requests_with_user) AS requests_with_user
    FROM spans
    INNER JOIN app_days ON app_days.day = spans.day
    GROUP BY spans.date, app_days.key
)

SELECT
    CAST(date_trunc('month', apps.date) AS date) AS month,
    apps.date,
    apps.key,
    apps.users,
    apps.requests,
    apps.requests_with_user,
    terms.users = 0
    OR apps.users >= terms.users
    OR (terms.shows_keyless AND apps.requests_with_user * 2 < apps.requests) AS is_public
FROM terms
CROSS JOIN apps
ORDER BY apps.date, apps.key
