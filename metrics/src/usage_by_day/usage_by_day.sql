-- Rows of `usage_by_day` for the dates $1 to $2.
WITH sums AS (
    -- Wide, because sums of 64 bits wrap silently: what does not fit in the end is an error.
    SELECT
        date,
        dimension,
        kind,
        key,
        max(model) AS model,
        max(variant) AS variant,
        max(author) AS author,
        max(provider) AS provider,
        sum(cost_usd) AS spend_usd,
        CASE WHEN count(unserved_cost_usd) = count(*) THEN sum(unserved_cost_usd) END AS unserved_spend_usd,
        sum(CAST(requests AS decimal(38, 0))) AS requests,
        sum(CAST(gateway_cache_hits AS decimal(38, 0))) AS gateway_cache_hits,
        sum(CAST(streamed_requests AS decimal(38, 0))) AS streamed_requests,
        sum(CAST(requests_with_user AS decimal(38, 0))) AS requests_with_user,
        sum(CAST(input_tokens AS decimal(38, 0))) AS input_tokens,
        sum(CAST(cached_input_tokens AS decimal(38, 0))) AS cached_input_tokens,
        sum(CAST(cache_write_tokens AS decimal(38, 0))) AS cache_write_tokens,
        sum(CAST(output_tokens AS decimal(38, 0))) AS output_tokens,
        sum(CAST(reasoning_tokens AS decimal(38, 0))) AS reasoning_tokens,
        sum(CAST(unpriced_requests AS decimal(38, 0))) AS unpriced_requests,
        sum(CAST(unpriced_tokens AS decimal(38, 0))) AS unpriced_tokens,
        sum(CAST(input_images AS decimal(38, 0))) AS input_images,
        sum(CAST(input_audio AS decimal(38, 0))) AS input_audio,
        sum(CAST(input_video AS decimal(38, 0))) AS input_video,
        sum(CAST(output_images AS decimal(38, 0))) AS output_images,
        sum(CAST(tool_calls AS decimal(38, 0))) AS tool_calls,
        sum(CAST(web_searches AS decimal(38, 0))) AS web_searches,
        sum(CAST(requests_image_in AS decimal(38, 0))) AS requests_image_in,
        sum(CAST(requests_image_out AS decimal(38, 0))) AS requests_image_out,
        sum(CAST(requests_audio_in AS decimal(38, 0))) AS requests_audio_in,
        sum(CAST(requests_tool_call AS decimal(38, 0))) AS requests_tool_call,
        sum(CAST(context_1k AS decimal(38, 0))) AS context_1k,
        sum(CAST(context_10k AS decimal(38, 0))) AS context_10k,
        sum(CAST(context_100k AS decimal(38, 0))) AS context_100k,
        sum(CAST(context_1m AS decimal(38, 0))) AS context_1m,
        sum(CAST(context_10m AS decimal(38, 0))) AS context_10m,
        sum(CAST(context_over_10m AS decimal(38, 0))) AS context_over_10m
    FROM keyed_cells
    WHERE date BETWEEN $1 AND $2
    GROUP BY date, dimension, kind, key
)
SELECT
    CAST(date_trunc('month', sums.date) AS date) AS month,
    sums.date,
    sums.dimension,
    sums.key,
    sums.kind,
    sums.model,
    sums.variant,
    sums.author,
    sums.provider,
    CASE
        WHEN sums.kind = 'total' THEN 'All'
        WHEN sums.kind = 'hidden' THEN 'Hidden'
        WHEN sums.kind = 'unmapped' THEN 'Unmapped'
        WHEN sums.kind = 'none' THEN 'No provider'
        WHEN sums.dimension = 'author' THEN coalesce(catalogue_authors.name, sums.key)
        WHEN sums.dimension = 'provider' THEN coalesce(catalogue_providers.name, sums.key)
        WHEN sums.dimension = 'variant' AND sums.variant <> 'standard'
        THEN coalesce(catalogue_models.name, sums.model) || ' (' || sums.variant || ')'
        WHEN sums.dimension = 'model_provider'
        THEN coalesce(catalogue_models.name, sums.model) || ' at ' || coalesce(catalogue_providers.name, sums.provider)
        ELSE coalesce(catalogue_models.name, sums.key)
    END AS display_name,
    sums.date >= terms.today AS is_partial,
    sums.input_tokens + sums.output_tokens AS tokens,
    sums.spend_usd,
    sums.requests,
    sums.gateway_cache_hits,
    sums.streamed_requests,
    sums.requests_with_user,
    sums.input_tokens,
    sums.cached_input_tokens,
    sums.cache_write_tokens,
    sums.output_tokens,
    sums.reasoning_tokens,
    sums.unpriced_requests,
    sums.unpriced_tokens,
    sums.input_images,
    sums.input_audio,
    sums.input_video,
    sums.output_images,
    sums.tool_calls,
    sums.web_searches,
    sums.requests_image_in,
    sums.requests_image_out,
    sums.requests_audio_in,
    sums.requests_tool_call,
    sums.context_1k,
    sums.context_10k,
    sums.context_100k,
    sums.context_1m,
    sums.context_10m,
    sums.context_over_10m,
    sums.unserved_spend_usd,
    CASE WHEN sums.unserved_spend_usd IS NULL THEN 'no_history' END AS unserved_spend_reason
FROM terms
CROSS JOIN sums
LEFT JOIN catalogue_models ON catalogue_models.model_id = sums.model
LEFT JOIN catalogue_authors ON catalogue_authors.author = sums.author
LEFT JOIN catalogue_providers ON catalogue_providers.provider_id = sums.provider
ORDER BY sums.date, sums.dimension, sums.kind, sums.key
