-- The 65 complete minutes up to the watermark.
WITH minutes AS (
    SELECT
        unnest(generate_series(
            date_trunc('minute', watermark()) - INTERVAL '65 minutes',
            date_trunc('minute', watermark()) - INTERVAL '1 minute',
            INTERVAL '1 minute'
        )) AS minute_at
),

calls AS (
    -- Said of the watermark alone, so that no file is opened whose calls had begun before.
    SELECT
        date_trunc('minute', started_at) AS minute_at,
        is_success(outcome, output_tokens, ttft_ms) AS is_served,
        NOT gateway_cache_hit AS is_attempt,
        outcome,
        input_tokens,
        output_tokens,
        cost_usd
    FROM attempts
    WHERE
        event_date BETWEEN CAST(watermark() - INTERVAL '66 minutes' AS date) AND CAST(watermark() AS date)
        AND started_at >= date_trunc('minute', watermark()) - INTERVAL '65 minutes'
        AND started_at < date_trunc('minute', watermark())
),

sums AS (
    -- Wide, because sums of 64 bits wrap silently: what does not fit in the end is an error.
    SELECT
        minute_at,
        count(*) FILTER (WHERE is_served) AS requests,
        sum(CAST(input_tokens AS decimal(38, 0))) FILTER (WHERE is_served) AS input_tokens,
        sum(CAST(output_tokens AS decimal(38, 0))) FILTER (WHERE is_served) AS output_tokens,
        sum(cost_usd) AS spend_usd,
        count(*) FILTER (WHERE is_served AND cost_usd IS NULL) AS unpriced_requests,
        count(*) FILTER (WHERE is_attempt) AS attempts,
        count(*) FILTER (WHERE is_attempt AND (is_served OR outcome = 'fault')) AS counted,
        count(*) FILTER (WHERE is_attempt AND is_served) AS success,
        count(*) FILTER (WHERE is_attempt AND outcome = 'rate_limited') AS rate_limited
    FROM calls
    GROUP BY minute_at
)

SELECT
    minutes.minute_at,
    coalesce(requests, 0) AS requests,
    coalesce(input_tokens, 0) AS input_tokens,
    coalesce(output_tokens, 0) AS output_tokens,
    coalesce(spend_usd, 0) AS spend_usd,
    coalesce(unpriced_requests, 0) AS unpriced_requests,
    coalesce(attempts, 0) AS attempts,
    coalesce(counted, 0) AS counted,
    coalesce(success, 0) AS success,
    coalesce(rate_limited, 0) AS rate_limited
FROM minutes
LEFT JOIN sums ON sums.minute_at = minutes.minute_at
ORDER BY minutes.minute_at
