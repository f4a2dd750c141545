-- What `requests.rs` must come to, said once more in SQL: attempts → what fallback routing added, by hour and
-- model of the first attempt, for dates in [$1, $2]. `attempts` also holds the dates on either side; of those
-- only the hours from $3 to before $4 are read, for requests that cross midnight.
WITH
-- What routing asks of one attempt.
attempt AS (
    SELECT
        event_date,
        coalesce(request_id, event_id) AS request_id,
        event_id,
        attempt,
        started_at,
        model_id,
        author,
        -- Answered by the router itself, for better or worse: says nothing about a provider.
        outcome = 'gateway_error' OR gateway_cache_hit AS by_gateway,
        outcome = 'ok' OR (outcome = 'cancelled' AND (output_tokens >= 1 OR ttft_ms IS NOT NULL)) AS success,
        outcome = 'fault' AS fault,
        outcome = 'rate_limited' AS rate_limited,
        attempt = 0 AND is_final AS alone
    FROM attempts
),

-- One record told the whole request: nothing to bring together.
single AS (
    SELECT
        started_at,
        model_id,
        author,
        1 AS attempts,
        by_gateway,
        success,
        fault,
        rate_limited,
        success AS final_success
    FROM attempt
    WHERE alone AND event_date BETWEEN $1 AND $2
),

-- The attempts of the other requests in order; the last one is what the caller saw.
chain AS (
    SELECT
        min(started_at) AS started_at,
        first_value(model_id ORDER BY started_at, attempt, event_id) AS model_id,
        first_value(author ORDER BY started_at, attempt, event_id) AS author,
        count(*) AS attempts,
        first_value(by_gateway ORDER BY started_at, attempt, event_id) AS by_gateway,
        first_value(success ORDER BY started_at, attempt, event_id) AS success,
        first_value(fault ORDER BY started_at, attempt, event_id) AS fault,
        first_value(rate_limited ORDER BY started_at, attempt, event_id) AS rate_limited,
        last_value(success ORDER BY started_at, attempt, event_id) AS final_success
    FROM attempt
    WHERE alone IS NOT TRUE AND started_at >= $3 AND started_at < $4
    GROUP BY request_id
),

request AS (
    SELECT * FROM single
    UNION ALL
    SELECT * FROM chain WHERE CAST(started_at AS date) BETWEEN $1 AND $2
)

SELECT
    CAST(date_trunc('hour', started_at) AS date) AS date,
    date_trunc('hour', started_at) AS hour,
    model_id,
    author,
    count(*) AS all_requests,
    sum(attempts) AS attempts,
    count(*) FILTER (WHERE success OR fault) AS requests,
    count(*) FILTER (WHERE (success OR fault) AND final_success) AS routed_ok,
    count(*) FILTER (WHERE success) AS first_ok,
    count(*) FILTER (WHERE success OR fault OR rate_limited) AS requests_with_rate_limits,
    count(*) FILTER (WHERE (success OR fault OR rate_limited) AND final_success) AS routed_ok_with_rate_limits,
    count(*) FILTER (WHERE success) AS first_ok_with_rate_limits
FROM request
WHERE NOT by_gateway
GROUP BY date_trunc('hour', started_at), model_id, author
ORDER BY hour, model_id, author
