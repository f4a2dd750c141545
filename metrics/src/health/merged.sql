-- Goes on after `cells`: rows of `health_cells`, each with the period that it belongs to (date, starts_at, ends_at, span),
-- or of which it is in the equal period before (is_before), whether the history reaches that far back (has_before), and
-- how many days of the period it has (history_days).
,

endpoints AS (
    -- Partial rows merged: one row per period and endpoint.
    SELECT
        date,
        starts_at,
        ends_at,
        span,
        model,
        variant,
        author,
        provider,
        endpoint,
        region,
        bool_or(has_before) AS has_before,
        max(history_days) AS history_days,
        bool_and(provider_is_named) AS provider_is_named,
        bool_and(variant_is_public) AS variant_is_public,
        bool_and(provider_is_public) AS provider_is_public,
        sum(attempts) FILTER (WHERE NOT is_before) AS attempts,
        sum(ok) FILTER (WHERE NOT is_before) AS ok,
        sum(fault) FILTER (WHERE NOT is_before) AS fault,
        sum(rate_limited) FILTER (WHERE NOT is_before) AS rate_limited,
        sum(client_error) FILTER (WHERE NOT is_before) AS client_error,
        sum(cancelled) FILTER (WHERE NOT is_before) AS cancelled,
        sum(cancelled_delivered) FILTER (WHERE NOT is_before) AS cancelled_delivered,
        sum(gateway_error) FILTER (WHERE NOT is_before) AS gateway_error,
        sum(fault_auth) FILTER (WHERE NOT is_before) AS fault_auth,
        sum(fault_payment) FILTER (WHERE NOT is_before) AS fault_payment,
        sum(fault_not_found) FILTER (WHERE NOT is_before) AS fault_not_found,
        sum(fault_timeout) FILTER (WHERE NOT is_before) AS fault_timeout,
        sum(fault_connection) FILTER (WHERE NOT is_before) AS fault_connection,
        sum(fault_overloaded) FILTER (WHERE NOT is_before) AS fault_overloaded,
        sum(fault_server_error) FILTER (WHERE NOT is_before) AS fault_server_error,
        sum(fault_stream_error) FILTER (WHERE NOT is_before) AS fault_stream_error,
        sum(fault_error_finish) FILTER (WHERE NOT is_before) AS fault_error_finish,
        sum(client_bad_request) FILTER (WHERE NOT is_before) AS client_bad_request,
        sum(client_context_length) FILTER (WHERE NOT is_before) AS client_context_length,
        sum(client_content_policy) FILTER (WHERE NOT is_before) AS client_content_policy,
        sum(client_too_large) FILTER (WHERE NOT is_before) AS client_too_large,
        sum(client_geo) FILTER (WHERE NOT is_before) AS client_geo,
        sum(client_unsupported) FILTER (WHERE NOT is_before) AS client_unsupported,
        sum(tool_finishes) FILTER (WHERE NOT is_before) AS tool_finishes,
        sum(tool_error_requests) FILTER (WHERE NOT is_before) AS tool_error_requests,
        sum(prose_instead_of_call) FILTER (WHERE NOT is_before) AS prose_instead_of_call,
        sum(structured_requested) FILTER (WHERE NOT is_before) AS structured_requested,
        sum(structured_invalid) FILTER (WHERE NOT is_before) AS structured_invalid,
        sum(refused) FILTER (WHERE NOT is_before) AS refused,
        sum(content_filtered) FILTER (WHERE NOT is_before) AS content_filtered,
        sum(billed_output_tokens_cancelled) FILTER (WHERE NOT is_before) AS billed_output_tokens_cancelled,
        sum(ok + cancelled_delivered) FILTER (WHERE is_before) AS success_before,
        sum(ok + cancelled_delivered + fault) FILTER (WHERE is_before) AS counted_before,
        ddsketch_merge(ttft_ms) FILTER (WHERE NOT is_before) AS ttft_ms,
        ddsketch_merge(duration_ms) FILTER (WHERE NOT is_before) AS duration_ms,
        ddsketch_merge(tokens_per_s_e2e) FILTER (WHERE NOT is_before) AS tokens_per_s_e2e,
        ddsketch_merge(tokens_per_s_decode) FILTER (WHERE NOT is_before) AS tokens_per_s_decode,
        ddsketch_merge(overhead_us) FILTER (WHERE NOT is_before) AS overhead_us
    FROM cells
    GROUP BY date, starts_at, ends_at, span, model, variant, author, provider, endpoint, region
),

dimensioned AS (
    -- Each endpoint once for everything that it is part of, under the names that this has.
    SELECT
        endpoints.* EXCEPT (model, variant, author, provider, endpoint, region),
        dimension,
        CASE WHEN dimension = 'provider' THEN '' ELSE model END AS model,
        CASE WHEN dimension = 'endpoint' THEN variant ELSE '' END AS variant,
        CASE WHEN dimension = 'provider' THEN '' ELSE author END AS author,
        CASE WHEN dimension = 'model' THEN '' ELSE provider END AS provider,
        CASE WHEN dimension = 'endpoint' THEN endpoint ELSE '' END AS endpoint,
        CASE WHEN dimension = 'endpoint' THEN region ELSE '' END AS region
    FROM (VALUES ('endpoint'), ('model_provider'), ('provider'), ('model')) AS dimensions (dimension)
    CROSS JOIN endpoints
    -- A call that never reached a provider is its model's alone, one without a model its provider's.
    WHERE (dimension = 'provider' OR model <> '') AND (dimension = 'model' OR provider_is_named)
),

merged AS (
    SELECT
        date,
        starts_at,
        ends_at,
        span,
        dimension,
        model,
        variant,
        author,
        provider,
        endpoint,
        region,
        bool_or(has_before) AS has_before,
        max(history_days) AS history_days,
        bool_and(variant_is_public) AS variant_is_public,
        bool_and(provider_is_public) AS provider_is_public,
        sum(attempts) AS attempts,
        sum(ok) AS ok,
        sum(fault) AS fault,
        sum(rate_limited) AS rate_limited,
        sum(client_error) AS client_error,
        sum(cancelled) AS cancelled,
        sum(cancelled_delivered) AS cancelled_delivered,
        sum(gateway_error) AS gateway_error,
        sum(fault_auth) AS fault_auth,
        sum(fault_payment) AS fault_payment,
        sum(fault_not_found) AS fault_not_found,
        sum(fault_timeout) AS fault_timeout,
        sum(fault_connection) AS fault_connection,
        sum(fault_overloaded) AS fault_overloaded,
        sum(fault_server_error) AS fault_server_error,
        sum(fault_stream_error) AS fault_stream_error,
        sum(fault_error_finish) AS fault_error_finish,
        sum(client_bad_request) AS client_bad_request,
        sum(client_context_length) AS client_context_length,
        sum(client_content_policy) AS client_content_policy,
        sum(client_too_large) AS client_too_large,
        sum(client_geo) AS client_geo,
        sum(client_unsupported) AS client_unsupported,
        sum(tool_finishes) AS tool_finishes,
        sum(tool_error_requests) AS tool_error_requests,
        sum(prose_instead_of_call) AS prose_instead_of_call,
        sum(structured_requested) AS structured_requested,
        sum(structured_invalid) AS structured_invalid,
        sum(refused) AS refused,
        sum(content_filtered) AS content_filtered,
        sum(billed_output_tokens_cancelled) AS billed_output_tokens_cancelled,
        sum(success_before) AS success_before,
        sum(counted_before) AS counted_before,
        ddsketch_merge(ttft_ms) AS ttft_ms,
        ddsketch_merge(duration_ms) AS duration_ms,
        ddsketch_merge(tokens_per_s_e2e) AS tokens_per_s_e2e,
        ddsketch_merge(tokens_per_s_decode) AS tokens_per_s_decode,
        ddsketch_merge(overhead_us) AS overhead_us
    FROM dimensioned
    GROUP BY date, starts_at, ends_at, span, dimension, model, variant, author, provider, endpoint, region
    HAVING sum(attempts) > 0
),

named AS (
    -- Keys, names and what may be told. Counts of a pair would tell its requests, which no threshold of its own protects.
    SELECT
        merged.*,
        ok + cancelled_delivered AS success,
        ok + cancelled_delivered + fault AS counted,
        CASE dimension
            WHEN 'model' THEN NOT variant_is_public
            WHEN 'provider' THEN NOT (variant_is_public AND provider_is_public)
            ELSE terms.users > 0
        END AS counts_are_bands,
        CASE dimension
            WHEN 'model' THEN model
            WHEN 'provider' THEN provider
            WHEN 'model_provider' THEN model || '@' || provider
            ELSE
                CASE WHEN endpoint = '' THEN model ELSE endpoint END
                || CASE WHEN variant = 'standard' THEN '' ELSE ':' || variant END
                || CASE WHEN endpoint = '' THEN '@' || provider ELSE '' END
                || CASE WHEN region = '' THEN '' ELSE '@' || region END
        END AS key,
        coalesce(catalogue_models.name, nullif(split_part(model, '/', 2), ''), model) AS model_name,
        coalesce(catalogue_providers.name, provider) AS provider_name
    FROM terms
    CROSS JOIN merged
    LEFT JOIN catalogue_models ON catalogue_models.model_id = model
    LEFT JOIN catalogue_providers ON catalogue_providers.provider_id = provider
)
