-- Rows of `share_by_week` for the weeks that begin from $1 to $2.
WITH weekly AS (
    SELECT
        CAST(date_trunc('week', date) AS date) AS week_start,
        dimension,
        kind,
        key,
        max(model) AS model,
        max(variant) AS variant,
        max(author) AS author,
        max(provider) AS provider,
        max(display_name) AS display_name,
        sum(CAST(tokens AS decimal(38, 0))) AS tokens,
        sum(requests) AS requests,
        sum(spend_usd) AS spend_usd,
        sum(unpriced_requests) AS unpriced_requests
    FROM usage_by_day
    WHERE date BETWEEN $1 AND CAST($2 AS date) + INTERVAL '6 days'
        AND CAST(date_trunc('week', date) AS date) BETWEEN $1 AND $2
    GROUP BY CAST(date_trunc('week', date) AS date), dimension, kind, key
),
cells_of_weeks AS (
    -- Days are merged before dimensions are made: fewer sketches to merge.
    SELECT
        CAST(date_trunc('week', date) AS date) AS week_start,
        author_row,
        model_row,
        variant_row,
        provider_row,
        hll_merge(users) AS users
    FROM placed_cells
    WHERE date BETWEEN $1 AND CAST($2 AS date) + INTERVAL '6 days' AND users IS NOT NULL
    GROUP BY CAST(date_trunc('week', date) AS date), author_row, model_row, variant_row, provider_row
),
named AS (
    SELECT
        week_start,
        dimension,
        CASE dimension
            WHEN 'author' THEN author_row
            WHEN 'model' THEN model_row
            WHEN 'variant' THEN variant_row
            WHEN 'provider' THEN provider_row
            ELSE 'total:'
        END AS row_name,
        users
    FROM cells_of_weeks
    CROSS JOIN (
        SELECT column1 AS dimension
        FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'))
    ) AS dimensions
),
people AS (
    SELECT week_start, dimension, row_name, hll_estimate(hll_merge(users)) AS users
    FROM named
    WHERE row_name <> 'hidden:'
    GROUP BY week_start, dimension, row_name
),
known AS (
    -- What is not known is null: spend without any price, users without any id.
    SELECT
        weekly.*,
        CASE
            WHEN weekly.requests > 0 AND weekly.unpriced_requests >= weekly.requests AND weekly.spend_usd = 0 THEN NULL
            ELSE weekly.spend_usd
        END AS known_spend_usd,
        people.users
    FROM weekly
    LEFT JOIN people
        ON people.week_start = weekly.week_start
        AND people.dimension = weekly.dimension
        AND people.row_name = CASE WHEN weekly.kind = 'key' THEN 'key:' || weekly.key ELSE weekly.kind || ':' END
),
shared AS (
    SELECT
        known.*,
        CASE
            WHEN kind = 'key' AND tokens > 0
            THEN row_number() OVER (
                PARTITION BY week_start, dimension, kind = 'key' AND tokens > 0
                ORDER BY tokens DESC, key
            )
        END AS tokens_rank,
        max(CASE WHEN kind = 'total' THEN tokens END) OVER of_week AS total_tokens,
        max(CASE WHEN kind = 'total' THEN requests END) OVER of_week AS total_requests,
        max(CASE WHEN kind = 'total' THEN known_spend_usd END) OVER of_week AS total_spend_usd,
        max(CASE WHEN kind = 'total' THEN users END) OVER of_week AS total_users
    FROM known
    WINDOW of_week AS (PARTITION BY week_start)
)
SELECT
    CAST(date_trunc('month', shared.week_start) AS date) AS month,
    shared.week_start,
    shared.week_start < history.first_date OR shared.week_start + INTERVAL '6 days' >= history.today AS is_partial,
    shared.dimension,
    shared.key,
    shared.kind,
    shared.model,
    shared.variant,
    shared.author,
    shared.provider,
    shared.display_name,
    shared.tokens,
    shared.requests,
    shared.known_spend_usd AS spend_usd,
    CASE WHEN shared.known_spend_usd IS NULL THEN 'unpriced' END AS spend_reason,
    shared.users,
    CASE
        WHEN shared.kind = 'hidden' THEN 'private'
        WHEN shared.dimension <> 'model_provider' AND shared.users IS NULL THEN 'not_enough'
    END AS users_reason,
    CAST(shared.tokens AS double) / nullif(CAST(shared.total_tokens AS double), 0) AS tokens_share,
    CAST(shared.requests AS double) / nullif(CAST(shared.total_requests AS double), 0) AS requests_share,
    CAST(shared.known_spend_usd AS double) / nullif(CAST(shared.total_spend_usd AS double), 0) AS spend_share,
    CAST(shared.users AS double) / nullif(CAST(shared.total_users AS double), 0) AS users_share,
    shared.tokens_rank
FROM history
CROSS JOIN shared
ORDER BY shared.week_start, shared.dimension, shared.tokens_rank, shared.kind, shared.key
