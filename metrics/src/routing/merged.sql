-- Goes on after `cells`, rows of `routing_hourly` with the period that each belongs to (date, starts_at, ends_at, span), `part`, the
-- rows of `health_cells` of those days, and `best`, the best provider of each period and model.
,

decided AS (
    -- A model is public on a day when all of its variants that were called are.
    SELECT date, model, bool_and(variant_is_public) AS is_public
    FROM part
    GROUP BY date, model
),

placed AS (
    -- Each row twice: of its model, and of everything. What has no model is in everything alone.
    SELECT cells.*, dimension, CASE WHEN dimension = 'model' THEN model_id END AS model
    FROM (VALUES ('model'), ('total')) AS dimensions (dimension)
    CROSS JOIN cells
    WHERE dimension = 'total' OR model_id IS NOT NULL
),

merged AS (
    SELECT
        placed.date,
        starts_at,
        ends_at,
        span,
        dimension,
        placed.model,
        -- Of everything nobody's use can be told.
        bool_and(dimension = 'total' OR coalesce(decided.is_public, false)) AS is_public,
        sum(all_requests) AS all_requests,
        sum(attempts) AS attempts,
        sum(requests) AS requests,
        sum(routed_ok) AS routed_ok,
        sum(first_ok) AS first_ok,
        sum(requests_with_rate_limits) AS requests_with_rate_limits,
        sum(routed_ok_with_rate_limits) AS routed_ok_with_rate_limits,
        sum(first_ok_with_rate_limits) AS first_ok_with_rate_limits
    FROM placed
    LEFT JOIN decided ON decided.model = placed.model AND decided.date = placed.day
    GROUP BY placed.date, starts_at, ends_at, span, dimension, placed.model
),

named AS (
    SELECT
        merged.*,
        CASE WHEN ends_at IS NULL THEN merged.date >= today() ELSE ends_at > watermark() END AS is_partial,
        coalesce(catalogue_models.author, authors.author) AS author,
        coalesce(catalogue_models.name, nullif(split_part(merged.model, '/', 2), ''), merged.model, 'All') AS display_name,
        best.provider AS best_provider,
        coalesce(catalogue_providers.name, best.provider) AS best_provider_name,
        rate(best.success, best.counted, terms.users > 0) AS best_provider_uptime,
        -- Of a pair.
        band(best.counted, terms.users > 0) AS best_provider_counted,
        terms.users > 0 AND NOT is_public AS counts_are_bands,
        greatest(terms.counted_attempts, 1) AS least_counted,
        CASE WHEN terms.users > 0 AND NOT is_public THEN greatest(terms.counted_attempts, 1) ELSE 1 END
            AS least_for_rate
    FROM terms
    CROSS JOIN merged
    LEFT JOIN catalogue_models ON catalogue_models.model_id = merged.model
    LEFT JOIN (SELECT model_id, min(author) AS author FROM cells GROUP BY model_id) AS authors
        ON authors.model_id = merged.model
    LEFT JOIN best ON best.date = merged.date AND best.span = merged.span AND best.model = merged.model
    LEFT JOIN catalogue_providers ON catalogue_providers.provider_id = best.provider
    WHERE
        dimension = 'total'
        OR terms.has_raw_names
        OR coalesce(catalogue_models.author, authors.author) IS NOT NULL
),

shares AS (
    SELECT
        named.*,
        CASE WHEN all_requests >= least_for_rate THEN rate(attempts, all_requests, counts_are_bands) END
            AS attempts_per_request,
        CASE WHEN all_requests < least_for_rate THEN 'not_enough' END AS attempts_per_request_reason,
        CASE WHEN requests >= least_counted THEN rate(routed_ok, requests, counts_are_bands) END AS routed,
        CASE WHEN requests >= least_counted THEN rate(first_ok, requests, counts_are_bands) END
            AS without_routing,
        CASE WHEN requests < least_counted THEN 'not_enough' END AS boost_points_reason,
        CASE WHEN requests_with_rate_limits >= least_counted THEN rate(routed_ok_with_rate_limits, requests_with_rate_limits, counts_are_bands) END
            AS routed_with_rate_limits,
        CASE WHEN requests_with_rate_limits >= least_counted THEN rate(first_ok_with_rate_limits, requests_with_rate_limits, counts_are_bands) END
            AS without_routing_with_rate_limits,
        CASE WHEN requests_with_rate_limits < least_counted THEN 'not_enough' END
            AS boost_with_rate_limits_points_reason
    FROM named
)

SELECT
    CAST(date_trunc('month', date) AS date) AS month,
    date,
    date AS end_date,
    span AS window_days,
    starts_at AS hour,
    is_partial,
    dimension,
    coalesce(model, 'total') AS key,
    CASE dimension WHEN 'total' THEN 'total' ELSE 'key' END AS kind,
    model,
    author,
    display_name,
    counts_are_bands,
    band(all_requests, counts_are_bands) AS all_requests,
    band(attempts, counts_are_bands) AS attempts,
    band(requests, counts_are_bands) AS requests,
    band(routed_ok, counts_are_bands) AS routed_ok,
    band(first_ok, counts_are_bands) AS first_ok,
    band(requests_with_rate_limits, counts_are_bands) AS requests_with_rate_limits,
    band(routed_ok_with_rate_limits, counts_are_bands) AS routed_ok_with_rate_limits,
    band(first_ok_with_rate_limits, counts_are_bands) AS first_ok_with_rate_limits,
    attempts_per_request,
    attempts_per_request_reason,
    routed,
    boost_points_reason AS routed_reason,
    without_routing,
    boost_points_reason AS without_routing_reason,
    -- Of shares in tenths of a point, tenths of a point.
    CASE WHEN counts_are_bands THEN round((routed - without_routing) * 1000) / 10 ELSE (routed - without_routing) * 100 END
        AS boost_points,
    boost_points_reason,
    routed_with_rate_limits,
    boost_with_rate_limits_points_reason AS routed_with_rate_limits_reason,
    without_routing_with_rate_limits,
    boost_with_rate_limits_points_reason AS without_routing_with_rate_limits_reason,
    CASE
        WHEN counts_are_bands THEN round((routed_with_rate_limits - without_routing_with_rate_limits) * 1000) / 10
        ELSE (routed_with_rate_limits - without_routing_with_rate_limits) * 100
    END AS boost_with_rate_limits_points,
    boost_with_rate_limits_points_reason,
    best_provider,
    best_provider_name,
    best_provider_uptime,
    best_provider_counted,
    CASE WHEN dimension = 'model' AND best_provider IS NULL THEN 'not_enough' END AS best_provider_reason,
    CASE
        WHEN counts_are_bands THEN round((routed - best_provider_uptime) * 1000) / 10
        ELSE (routed - best_provider_uptime) * 100
    END AS boost_over_best_points,
    CASE WHEN dimension = 'model' AND (routed IS NULL OR best_provider_uptime IS NULL) THEN 'not_enough' END
        AS boost_over_best_points_reason
FROM shares
