-- Decisions of the days $1 to $2. Those of the days before, by which cells of providers are public, stand in `gate`: it is
-- computed oldest days first.
WITH ends AS (
    -- The running day follows the last closed one, of which it has the very numbers; where no day has closed, what is
    -- there so far decides.
    SELECT
        series.date,
        series.date = terms.today AND coalesce(history.first_date < terms.today, false) AS is_running
    FROM (SELECT unnest(generate_series(CAST($1 AS date), CAST($2 AS date), INTERVAL '1 day')) AS date) AS series
    CROSS JOIN terms
    CROSS JOIN (SELECT min(date) AS first_date FROM usage_daily) AS history
),
offsets AS (
    SELECT
        date,
        is_running,
        unnest(generate_series(date - INTERVAL '28 days', date, INTERVAL '1 day')) AS day
    FROM ends
),
spans AS (
    -- The days that count for a date. The running day itself only shows which keys there are.
    SELECT date, day, NOT is_running OR day < date AS counts
    FROM offsets
    WHERE is_running OR day > date - INTERVAL '28 days'
),
used AS (
    SELECT
        date,
        variant_key,
        provider_id,
        terms.has_raw_names OR author IS NOT NULL AS has_name,
        named_usage.users,
        requests,
        requests_with_user
    FROM terms
    CROSS JOIN named_usage
    WHERE date BETWEEN CAST($1 AS date) - INTERVAL '28 days' AND CAST($2 AS date)
),
variant_days AS (
    -- One sketch a day first: a day counts for up to 28 others.
    SELECT
        date,
        variant_key,
        has_name,
        hll_merge(users) AS users,
        sum(requests) AS requests,
        sum(requests_with_user) AS requests_with_user
    FROM used
    WHERE variant_key IS NOT NULL
    GROUP BY date, variant_key, has_name
),
variant_windows AS (
    SELECT
        spans.date,
        variant_days.variant_key,
        variant_days.has_name,
        coalesce(hll_estimate(hll_merge(variant_days.users) FILTER (WHERE spans.counts)), 0) AS users,
        coalesce(sum(variant_days.requests) FILTER (WHERE spans.counts), 0) AS requests,
        coalesce(sum(variant_days.requests_with_user) FILTER (WHERE spans.counts), 0) AS requests_with_user
    FROM spans
    JOIN variant_days ON variant_days.date = spans.day
    GROUP BY spans.date, variant_days.variant_key, variant_days.has_name
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
    FROM variant_windows
    GROUP BY date, variant_key
),
variant_decisions AS (
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
    FROM variants
    CROSS JOIN terms
),
public_days AS (
    -- The days of variants whose amounts stand under their names.
    SELECT date, key FROM variant_decisions WHERE is_public
    UNION ALL
    SELECT date, key
    FROM gate
    WHERE dimension = 'variant'
        AND is_public
        AND date BETWEEN CAST($1 AS date) - INTERVAL '28 days' AND CAST($1 AS date) - INTERVAL '1 day'
),
provider_days AS (
    SELECT
        used.date,
        used.provider_id,
        used.has_name AND public_days.key IS NOT NULL AS is_cell_public,
        hll_merge(used.users) AS users,
        sum(used.requests) AS requests,
        sum(used.requests_with_user) AS requests_with_user
    FROM used
    LEFT JOIN public_days ON public_days.date = used.date AND public_days.key = used.variant_key
    WHERE used.provider_id IS NOT NULL
    GROUP BY used.date, used.provider_id, used.has_name AND public_days.key IS NOT NULL
),
providers AS (
    -- Cells that are not public name no provider.
    SELECT
        spans.date,
        provider_days.provider_id AS key,
        coalesce(
            hll_estimate(hll_merge(provider_days.users) FILTER (WHERE spans.counts AND provider_days.is_cell_public)), 0
        ) AS users,
        coalesce(sum(provider_days.requests) FILTER (WHERE spans.counts AND provider_days.is_cell_public), 0)
            AS requests,
        coalesce(
            sum(provider_days.requests_with_user) FILTER (WHERE spans.counts AND provider_days.is_cell_public), 0
        ) AS requests_with_user
    FROM spans
    JOIN provider_days ON provider_days.date = spans.day
    GROUP BY spans.date, provider_days.provider_id
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
    FROM providers
    CROSS JOIN terms
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
    SELECT 'variant' AS dimension, * FROM variant_decisions
    UNION ALL
    SELECT 'provider' AS dimension, * FROM provider_decisions
)
ORDER BY date, dimension, key
