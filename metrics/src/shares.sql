-- Goes on after `days` (rows of `usage_by_day`) and `cells_of_days` (those of `placed_cells` with users), each with the
-- `period` that it lies in: sums, users, shares and places of every row of a period.
,

sums AS (
    SELECT
        period,
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
        sum(spend_usd) AS all_spend_usd,
        sum(unpriced_requests) AS unpriced_requests
    FROM days
    GROUP BY period, dimension, kind, key
),

merged_cells AS (
    -- Days are merged before dimensions are made: fewer sketches to merge.
    SELECT period, author_row, model_row, variant_row, provider_row, hll_merge(users) AS users
    FROM cells_of_days
    GROUP BY period, author_row, model_row, variant_row, provider_row
),

named AS (
    SELECT
        period,
        dimension,
        CASE dimension
            WHEN 'author' THEN author_row
            WHEN 'model' THEN model_row
            WHEN 'variant' THEN variant_row
            WHEN 'provider' THEN provider_row
            -- Who uses nothing but what is hidden is in no number: beside those of the names it would be the rest.
            ELSE CASE WHEN variant_row = 'hidden:' THEN variant_row ELSE 'total:' END
        END AS row_name,
        users
    FROM merged_cells
    CROSS JOIN (
        SELECT column1 AS dimension
        FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'))
    ) AS dimensions
),

people AS (
    SELECT period, dimension, row_name, hll_estimate(hll_merge(users)) AS users
    FROM named
    WHERE row_name <> 'hidden:'
    GROUP BY period, dimension, row_name
),

known AS (
    -- What is not known is null: spend without any price, users without any id.
    SELECT
        sums.*,
        CASE
            WHEN sums.requests > 0 AND sums.unpriced_requests >= sums.requests AND sums.all_spend_usd = 0 THEN NULL
            ELSE sums.all_spend_usd
        END AS spend_usd,
        people.users
    FROM sums
    LEFT JOIN people
        ON people.period = sums.period
        AND people.dimension = sums.dimension
        AND people.row_name = CASE WHEN sums.kind = 'key' THEN 'key:' || sums.key ELSE sums.kind || ':' END
),

placed AS (
    SELECT
        known.*,
        CASE
            WHEN kind = 'key' AND tokens > 0
            THEN row_number() OVER (
                PARTITION BY period, dimension, kind = 'key' AND tokens > 0
                ORDER BY tokens DESC, key
            )
        END AS tokens_rank,
        max(CASE WHEN kind = 'total' THEN tokens END) OVER of_period AS total_tokens,
        max(CASE WHEN kind = 'total' THEN requests END) OVER of_period AS total_requests,
        max(CASE WHEN kind = 'total' THEN spend_usd END) OVER of_period AS total_spend_usd,
        max(CASE WHEN kind = 'total' THEN users END) OVER of_period AS total_users
    FROM known
    WINDOW of_period AS (PARTITION BY period)
),

shares AS (
    SELECT
        placed.*,
        CASE WHEN spend_usd IS NULL THEN 'unpriced' END AS spend_reason,
        CASE
            WHEN kind = 'hidden' THEN 'private'
            WHEN dimension <> 'model_provider' AND users IS NULL THEN 'not_enough'
        END AS users_reason,
        CAST(tokens AS double) / nullif(CAST(total_tokens AS double), 0) AS tokens_share,
        CAST(requests AS double) / nullif(CAST(total_requests AS double), 0) AS requests_share,
        CAST(spend_usd AS double) / nullif(CAST(total_spend_usd AS double), 0) AS spend_share,
        CAST(users AS double) / nullif(CAST(total_users AS double), 0) AS users_share
    FROM placed
)
