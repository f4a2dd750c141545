-- Decisions of variants for the days $1 to $2, and for the 29 days before, by which cells of providers are public.
WITH ends AS (
    -- Days that have not closed, at most two, follow the last closed one, of which they have the very numbers; where no day has
    -- closed, what is there so far decides.
    SELECT
        series.date,
        CASE
            WHEN series.date >= history.open_from AND coalesce(history.first_date < history.open_from, false)
            THEN CAST(CAST(history.open_from AS int) - 1 AS date)
            ELSE series.date
        END AS judged_on
    FROM (
        SELECT unnest(
            generate_series(CAST($1 AS date) - INTERVAL '29 days', CAST($2 AS date), INTERVAL '1 day')
        ) AS date
    ) AS series
    CROSS JOIN history
),
used AS (
    SELECT
        date,
        variant_key,
        terms.has_raw_names OR author IS NOT NULL AS has_name,
        named_usage.users,
        requests,
        requests_with_user
    FROM terms
    CROSS JOIN named_usage
    WHERE variant_key IS NOT NULL
        AND date BETWEEN CAST($1 AS date) - INTERVAL '57 days' AND CAST($2 AS date)
),
people AS (
    SELECT variant_key, has_name, unnest(windows) AS found
    FROM (
        SELECT
            variant_key,
            has_name,
            hll_windows(
                users,
                date,
                generate_series(CAST($1 AS date) - INTERVAL '29 days', CAST($2 AS date), INTERVAL '1 day'),
                make_array(28),
                1
            ) AS windows
        FROM used
        WHERE users IS NOT NULL
        GROUP BY variant_key, has_name
    ) AS windows
),
days AS (
    -- A row for each day of each key, also where there was nothing, so that 28 rows are 28 days.
    SELECT
        date,
        variant_key,
        has_name,
        sum(requests) AS requests,
        sum(requests_with_user) AS requests_with_user,
        count(requests) AS uses
    FROM (
        SELECT date, variant_key, has_name, requests, requests_with_user FROM used
        UNION ALL
        SELECT
            unnest(generate_series(CAST($1 AS date) - INTERVAL '57 days', CAST($2 AS date), INTERVAL '1 day')) AS date,
            variant_key,
            has_name,
            NULL AS requests,
            NULL AS requests_with_user
        FROM (SELECT DISTINCT variant_key, has_name FROM used) AS keys
    ) AS rows_of_days
    GROUP BY date, variant_key, has_name
),
sums AS (
    SELECT
        date,
        variant_key,
        has_name,
        sum(requests) OVER of_days AS requests,
        sum(requests_with_user) OVER of_days AS requests_with_user,
        sum(uses) OVER of_days AS uses,
        lead(uses) OVER (PARTITION BY variant_key, has_name ORDER BY date) AS uses_next,
        lead(uses, 2) OVER (PARTITION BY variant_key, has_name ORDER BY date) AS uses_after
    FROM days
    WINDOW of_days AS (
        PARTITION BY variant_key, has_name
        ORDER BY date
        ROWS BETWEEN 27 PRECEDING AND CURRENT ROW
    )
),
windows AS (
    -- Open days themselves only show which keys there are.
    SELECT
        ends.date,
        sums.variant_key,
        sums.has_name,
        coalesce(people.found['users'], 0) AS users,
        coalesce(sums.requests, 0) AS requests,
        coalesce(sums.requests_with_user, 0) AS requests_with_user
    FROM ends
    JOIN sums ON sums.date = ends.judged_on
    LEFT JOIN people
        ON people.found['end_date'] = sums.date
        AND people.variant_key = sums.variant_key
        AND people.has_name = sums.has_name
    WHERE sums.uses > 0
        OR (ends.judged_on < ends.date AND sums.uses_next > 0)
        OR (CAST(ends.judged_on AS int) + 1 < CAST(ends.date AS int) AND sums.uses_after > 0)
),
variants AS (
    -- Rows of a model from before its author was known are shown under no name, so their users make none public.
    SELECT
        date,
        variant_key AS key,
        coalesce(max(users) FILTER (WHERE has_name), max(users)) AS users,
        coalesce(max(requests) FILTER (WHERE has_name), max(requests)) AS requests,
        coalesce(max(requests_with_user) FILTER (WHERE has_name), max(requests_with_user)) AS requests_with_user,
        bool_or(has_name) AS has_name
    FROM windows
    GROUP BY date, variant_key
)
SELECT
    variants.date,
    variants.key,
    variants.users,
    variants.requests,
    variants.requests_with_user,
    variants.has_name AND (
        terms.users = 0
        OR variants.users >= terms.users
        OR (terms.shows_keyless AND variants.requests_with_user * 2 < variants.requests)
    ) AS is_public
FROM terms
CROSS JOIN variants
