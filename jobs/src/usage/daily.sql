-- Rows of `usage_hourly` or partial rows of `usage_daily` → one row per date, model, variant and provider.
SELECT
    date,
    model_id,
    author,
    variant,
    provider_id,
    sum(requests) AS requests,
    sum(gateway_cache_hits) AS gateway_cache_hits,
    sum(streamed_requests) AS streamed_requests,
    sum(requests_with_user) AS requests_with_user,
    hll_merge(users) AS users,
    sum(input_tokens) AS input_tokens,
    sum(cached_input_tokens) AS cached_input_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(output_tokens) AS output_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(cost_usd) AS cost_usd,
    sum(unpriced_requests) AS unpriced_requests,
    sum(unpriced_tokens) AS unpriced_tokens,
    sum(input_images) AS input_images,
    sum(input_audio) AS input_audio,
    sum(input_video) AS input_video,
    sum(output_images) AS output_images,
    sum(tool_calls) AS tool_calls,
    sum(web_searches) AS web_searches,
    sum(requests_image_in) AS requests_image_in,
    sum(requests_image_out) AS requests_image_out,
    sum(requests_audio_in) AS requests_audio_in,
    sum(requests_tool_call) AS requests_tool_call,
    sum(context_1k) AS context_1k,
    sum(context_10k) AS context_10k,
    sum(context_100k) AS context_100k,
    sum(context_1m) AS context_1m,
    sum(context_10m) AS context_10m,
    sum(context_over_10m) AS context_over_10m
FROM part
GROUP BY date, model_id, author, variant, provider_id
-- A bucket in which nothing was served is no row.
HAVING sum(requests) > 0
ORDER BY date, model_id, author, variant, provider_id
