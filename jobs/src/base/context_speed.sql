-- What `base` must come to by the length of prompts, said once more in SQL.
WITH
-- Attempts at a provider, and the bucket of their input tokens.
attempt AS (
    SELECT
        *,
        CASE
            WHEN input_tokens <= 1000 THEN 1000
            WHEN input_tokens <= 10000 THEN 10000
            WHEN input_tokens <= 100000 THEN 100000
            WHEN input_tokens <= 1000000 THEN 1000000
            WHEN input_tokens <= 10000000 THEN 10000000
            ELSE 100000000
        END AS context_bucket,
        streamed AND ttft_ms IS NOT NULL
            AND (outcome = 'ok' OR (outcome = 'cancelled')) AS has_ttft,
        outcome = 'ok' AND output_tokens >= 1 AND duration_ms > 0 AS has_e2e,
        streamed AND outcome = 'ok' AND output_tokens >= 20 AND duration_ms > ttft_ms AS has_decode
    FROM attempts
    WHERE NOT gateway_cache_hit AND input_tokens IS NOT NULL
)

SELECT
    CAST(started_at AS date) AS date,
    model_id,
    author,
    provider_id,
    context_bucket,
    count(*) AS attempts,
    ddsketch(ttft_ms) FILTER (WHERE has_ttft) AS ttft_ms,
    ddsketch(output_tokens / (duration_ms / 1000.0)) FILTER (WHERE has_e2e) AS tokens_per_s_e2e,
    ddsketch((output_tokens - 1) / ((duration_ms - ttft_ms) / 1000.0)) FILTER (WHERE has_decode)
        AS tokens_per_s_decode
FROM attempt
WHERE has_ttft OR has_e2e OR has_decode
GROUP BY 1, 2, 3, 4, 5
