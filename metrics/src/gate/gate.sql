-- Decisions of the days $1 to $2. Those of variants, and of the days before, are the rows of `decided_variants`.
WITH ends AS (
    -- As for variants: open days have the numbers of the last closed one.
    SELECT
        series.date,
        CASE
            WHEN series.date >= history.open_from AND coalesce(history.first_date < history.open_from, false)
            THEN CAST(CAST(history.open_from AS int) - 1 AS date)
            ELSE series.date
        END AS judged_on
    FROM (SELECT unnest(generate_series(CAST($1 AS date), CAST($2 AS date), INTERVAL '1 day')) AS date) AS series
    CROSS JOIN history
),
used AS (
    -- Cells that are not public name no provider.
    SELECT
        named_usage.date,
        named_usage.provider_id,
        named_usage.users,
        named_usage.requests,
        named_usage.requests_with_user,
        (terms.has_raw_names OR named_usage.author IS NOT NULL) AND public_days.key IS NOT NULL AS is_cell_public
    FROM (SELECT date, key FROM decided_variants WHERE is_public) AS public_days
    RIGHT JOIN named_usage
        ON named_usage.date = public_days.date
        AND named_usage.variant_key = public_days.key
    CROSS JOIN terms
    WHERE named_usage.provider_id IS NOT NULL
        AND named_usage.date BETWEEN CAST($1 AS date) - INTERVAL '29 days' AND CAST($2 AS date)
),
people AS (
    SELECT provider_id, unnest(windows) AS found
    FROM (
        SELECT
            provider_id,
            hll_windows(
                users,
                date,
                generate_series(CAST($1 AS date) - INTERVAL '2 days', CAST($2 AS date), INTERVAL '1 day'),
                make_array(28),
                1
            ) AS windows
        FROM used
        WHERE users IS NOT NULL AND is_cell_public
        GROUP BY provider_id
    ) AS windows
),
days AS (
    -- A row for each day of each provider, also where there was nothing, so that 28 rows are 28 days.
    SELECT
        date,
        provider_id,
        sum(requests) FILTER (WHERE is_cell_public) AS requests,
        sum(requests_with_user) FILTER (WHERE is_cell_public) AS requests_with_user,
        count(requests) AS uses
    FROM (
        SELECT date, provider_id, requests, requests_with_user, is_cell_public FROM used
        UNION ALL
        SELECT
            unnest(generate_series(CAST($1 AS date) - INTERVAL '29 days', CAST($2 AS date), INTERVAL '1 day')) AS date,
            provider_id,
            NULL AS requests,
            NULL AS requests_with_user,
            false AS is_cell_public
        FROM (SELECT DISTINCT provider_id FROM used) AS keys
    ) AS rows_of_days
    GROUP BY date, provider_id
),
sums AS (
    SELECT
        date,
        provider_id,
        sum(requests) OVER of_days AS requests,
        sum(requests_with_user) OVER of_days AS requests_with_user,
        sum(uses) OVER of_days AS uses,
        lead(uses) OVER (PARTITION BY provider_id ORDER BY date) AS uses_next,
        lead(uses, 2) OVER (PARTITION BY provider_id ORDER BY date) AS uses_after
    FROM days
    WINDOW of_days AS (PARTITION BY provider_id ORDER BY date ROWS BETWEEN 27 PRECEDING AND CURRENT ROW)
),
providers AS (
    SELECT
        ends.date,
        sums.provider_id AS key,
        coalesce(people.found['users'], 0) AS users,
        coalesce(sums.requests, 0) AS requests,
        coalesce(sums.requests_with_user, 0) AS requests_with_user
    FROM ends
    JOIN sums ON sums.date = ends.judged_on
    LEFT JOIN people ON people.found['end_date'] = sums.date AND people.provider_id = sums.provider_id
    WHERE sums.uses > 0
        OR (ends.judged_on < ends.date AND sums.uses_next > 0)
        OR (CAST(ends.judged_on AS int) + 1 < CAST(ends.date AS int) AND sums.uses_after > 0)
),
provider_decisions AS (
    SELECT
        providers.date,
        providers.key,
        providers.users,
        providers.requests,
        providers.requests_with_user,
        (terms.has_raw_names OR NOT starts_with(providers.key, 'host:')) AND (
            terms.users = 0
            OR providers.users >= terms.users
            OR (terms.shows_keyless AND providers.requests_with_user * 2 < providers.requests)
        ) AS is_public
    FROM terms
    CROSS JOIN providers
)
SELECT
    CAST(date_trunc('month', date) AS date) AS month,
    date,
    dimension,
    key,
    users,
    requests,
    requests_with_user,
    is_public
FROM (
    SELECT 'variant' AS dimension, * FROM decided_variants WHERE date >= $1
    UNION ALL
    SELECT 'provider' AS dimension, * FROM provider_decisions
)
ORDER BY date, dimension, key
