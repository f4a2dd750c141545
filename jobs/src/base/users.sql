-- What `base` must come to for users of weeks and of models, said once more in SQL: finer than both, so that each is merged from
-- it. `week` and `month`: the dates under which their rows lie.
SELECT
    CAST(started_at AS date) AS date,
    CAST(date_trunc('week', started_at) AS date) AS week,
    CAST(date_trunc('month', started_at) AS date) AS month,
    user_key,
    model_id,
    author,
    variant,
    provider_id,
    hll(user_key) AS users,
    count(*) AS requests
FROM attempts
WHERE (outcome = 'ok' OR (outcome = 'cancelled' AND (output_tokens >= 1 OR ttft_ms IS NOT NULL)))
    AND user_key IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
