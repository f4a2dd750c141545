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
),
named AS (
    -- Who may be named with few users is, beside models of many; what passed between the two is told roughly.
    SELECT sums.*, sums.dimension = 'model_provider' AND sums.kind = 'key' AND terms.users > 0 AS is_rounded
    FROM sums
    CROSS JOIN terms
),
beside AS (
    -- A model at one provider beside what either of the two has, which is told in full: beside the less, so that the parts of a
    -- small provider of large models are told as well as those of a small model.
    SELECT
        named.*,
        least(models.spend_usd, providers.spend_usd) AS whole_spend_usd,
        least(models.requests, providers.requests) AS whole_requests,
        least(models.input_tokens, providers.input_tokens) AS whole_input_tokens,
        least(models.output_tokens, providers.output_tokens) AS whole_output_tokens,
        least(models.input_images, providers.input_images) AS whole_input_images,
        least(models.input_audio, providers.input_audio) AS whole_input_audio,
        least(models.input_video, providers.input_video) AS whole_input_video,
        least(models.output_images, providers.output_images) AS whole_output_images,
        least(models.tool_calls, providers.tool_calls) AS whole_tool_calls,
        least(models.web_searches, providers.web_searches) AS whole_web_searches
    FROM named
    LEFT JOIN sums AS models
        ON named.is_rounded
        AND models.dimension = 'model'
        AND models.kind = 'key'
        AND models.date = named.date
        AND models.key = named.model
    LEFT JOIN sums AS providers
        ON named.is_rounded
        AND providers.dimension = 'provider'
        AND providers.kind = 'key'
        AND providers.date = named.date
        AND providers.key = named.provider
),
shared AS (
    SELECT
        *,
        usd_in_percents(spend_usd, whole_spend_usd, whole_spend_usd, is_rounded) AS told_spend_usd,
        in_percents(requests, whole_requests, whole_requests, is_rounded) AS told_requests,
        in_percents(input_tokens, whole_input_tokens, whole_input_tokens, is_rounded) AS told_input_tokens,
        in_percents(output_tokens, whole_output_tokens, whole_output_tokens, is_rounded) AS told_output_tokens,
        in_percents(input_images, whole_input_images, whole_input_images, is_rounded) AS told_input_images,
        in_percents(input_audio, whole_input_audio, whole_input_audio, is_rounded) AS told_input_audio,
        in_percents(input_video, whole_input_video, whole_input_video, is_rounded) AS told_input_video,
        in_percents(output_images, whole_output_images, whole_output_images, is_rounded) AS told_output_images,
        in_percents(tool_calls, whole_tool_calls, whole_tool_calls, is_rounded) AS told_tool_calls,
        in_percents(web_searches, whole_web_searches, whole_web_searches, is_rounded) AS told_web_searches
    FROM beside
),
told AS (
    -- What is a part of another amount of its row, as a part of what is told of that.
    SELECT
        date,
        dimension,
        kind,
        key,
        model,
        variant,
        author,
        provider,
        is_rounded,
        told_spend_usd AS spend_usd,
        usd_in_percents(unserved_spend_usd, spend_usd, told_spend_usd, is_rounded) AS unserved_spend_usd,
        told_input_tokens + told_output_tokens AS tokens,
        told_requests AS requests,
        in_percents(gateway_cache_hits, requests, told_requests, is_rounded) AS gateway_cache_hits,
        in_percents(streamed_requests, requests, told_requests, is_rounded) AS streamed_requests,
        in_percents(requests_with_user, requests, told_requests, is_rounded) AS requests_with_user,
        told_input_tokens AS input_tokens,
        in_percents(cached_input_tokens, input_tokens, told_input_tokens, is_rounded) AS cached_input_tokens,
        in_percents(cache_write_tokens, input_tokens, told_input_tokens, is_rounded) AS cache_write_tokens,
        told_output_tokens AS output_tokens,
        in_percents(reasoning_tokens, output_tokens, told_output_tokens, is_rounded) AS reasoning_tokens,
        in_percents(unpriced_requests, requests, told_requests, is_rounded) AS unpriced_requests,
        in_percents(
            unpriced_tokens,
            input_tokens + output_tokens,
            told_input_tokens + told_output_tokens,
            is_rounded
        ) AS unpriced_tokens,
        told_input_images AS input_images,
        told_input_audio AS input_audio,
        told_input_video AS input_video,
        told_output_images AS output_images,
        told_tool_calls AS tool_calls,
        told_web_searches AS web_searches,
        in_percents(requests_image_in, requests, told_requests, is_rounded) AS requests_image_in,
        in_percents(requests_image_out, requests, told_requests, is_rounded) AS requests_image_out,
        in_percents(requests_audio_in, requests, told_requests, is_rounded) AS requests_audio_in,
        in_percents(requests_tool_call, requests, told_requests, is_rounded) AS requests_tool_call,
        in_percents(context_1k, requests, told_requests, is_rounded) AS context_1k,
        in_percents(context_10k, requests, told_requests, is_rounded) AS context_10k,
        in_percents(context_100k, requests, told_requests, is_rounded) AS context_100k,
        in_percents(context_1m, requests, told_requests, is_rounded) AS context_1m,
        in_percents(context_10m, requests, told_requests, is_rounded) AS context_10m,
        in_percents(context_over_10m, requests, told_requests, is_rounded) AS context_over_10m
    FROM shared
)
SELECT
    CAST(date_trunc('month', told.date) AS date) AS month,
    told.date,
    told.dimension,
    told.key,
    told.kind,
    told.model,
    told.variant,
    told.author,
    told.provider,
    CASE
        WHEN told.kind = 'total' THEN 'All'
        WHEN told.kind = 'hidden' THEN 'Hidden'
        WHEN told.kind = 'unmapped' THEN 'Unmapped'
        WHEN told.kind = 'none' THEN 'No provider'
        WHEN told.dimension = 'author' THEN coalesce(catalogue_authors.name, told.key)
        WHEN told.dimension = 'provider' THEN coalesce(catalogue_providers.name, told.key)
        WHEN told.dimension = 'variant' AND told.variant <> 'standard'
        THEN coalesce(catalogue_models.name, told.model) || ' (' || told.variant || ')'
        WHEN told.dimension = 'model_provider'
        THEN coalesce(catalogue_models.name, told.model) || ' at ' || coalesce(catalogue_providers.name, told.provider)
        ELSE coalesce(catalogue_models.name, told.key)
    END AS display_name,
    told.date >= terms.today AS is_partial,
    told.tokens,
    told.spend_usd,
    told.requests,
    told.gateway_cache_hits,
    told.streamed_requests,
    told.requests_with_user,
    told.input_tokens,
    told.cached_input_tokens,
    told.cache_write_tokens,
    told.output_tokens,
    told.reasoning_tokens,
    told.unpriced_requests,
    told.unpriced_tokens,
    told.input_images,
    told.input_audio,
    told.input_video,
    told.output_images,
    told.tool_calls,
    told.web_searches,
    told.requests_image_in,
    told.requests_image_out,
    told.requests_audio_in,
    told.requests_tool_call,
    told.context_1k,
    told.context_10k,
    told.context_100k,
    told.context_1m,
    told.context_10m,
    told.context_over_10m,
    told.unserved_spend_usd,
    CASE WHEN told.unserved_spend_usd IS NULL THEN 'no_history' END AS unserved_spend_reason,
    told.is_rounded
FROM terms
CROSS JOIN told
LEFT JOIN catalogue_models ON catalogue_models.model_id = told.model
LEFT JOIN catalogue_authors ON catalogue_authors.author = told.author
LEFT JOIN catalogue_providers ON catalogue_providers.provider_id = told.provider
ORDER BY told.date, told.dimension, told.kind, told.key
