-- What `base` must come to by app and by country, said once more in SQL: finer than both, so that each is merged from it.
WITH
-- Served: ended well, or was cancelled after delivery had begun. Spend is of all attempts.
attempt AS (
    SELECT
        *,
        outcome = 'ok' OR (outcome = 'cancelled' AND (output_tokens >= 1 OR ttft_ms IS NOT NULL)) AS served
    FROM attempts
)

-- What no row knows adds nothing.
SELECT
    CAST(started_at AS date) AS date,
    app_id,
    country,
    model_id,
    author,
    variant,
    count(*) FILTER (WHERE served) AS requests,
    count(user_key) FILTER (WHERE served) AS requests_with_user,
    hll(user_key) FILTER (WHERE served) AS users,
    coalesce(sum(input_tokens) FILTER (WHERE served), 0) AS input_tokens,
    coalesce(sum(output_tokens) FILTER (WHERE served), 0) AS output_tokens,
    CAST(coalesce(sum(cost_usd), 0) AS decimal(38, 9)) AS cost_usd,
    count(*) FILTER (WHERE served AND cost_usd IS NULL) AS unpriced_requests,
    coalesce(
        sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) FILTER (WHERE served AND cost_usd IS NULL), 0
    ) AS unpriced_tokens
FROM attempt
GROUP BY 1, 2, 3, 4, 5, 6
