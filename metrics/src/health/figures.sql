-- Goes on after `named`: the columns that every health table has.
,

judged AS (
    SELECT
        named.*,
        success + client_error AS answered,
        terms.speed_requests AS least_samples,
        CASE WHEN ends_at IS NULL THEN date >= terms.today ELSE ends_at > terms.watermark END AS is_partial,
        -- Behind a band of 0 there is no share either: it would tell how few there are.
        CASE WHEN counts_are_bands THEN greatest(terms.counted_attempts, 1) ELSE 1 END AS least_for_rate,
        CASE WHEN counted >= greatest(terms.counted_attempts, 1) THEN rate(success, counted, counts_are_bands) END AS uptime,
        CASE
            WHEN has_before AND counted_before >= greatest(terms.counted_attempts, 1)
                THEN rate(success_before, counted_before, counts_are_bands)
        END AS uptime_before,
        CASE
            WHEN NOT has_before THEN 'no_history'
            WHEN coalesce(counted_before, 0) < greatest(terms.counted_attempts, 1) THEN 'not_enough'
        END AS uptime_before_reason
    FROM terms
    CROSS JOIN named
),

figures AS (
    SELECT
        CAST(date_trunc('month', date) AS date) AS month,
        date,
        starts_at,
        ends_at,
        span,
        history_days,
        is_partial,
        dimension,
        key,
        'key' AS kind,
        nullif(model, '') AS model,
        nullif(variant, '') AS variant,
        nullif(author, '') AS author,
        nullif(provider, '') AS provider,
        nullif(endpoint, '') AS endpoint,
        nullif(region, '') AS region,
        CASE dimension
            WHEN 'model' THEN model_name
            WHEN 'provider' THEN provider_name
            WHEN 'model_provider' THEN model_name || ' at ' || provider_name
            ELSE
                model_name
                || CASE WHEN variant = 'standard' THEN '' ELSE ' (' || variant || ')' END
                || ' at ' || provider_name
                || CASE WHEN region = '' THEN '' ELSE ', ' || region END
        END AS display_name,
        counts_are_bands,
        band(attempts, counts_are_bands) AS attempts,
        band(counted, counts_are_bands) AS counted,
        band(success, counts_are_bands) AS success,
        band(fault, counts_are_bands) AS fault,
        band(rate_limited, counts_are_bands) AS rate_limited,
        band(client_error, counts_are_bands) AS client_error,
        band(cancelled, counts_are_bands) AS cancelled,
        band(gateway_error, counts_are_bands) AS gateway_error,
        band(fault_auth, counts_are_bands) AS fault_auth,
        band(fault_payment, counts_are_bands) AS fault_payment,
        band(fault_not_found, counts_are_bands) AS fault_not_found,
        band(fault_timeout, counts_are_bands) AS fault_timeout,
        band(fault_connection, counts_are_bands) AS fault_connection,
        band(fault_overloaded, counts_are_bands) AS fault_overloaded,
        band(fault_server_error, counts_are_bands) AS fault_server_error,
        band(fault_stream_error, counts_are_bands) AS fault_stream_error,
        band(fault_error_finish, counts_are_bands) AS fault_error_finish,
        band(client_bad_request, counts_are_bands) AS client_bad_request,
        band(client_context_length, counts_are_bands) AS client_context_length,
        band(client_content_policy, counts_are_bands) AS client_content_policy,
        band(client_too_large, counts_are_bands) AS client_too_large,
        band(client_geo, counts_are_bands) AS client_geo,
        band(client_unsupported, counts_are_bands) AS client_unsupported,
        band(tool_finishes, counts_are_bands) AS tool_finishes,
        band(tool_error_requests, counts_are_bands) AS tool_error_requests,
        band(prose_instead_of_call, counts_are_bands) AS prose_instead_of_call,
        band(structured_requested, counts_are_bands) AS structured_requested,
        band(structured_invalid, counts_are_bands) AS structured_invalid,
        band(refused, counts_are_bands) AS refused,
        band(content_filtered, counts_are_bands) AS content_filtered,
        uptime,
        CASE WHEN uptime IS NULL THEN 'not_enough' END AS uptime_reason,
        uptime_before,
        uptime_before_reason,
        -- Of rates in tenths of a point, tenths of a point.
        CASE
            WHEN counts_are_bands THEN round((uptime - uptime_before) * 1000) / 10
            ELSE (uptime - uptime_before) * 100
        END AS uptime_delta_points,
        coalesce(uptime_before_reason, CASE WHEN uptime IS NULL THEN 'not_enough' END) AS uptime_delta_points_reason,
        CASE WHEN attempts >= least_for_rate THEN rate(rate_limited, attempts, counts_are_bands) END AS rate_limit_rate,
        CASE WHEN attempts < least_for_rate THEN 'not_enough' END AS rate_limit_rate_reason,
        CASE WHEN attempts >= least_for_rate THEN rate(cancelled, attempts, counts_are_bands) END AS cancel_rate,
        CASE WHEN attempts < least_for_rate THEN 'not_enough' END AS cancel_rate_reason,
        CASE WHEN tool_finishes >= least_for_rate THEN rate(tool_error_requests, tool_finishes, counts_are_bands) END AS tool_error_rate,
        CASE WHEN tool_finishes < least_for_rate THEN 'not_enough' END AS tool_error_rate_reason,
        CASE WHEN structured_requested >= least_for_rate THEN rate(structured_invalid, structured_requested, counts_are_bands) END AS structured_invalid_rate,
        CASE WHEN structured_requested < least_for_rate THEN 'not_enough' END AS structured_invalid_rate_reason,
        CASE WHEN answered >= least_for_rate THEN rate(refused, answered, counts_are_bands) END AS refusal_rate,
        CASE WHEN answered < least_for_rate THEN 'not_enough' END AS refusal_rate_reason,
        CASE WHEN answered >= least_for_rate THEN rate(content_filtered, answered, counts_are_bands) END AS content_filter_rate,
        CASE WHEN answered < least_for_rate THEN 'not_enough' END AS content_filter_rate_reason,
        CASE WHEN NOT counts_are_bands THEN billed_output_tokens_cancelled END AS billed_output_tokens_cancelled,
        CASE WHEN counts_are_bands THEN 'private' END AS billed_output_tokens_cancelled_reason,
        least_samples,
        ttft_ms,
        duration_ms,
        tokens_per_s_e2e,
        tokens_per_s_decode,
        overhead_us
    FROM judged
)
