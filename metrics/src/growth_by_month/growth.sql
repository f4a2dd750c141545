-- Goes on after `shares`: what all models of a month do together.
,

totals AS (
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

counted AS (
    SELECT
        shares.*,
        sum(CASE WHEN is_model AND requests >= 1 THEN 1 ELSE 0 END) OVER of_period AS active_models,
        sum(CASE WHEN is_model AND requests >= 100 THEN 1 ELSE 0 END) OVER of_period AS active_models_100,
        sum(CASE WHEN is_model AND first_month = period THEN 1 ELSE 0 END) OVER of_period AS new_models
    FROM (
        SELECT shares.*, shares.kind = 'key' AND shares.dimension = 'model' AS is_model, first_seen.first_month
        FROM shares
        LEFT JOIN first_seen ON first_seen.model_id = shares.model
    ) AS shares
    WINDOW of_period AS (PARTITION BY period)
),

concentrated AS (
    -- What is hidden is part of the whole, but a row of many: it adds nothing of its own. Rounded, because the order of
    -- additions is not the same in every run.
    SELECT
        counted.*,
        round(
            sum(CASE WHEN kind = 'key' AND dimension = 'author' THEN tokens_share * tokens_share * 10000 ELSE 0 END)
                OVER (PARTITION BY period),
            6
        ) AS author_hhi,
        round(
            sum(CASE WHEN kind = 'key' AND dimension = 'provider' THEN tokens_share * tokens_share * 10000 ELSE 0 END)
                OVER (PARTITION BY period),
            6
        ) AS provider_hhi
    FROM counted
),

dated AS (
    SELECT
        concentrated.*,
        kind = 'total' AS is_total,
        period < history.first_date AS begins_before,
        period + INTERVAL '1 month' > history.today AS is_running,
        CAST(date_trunc('month', history.first_date) AS date) = period AS is_first_month,
        period - INTERVAL '1 month' < history.first_date AS lacks_before,
        period - INTERVAL '6 months' < history.first_date AS lacks_half_a_year
    FROM history
    CROSS JOIN concentrated
)

SELECT
    dated.period AS month,
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
    dated.spend_usd,
    dated.spend_reason,
    dated.users,
    dated.users_reason,
    dated.tokens_share,
    dated.requests_share,
    dated.spend_share,
    dated.users_share,
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
LEFT JOIN growth ON growth.month = dated.period
ORDER BY dated.period, dated.dimension, dated.tokens_rank, dated.kind, dated.key
