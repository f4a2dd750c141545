-- Rows of `growth_by_month` for the months that begin from $1 to $2.
WITH totals AS (
    -- Of those months and the six before, because growth looks back that far.
    SELECT
        CAST(date_trunc('month', date) AS date) AS month,
        sum(CAST(tokens AS decimal(38, 0))) AS tokens,
        sum(requests) AS requests
    FROM usage_by_day
    WHERE dimension = 'total'
        AND date >= CAST(date_trunc('month', CAST($1 AS date)) AS date) - INTERVAL '6 months'
        AND date < CAST(date_trunc('month', CAST($2 AS date)) AS date) + INTERVAL '1 month'
    GROUP BY CAST(date_trunc('month', date) AS date)
),
growth AS (
    -- A month without traffic has no row: nothing can be divided by it.
    SELECT
        totals.month,
        CAST(totals.tokens AS double) / nullif(CAST(before.tokens AS double), 0) - 1 AS tokens_growth,
        CAST(totals.requests AS double) / nullif(CAST(before.requests AS double), 0) - 1 AS requests_growth,
        power(
            nullif(CAST(totals.tokens AS double), 0) / nullif(CAST(half_a_year_before.tokens AS double), 0),
            1.0 / 6
        ) - 1 AS tokens_growth_6m,
        power(
            nullif(CAST(totals.requests AS double), 0) / nullif(CAST(half_a_year_before.requests AS double), 0),
            1.0 / 6
        ) - 1 AS requests_growth_6m
    FROM totals
    LEFT JOIN totals AS before ON before.month = CAST(totals.month - INTERVAL '1 month' AS date)
    LEFT JOIN totals AS half_a_year_before
        ON half_a_year_before.month = CAST(totals.month - INTERVAL '6 months' AS date)
),
first_seen AS (
    -- Hidden days count: who is named later than it was used is no new entry then.
    SELECT model_id, CAST(date_trunc('month', min(date)) AS date) AS first_month
    FROM usage_daily
    GROUP BY model_id
),
monthly AS (
    SELECT
        CAST(date_trunc('month', date) AS date) AS month,
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
    WHERE date >= $1
        AND date < CAST(date_trunc('month', CAST($2 AS date)) AS date) + INTERVAL '1 month'
        AND CAST(date_trunc('month', date) AS date) BETWEEN $1 AND $2
    GROUP BY CAST(date_trunc('month', date) AS date), dimension, kind, key
),
cells_of_months AS (
    -- Days are merged before dimensions are made: fewer sketches to merge.
    SELECT
        CAST(date_trunc('month', date) AS date) AS month,
        author_row,
        model_row,
        variant_row,
        provider_row,
        hll_merge(users) AS users
    FROM placed_cells
    WHERE date >= $1
        AND date < CAST(date_trunc('month', CAST($2 AS date)) AS date) + INTERVAL '1 month'
        AND users IS NOT NULL
    GROUP BY CAST(date_trunc('month', date) AS date), author_row, model_row, variant_row, provider_row
),
named AS (
    SELECT
        month,
        dimension,
        CASE dimension
            WHEN 'author' THEN author_row
            WHEN 'model' THEN model_row
            WHEN 'variant' THEN variant_row
            WHEN 'provider' THEN provider_row
            ELSE 'total:'
        END AS row_name,
        users
    FROM cells_of_months
    CROSS JOIN (
        SELECT column1 AS dimension
        FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'))
    ) AS dimensions
),
people AS (
    SELECT month, dimension, row_name, hll_estimate(hll_merge(users)) AS users
    FROM named
    WHERE row_name <> 'hidden:'
    GROUP BY month, dimension, row_name
),
known AS (
    -- What is not known is null: spend without any price, users without any id.
    SELECT
        monthly.*,
        CASE
            WHEN monthly.requests > 0 AND monthly.unpriced_requests >= monthly.requests AND monthly.spend_usd = 0 THEN NULL
            ELSE monthly.spend_usd
        END AS known_spend_usd,
        people.users,
        monthly.kind = 'key' AND monthly.dimension = 'model' AS is_model,
        first_seen.first_month
    FROM monthly
    LEFT JOIN people
        ON people.month = monthly.month
        AND people.dimension = monthly.dimension
        AND people.row_name = CASE WHEN monthly.kind = 'key' THEN 'key:' || monthly.key ELSE monthly.kind || ':' END
    LEFT JOIN first_seen ON first_seen.model_id = monthly.model
),
shared AS (
    SELECT
        known.*,
        CASE
            WHEN kind = 'key' AND tokens > 0
            THEN row_number() OVER (
                PARTITION BY month, dimension, kind = 'key' AND tokens > 0
                ORDER BY tokens DESC, key
            )
        END AS tokens_rank,
        CAST(tokens AS double)
        / nullif(CAST(max(CASE WHEN kind = 'total' THEN tokens END) OVER of_month AS double), 0) AS tokens_share,
        max(CASE WHEN kind = 'total' THEN requests END) OVER of_month AS total_requests,
        max(CASE WHEN kind = 'total' THEN known_spend_usd END) OVER of_month AS total_spend_usd,
        max(CASE WHEN kind = 'total' THEN users END) OVER of_month AS total_users,
        sum(CASE WHEN is_model AND requests >= 1 THEN 1 ELSE 0 END) OVER of_month AS active_models,
        sum(CASE WHEN is_model AND requests >= 100 THEN 1 ELSE 0 END) OVER of_month AS active_models_100,
        sum(CASE WHEN is_model AND first_month = month THEN 1 ELSE 0 END) OVER of_month AS new_models
    FROM known
    WINDOW of_month AS (PARTITION BY month)
),
concentrated AS (
    -- What is hidden is part of the whole, but a row of many: it adds nothing of its own. Rounded, because the order of
    -- additions is not the same in every run.
    SELECT
        shared.*,
        round(
            sum(CASE WHEN kind = 'key' AND dimension = 'author' THEN tokens_share * tokens_share * 10000 ELSE 0 END)
                OVER (PARTITION BY month),
            6
        ) AS author_hhi,
        round(
            sum(CASE WHEN kind = 'key' AND dimension = 'provider' THEN tokens_share * tokens_share * 10000 ELSE 0 END)
                OVER (PARTITION BY month),
            6
        ) AS provider_hhi
    FROM shared
),
dated AS (
    SELECT
        concentrated.*,
        kind = 'total' AS is_total,
        month < history.first_date AS begins_before,
        month + INTERVAL '1 month' > history.today AS is_running,
        CAST(date_trunc('month', history.first_date) AS date) = month AS is_first_month,
        month - INTERVAL '1 month' < history.first_date AS lacks_before,
        month - INTERVAL '6 months' < history.first_date AS lacks_half_a_year
    FROM history
    CROSS JOIN concentrated
)
SELECT
    dated.month,
    dated.begins_before OR dated.is_running AS is_partial,
    dated.dimension,
    dated.key,
    dated.kind,
    dated.model,
    dated.variant,
    dated.author,
    dated.provider,
    dated.display_name,
    dated.tokens,
    dated.requests,
    dated.known_spend_usd AS spend_usd,
    CASE WHEN dated.known_spend_usd IS NULL THEN 'unpriced' END AS spend_reason,
    dated.users,
    CASE
        WHEN dated.kind = 'hidden' THEN 'private'
        WHEN dated.dimension <> 'model_provider' AND dated.users IS NULL THEN 'not_enough'
    END AS users_reason,
    dated.tokens_share,
    CAST(dated.requests AS double) / nullif(CAST(dated.total_requests AS double), 0) AS requests_share,
    CAST(dated.known_spend_usd AS double) / nullif(CAST(dated.total_spend_usd AS double), 0) AS spend_share,
    CAST(dated.users AS double) / nullif(CAST(dated.total_users AS double), 0) AS users_share,
    dated.tokens_rank,
    CASE WHEN dated.is_total THEN dated.active_models END AS active_models,
    CASE WHEN dated.is_total THEN dated.active_models_100 END AS active_models_100,
    CASE WHEN dated.is_total AND NOT dated.is_first_month THEN dated.new_models END AS new_models,
    CASE WHEN dated.is_total AND dated.tokens > 0 THEN dated.author_hhi END AS author_hhi,
    CASE WHEN dated.is_total AND dated.tokens > 0 THEN dated.provider_hhi END AS provider_hhi,
    CASE
        WHEN dated.is_total AND NOT dated.is_running AND NOT dated.lacks_before THEN growth.tokens_growth
    END AS tokens_growth,
    CASE
        WHEN NOT dated.is_total THEN NULL
        WHEN dated.lacks_before THEN 'no_history'
        WHEN dated.is_running OR growth.tokens_growth IS NULL THEN 'not_enough'
    END AS tokens_growth_reason,
    CASE
        WHEN dated.is_total AND NOT dated.is_running AND NOT dated.lacks_before THEN growth.requests_growth
    END AS requests_growth,
    CASE
        WHEN NOT dated.is_total THEN NULL
        WHEN dated.lacks_before THEN 'no_history'
        WHEN dated.is_running OR growth.requests_growth IS NULL THEN 'not_enough'
    END AS requests_growth_reason,
    CASE
        WHEN dated.is_total AND NOT dated.is_running AND NOT dated.lacks_half_a_year THEN growth.tokens_growth_6m
    END AS tokens_growth_6m,
    CASE
        WHEN NOT dated.is_total THEN NULL
        WHEN dated.lacks_half_a_year THEN 'no_history'
        WHEN dated.is_running OR growth.tokens_growth_6m IS NULL THEN 'not_enough'
    END AS tokens_growth_6m_reason,
    CASE
        WHEN dated.is_total AND NOT dated.is_running AND NOT dated.lacks_half_a_year THEN growth.requests_growth_6m
    END AS requests_growth_6m,
    CASE
        WHEN NOT dated.is_total THEN NULL
        WHEN dated.lacks_half_a_year THEN 'no_history'
        WHEN dated.is_running OR growth.requests_growth_6m IS NULL THEN 'not_enough'
    END AS requests_growth_6m_reason
FROM dated
LEFT JOIN growth ON growth.month = dated.month
ORDER BY dated.month, dated.dimension, dated.tokens_rank, dated.kind, dated.key
