-- One row per API call: its attempts in order of (started_at, attempt); the last one is final.
-- An attempt that names no request is a request of its own.
SELECT
    coalesce(request_id, event_id) AS request_id,
    first_value(event_date ORDER BY started_at, attempt, event_id) AS event_date,
    min(started_at) AS started_at,
    first_value(session_id ORDER BY started_at, attempt, event_id) AS session_id,
    first_value(requested_model ORDER BY started_at, attempt, event_id) AS requested_model,
    first_value(model_id ORDER BY started_at, attempt, event_id) AS model_id,
    first_value(provider_id ORDER BY started_at, attempt, event_id) AS provider_id,
    last_value(model_id ORDER BY started_at, attempt, event_id) AS final_model_id,
    last_value(provider_id ORDER BY started_at, attempt, event_id) AS final_provider_id,
    count(*) AS attempts,
    first_value(outcome ORDER BY started_at, attempt, event_id) AS first_outcome,
    last_value(outcome ORDER BY started_at, attempt, event_id) AS final_outcome,
    last_value(error_class ORDER BY started_at, attempt, event_id) AS final_error_class,
    last_value(is_success(outcome, output_tokens, ttft_ms) ORDER BY started_at, attempt, event_id) AS served,
    last_value(input_tokens ORDER BY started_at, attempt, event_id) AS input_tokens,
    last_value(output_tokens ORDER BY started_at, attempt, event_id) AS output_tokens,
    last_value(cost_usd ORDER BY started_at, attempt, event_id) AS cost_usd,
    sum(duration_ms) AS duration_ms
FROM attempts
GROUP BY coalesce(request_id, event_id)
