-- Rows of `rankings` for the end dates $1 to $2; $3 is the first day of the windows before them.
WITH hidden_days AS (
    -- Days on which a key had traffic, but nothing public: what is public beside them is no base for a change.
    SELECT hidden.date, hidden.dimension, hidden.key
    FROM (
        SELECT DISTINCT date, dimension, own_key AS key
        FROM keyed_cells
        WHERE kind = 'hidden'
            -- Follows from the kind, but lets the scan leave out most cells before each becomes six rows.
            AND NOT (is_public AND provider_is_public)
            AND own_key IS NOT NULL
            AND date BETWEEN $3 AND $2
    ) AS hidden
    LEFT ANTI JOIN usage_by_day
        ON usage_by_day.date = hidden.date
        AND usage_by_day.dimension = hidden.dimension
        AND usage_by_day.key = hidden.key
        AND usage_by_day.kind = 'key'
),
day_rows AS (
    SELECT
        date,
        dimension,
        kind,
        key,
        true AS is_shown,
        requests,
        requests_with_user,
        tokens,
        input_tokens,
        cached_input_tokens,
        spend_usd,
        unserved_spend_usd,
        unpriced_requests,
        unpriced_tokens,
        CASE WHEN dimension IN ('model', 'model_provider') THEN model END AS model,
        is_rounded
    FROM usage_by_day
    WHERE date BETWEEN $3 AND $2
    UNION ALL
    SELECT date, dimension, 'key', key, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, false
    FROM hidden_days
),
sums AS (
    SELECT
        period_days.end_date,
        period_days.window_days,
        day_rows.dimension,
        day_rows.kind,
        day_rows.key,
        bool_or(day_rows.is_shown) FILTER (WHERE step = 0) AS is_shown,
        bool_or(day_rows.is_shown) FILTER (WHERE step = 1) AS was_shown,
        bool_or(day_rows.is_rounded) FILTER (WHERE step = 1) AS was_rounded,
        bool_or(NOT day_rows.is_shown) FILTER (WHERE step = 1) AS was_hidden,
        bool_or(NOT day_rows.is_shown) FILTER (WHERE step >= 1) AS was_hidden_in_three,
        sum(requests) FILTER (WHERE step = 0) AS requests,
        sum(requests_with_user) FILTER (WHERE step = 0) AS requests_with_user,
        sum(CAST(tokens AS decimal(38, 0))) FILTER (WHERE step = 0) AS tokens,
        sum(CAST(input_tokens AS decimal(38, 0))) FILTER (WHERE step = 0) AS input_tokens,
        sum(CAST(cached_input_tokens AS decimal(38, 0))) FILTER (WHERE step = 0) AS cached_input_tokens,
        sum(spend_usd) FILTER (WHERE step = 0) AS spend_usd,
        sum(unserved_spend_usd) FILTER (WHERE step = 0) AS unserved_spend_usd,
        bool_and(unserved_spend_usd IS NOT NULL) FILTER (WHERE step = 0) AS knows_unserved,
        max(model) AS model,
        sum(unpriced_requests) FILTER (WHERE step = 0) AS unpriced_requests,
        sum(CAST(unpriced_tokens AS decimal(38, 0))) FILTER (WHERE step = 0) AS unpriced_tokens,
        sum(requests) FILTER (WHERE step = 1) AS requests_before,
        sum(CAST(tokens AS decimal(38, 0))) FILTER (WHERE step = 1) AS tokens_before,
        sum(spend_usd) FILTER (WHERE step = 1) AS spend_usd_before,
        sum(unpriced_requests) FILTER (WHERE step = 1) AS unpriced_requests_before,
        sum(CAST(tokens AS decimal(38, 0))) FILTER (WHERE step >= 1) AS tokens_of_three
    FROM period_days
    JOIN day_rows ON day_rows.date = period_days.date
    WHERE period_days.end_date BETWEEN $1 AND $2
    GROUP BY period_days.end_date, period_days.window_days, day_rows.dimension, day_rows.kind, day_rows.key
),
pair_days AS (
    -- A price of amounts in whole percents would be none. It tells of no amount, so it is made of the cells.
    SELECT
        date,
        key,
        sum(CAST(input_tokens AS decimal(38, 0)) + output_tokens - unpriced_tokens) AS priced_tokens,
        -- Of days that do not know the unserved part, spend holds none of it.
        sum(cost_usd) - CASE WHEN count(unserved_cost_usd) = count(*) THEN sum(unserved_cost_usd) ELSE 0 END AS served_usd
    FROM keyed_cells
    WHERE dimension = 'model_provider' AND kind = 'key' AND date BETWEEN $3 AND $2
    GROUP BY date, key
),
pairs AS (
    SELECT
        period_days.end_date,
        period_days.window_days,
        pair_days.key,
        sum(priced_tokens) AS priced_tokens,
        sum(served_usd) AS served_usd
    FROM period_days
    JOIN pair_days ON pair_days.date = period_days.date
    WHERE period_days.end_date BETWEEN $1 AND $2 AND step = 0
    GROUP BY period_days.end_date, period_days.window_days, pair_days.key
),
names AS (
    SELECT
        dimension,
        kind,
        key,
        max(model) AS model,
        max(variant) AS variant,
        max(author) AS author,
        max(provider) AS provider,
        max(display_name) AS display_name
    FROM usage_by_day
    WHERE date BETWEEN $3 AND $2
    GROUP BY dimension, kind, key
),
known AS (
    -- What is not known is null: spend without any price, users without any id, a window before that is not told of.
    SELECT
        sums.end_date,
        sums.window_days,
        sums.dimension,
        sums.kind,
        sums.key,
        coalesce(sums.is_shown, false) AS is_shown,
        periods.is_partial,
        periods.growth_requests,
        periods.has_before,
        periods.has_three_before,
        coalesce(sums.was_rounded, false) AS was_rounded,
        coalesce(sums.was_hidden, false) AS was_hidden,
        coalesce(sums.was_hidden_in_three, false) AS was_hidden_in_three,
        sums.tokens,
        sums.requests,
        CASE
            WHEN sums.requests > 0 AND sums.unpriced_requests >= sums.requests AND sums.spend_usd = 0 THEN NULL
            ELSE sums.spend_usd
        END AS spend_usd,
        users_by_window.users,
        sums.requests_with_user,
        sums.input_tokens,
        sums.cached_input_tokens,
        sums.unpriced_requests,
        CASE WHEN sums.knows_unserved THEN sums.unserved_spend_usd END AS unserved_spend_usd,
        sums.model,
        coalesce(pairs.priced_tokens, sums.tokens - sums.unpriced_tokens) AS priced_tokens,
        coalesce(pairs.served_usd, sums.spend_usd - coalesce(sums.unserved_spend_usd, 0)) AS served_usd,
        CASE
            WHEN NOT periods.has_before OR (sums.was_hidden AND NOT coalesce(sums.was_shown, false)) THEN NULL
            ELSE coalesce(sums.tokens_before, 0)
        END AS tokens_before,
        CASE
            WHEN NOT periods.has_before OR (sums.was_hidden AND NOT coalesce(sums.was_shown, false)) THEN NULL
            ELSE coalesce(sums.requests_before, 0)
        END AS requests_before,
        CASE
            WHEN NOT periods.has_before OR (sums.was_hidden AND NOT coalesce(sums.was_shown, false)) THEN NULL
            WHEN sums.requests_before > 0
                AND sums.unpriced_requests_before >= sums.requests_before
                AND sums.spend_usd_before = 0
            THEN NULL
            ELSE coalesce(sums.spend_usd_before, 0)
        END AS spend_usd_before,
        CASE WHEN periods.has_before THEN users_by_window.users_before END AS users_before,
        CASE
            WHEN periods.has_three_before AND NOT coalesce(sums.was_hidden_in_three, false)
            THEN CAST(sums.tokens AS double) - CAST(coalesce(sums.tokens_of_three, 0) AS double) / 3
        END AS tokens_excess
    FROM sums
    JOIN periods ON periods.end_date = sums.end_date AND periods.window_days = sums.window_days
    LEFT JOIN users_by_window
        ON users_by_window.end_date = sums.end_date
        AND users_by_window.window_days = sums.window_days
        AND users_by_window.dimension = sums.dimension
        AND users_by_window.kind = sums.kind
        AND users_by_window.key = sums.key
    LEFT JOIN pairs
        ON sums.dimension = 'model_provider'
        AND sums.kind = 'key'
        AND pairs.end_date = sums.end_date
        AND pairs.window_days = sums.window_days
        AND pairs.key = sums.key
),
priced AS (
    SELECT
        *,
        CASE
            WHEN priced_tokens > 0 THEN CAST(served_usd AS double) * 1e6 / CAST(priced_tokens AS double)
        END AS effective_price
    FROM known
),
spread AS (
    -- Of models: what stands in the rows of their providers.
    SELECT
        known.*,
        count(provider_price) OVER of_model AS providers_priced,
        max(provider_price) OVER of_model / min(provider_price) OVER of_model AS providers_spread
    FROM (
        SELECT
            *,
            CASE
                WHEN dimension = 'model_provider' AND kind = 'key' AND priced_tokens >= 1000000 AND effective_price > 0
                THEN effective_price
            END AS provider_price
        FROM priced
    ) AS known
    WINDOW of_model AS (PARTITION BY end_date, window_days, model)
),
placed AS (
    -- Among all names of a window, also those that have gone since: their places then were theirs.
    SELECT
        known.*,
        CASE
            WHEN kind = 'key' AND tokens > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND tokens > 0
                ORDER BY tokens DESC, key
            )
        END AS tokens_rank,
        CASE
            WHEN kind = 'key' AND requests > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND requests > 0
                ORDER BY requests DESC, key
            )
        END AS requests_rank,
        CASE
            WHEN kind = 'key' AND spend_usd > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND spend_usd > 0
                ORDER BY spend_usd DESC, key
            )
        END AS spend_rank,
        CASE
            WHEN kind = 'key' AND users > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND users > 0
                ORDER BY users DESC, key
            )
        END AS users_rank,
        CASE
            WHEN kind = 'key' AND tokens_before > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND tokens_before > 0
                ORDER BY tokens_before DESC, key
            )
        END AS tokens_rank_before,
        CASE
            WHEN kind = 'key' AND requests_before > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND requests_before > 0
                ORDER BY requests_before DESC, key
            )
        END AS requests_rank_before,
        CASE
            WHEN kind = 'key' AND spend_usd_before > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND spend_usd_before > 0
                ORDER BY spend_usd_before DESC, key
            )
        END AS spend_rank_before,
        CASE
            WHEN kind = 'key' AND users_before > 0
            THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND users_before > 0
                ORDER BY users_before DESC, key
            )
        END AS users_rank_before,
        max(CASE WHEN kind = 'total' THEN tokens END) OVER of_window AS total_tokens,
        max(CASE WHEN kind = 'total' THEN requests END) OVER of_window AS total_requests,
        max(CASE WHEN kind = 'total' THEN spend_usd END) OVER of_window AS total_spend_usd,
        max(CASE WHEN kind = 'total' THEN users END) OVER of_window AS total_users,
        max(CASE WHEN kind = 'total' THEN tokens_before END) OVER of_window AS total_tokens_before,
        max(CASE WHEN kind = 'total' THEN requests_before END) OVER of_window AS total_requests_before,
        max(CASE WHEN kind = 'total' THEN spend_usd_before END) OVER of_window AS total_spend_usd_before
    FROM spread AS known
    WINDOW of_window AS (PARTITION BY end_date, window_days)
),
reasoned AS (
    SELECT
        placed.*,
        CASE
            WHEN NOT has_before THEN 'no_history'
            WHEN was_hidden THEN 'hidden_before'
            -- What rounds to nothing was there.
            WHEN requests_before = 0 THEN CASE WHEN was_rounded THEN 'below_guard' ELSE 'new' END
            WHEN least(requests, requests_before) < growth_requests THEN 'below_guard'
        END AS change_reason,
        CASE
            WHEN kind = 'hidden' THEN 'private'
            WHEN dimension <> 'model_provider' AND users IS NULL THEN 'not_enough'
        END AS users_reason
    FROM placed
    WHERE is_shown
),
changed AS (
    SELECT
        reasoned.*,
        coalesce(change_reason, CASE WHEN tokens_before = 0 THEN 'not_enough' END) AS tokens_change_reason,
        coalesce(
            change_reason,
            CASE
                WHEN spend_usd IS NULL OR spend_usd_before IS NULL THEN 'unpriced'
                WHEN spend_usd_before = 0 THEN 'not_enough'
            END
        ) AS spend_change_reason,
        CASE
            WHEN kind = 'hidden' THEN 'private'
            WHEN dimension = 'model_provider' THEN NULL
            ELSE coalesce(
                change_reason,
                CASE WHEN users IS NULL OR coalesce(users_before, 0) = 0 THEN 'not_enough' END
            )
        END AS users_change_reason
    FROM reasoned
)
SELECT
    CAST(date_trunc('month', changed.end_date) AS date) AS month,
    changed.end_date,
    changed.window_days,
    changed.is_partial,
    changed.dimension,
    changed.key,
    changed.kind,
    names.model,
    names.variant,
    names.author,
    names.provider,
    names.display_name,
    changed.tokens,
    changed.requests,
    changed.spend_usd,
    CASE WHEN changed.spend_usd IS NULL THEN 'unpriced' END AS spend_reason,
    changed.unserved_spend_usd,
    CASE WHEN changed.unserved_spend_usd IS NULL THEN 'no_history' END AS unserved_spend_reason,
    changed.users,
    changed.users_reason,
    CAST(changed.tokens AS double) / nullif(CAST(changed.total_tokens AS double), 0) AS tokens_share,
    CAST(changed.requests AS double) / nullif(CAST(changed.total_requests AS double), 0) AS requests_share,
    CAST(changed.spend_usd AS double) / nullif(CAST(changed.total_spend_usd AS double), 0) AS spend_share,
    CAST(changed.users AS double) / nullif(CAST(changed.total_users AS double), 0) AS users_share,
    changed.tokens_rank,
    changed.requests_rank,
    changed.spend_rank,
    changed.users_rank,
    changed.tokens_before,
    changed.requests_before,
    changed.spend_usd_before,
    changed.users_before,
    CAST(changed.tokens_before AS double) / nullif(CAST(changed.total_tokens_before AS double), 0)
        AS tokens_share_before,
    CAST(changed.requests_before AS double) / nullif(CAST(changed.total_requests_before AS double), 0)
        AS requests_share_before,
    CAST(changed.spend_usd_before AS double) / nullif(CAST(changed.total_spend_usd_before AS double), 0)
        AS spend_share_before,
    changed.tokens_rank_before,
    changed.requests_rank_before,
    changed.spend_rank_before,
    changed.users_rank_before,
    CASE
        WHEN changed.tokens_change_reason IS NULL
        THEN CAST(changed.tokens AS double) / CAST(changed.tokens_before AS double) - 1
    END AS tokens_change,
    changed.tokens_change_reason,
    CASE
        WHEN changed.change_reason IS NULL
        THEN CAST(changed.requests AS double) / CAST(changed.requests_before AS double) - 1
    END AS requests_change,
    changed.change_reason AS requests_change_reason,
    CASE
        WHEN changed.spend_change_reason IS NULL
        THEN CAST(changed.spend_usd AS double) / CAST(changed.spend_usd_before AS double) - 1
    END AS spend_change,
    changed.spend_change_reason,
    CASE
        WHEN changed.users_change_reason IS NULL
        THEN CAST(changed.users AS double) / CAST(changed.users_before AS double) - 1
    END AS users_change,
    changed.users_change_reason,
    changed.tokens_excess,
    CASE
        WHEN NOT changed.has_three_before THEN 'no_history'
        WHEN changed.was_hidden_in_three THEN 'hidden_before'
    END AS tokens_excess_reason,
    changed.effective_price,
    CASE WHEN changed.effective_price IS NULL THEN 'unpriced' END AS effective_price_reason,
    CASE
        WHEN changed.dimension = 'model' AND changed.kind = 'key' AND changed.providers_priced >= 2
        THEN changed.providers_spread
    END AS price_spread,
    CASE
        WHEN changed.dimension = 'model' AND changed.kind = 'key' AND changed.providers_priced < 2 THEN 'not_enough'
    END AS price_spread_reason,
    CAST(changed.cached_input_tokens AS double) / nullif(CAST(changed.input_tokens AS double), 0) AS cache_hit_rate,
    CAST(changed.requests_with_user AS double) / nullif(CAST(changed.requests AS double), 0) AS requests_with_user_share,
    CAST(changed.unpriced_requests AS double) / nullif(CAST(changed.requests AS double), 0) AS unpriced_requests_share
FROM changed
JOIN names
    ON names.dimension = changed.dimension
    AND names.kind = changed.kind
    AND names.key = changed.key
ORDER BY changed.end_date, changed.window_days, changed.dimension, changed.tokens_rank, changed.kind, changed.key
