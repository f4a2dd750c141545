-- Goes on after `end_dates` (end_date), `spans` (span, in days), and `part`, the rows of `health_cells` of all days that are
-- needed: the days of each window and of the equal window before. What is small stands left in a join: that side is held.
,

ages AS (
    -- Days before the end, cut into segments in which no window begins or ends.
    SELECT age, count(edge) AS segment
    FROM (SELECT unnest(range(0, 180)) AS age) AS every
    LEFT JOIN (SELECT span AS edge FROM spans UNION SELECT 2 * span AS edge FROM spans) AS edges ON edge <= age
    GROUP BY age
),

days AS (
    -- A list of days, so that the join with their rows is by equality.
    SELECT
        end_date,
        age,
        segment,
        CAST(CAST(end_date AS int) - CAST(age AS int) AS date) AS day,
        age < longest_of_speed AS has_speed
    FROM end_dates
    CROSS JOIN ages
    CROSS JOIN (
        SELECT 2 * max(span) AS longest, max(span) FILTER (WHERE span <= 30) AS longest_of_speed FROM spans
    ) AS reach
    WHERE age < longest
),

known AS (
    -- Days of the history. A day without any attempt is one of them if one of the seven up to it has some: a clock that
    -- was months behind makes no history of those months.
    SELECT DISTINCT CAST(CAST(date AS int) + CAST(later AS int) AS date) AS day
    FROM (
        SELECT DISTINCT date
        FROM health_daily
        WHERE date BETWEEN CAST($1 AS date) - INTERVAL '186 days' AND CAST($2 AS date)
    ) AS dates
    CROSS JOIN (SELECT unnest(range(0, 7)) AS later) AS laters
),

histories AS (
    SELECT
        end_date,
        span,
        count(known.day) FILTER (WHERE age < span) AS history_days,
        bool_or(age = 2 * span - 1 AND known.day IS NOT NULL) AS has_before
    FROM spans
    CROSS JOIN days
    LEFT JOIN known ON known.day = days.day
    WHERE age < 2 * span
    GROUP BY end_date, span
),

segments AS (
    -- Each day once, whatever the number of windows that it is in. Sketches of 30 days only: a long window has too many. Of the
    -- windows before, nothing is told of speed.
    SELECT
        days.end_date,
        days.segment,
        model,
        variant,
        author,
        provider,
        endpoint,
        region,
        bool_and(provider_is_named) AS provider_is_named,
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
        ddsketch_merge(ttft_ms) FILTER (WHERE has_speed) AS ttft_ms,
        ddsketch_merge(duration_ms) FILTER (WHERE has_speed) AS duration_ms,
        ddsketch_merge(tokens_per_s_e2e) FILTER (WHERE has_speed) AS tokens_per_s_e2e,
        ddsketch_merge(tokens_per_s_decode) FILTER (WHERE has_speed) AS tokens_per_s_decode,
        ddsketch_merge(overhead_us) FILTER (WHERE has_speed) AS overhead_us
    FROM days
    INNER JOIN part ON part.date = days.day
    GROUP BY days.end_date, days.segment, model, variant, author, provider, endpoint, region
),

sides AS (
    SELECT DISTINCT span, segment, age >= span AS is_before
    FROM spans
    CROSS JOIN ages
    WHERE age < 2 * span
),

cells AS (
    SELECT
        segments.end_date AS date,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS starts_at,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS ends_at,
        sides.span,
        sides.is_before,
        histories.has_before,
        histories.history_days,
        segments.* EXCEPT (end_date, segment, ttft_ms, duration_ms, tokens_per_s_e2e, tokens_per_s_decode, overhead_us),
        CASE WHEN sides.span <= 30 THEN ttft_ms END AS ttft_ms,
        CASE WHEN sides.span <= 30 THEN duration_ms END AS duration_ms,
        CASE WHEN sides.span <= 30 THEN tokens_per_s_e2e END AS tokens_per_s_e2e,
        CASE WHEN sides.span <= 30 THEN tokens_per_s_decode END AS tokens_per_s_decode,
        CASE WHEN sides.span <= 30 THEN overhead_us END AS overhead_us
    FROM sides
    INNER JOIN histories ON histories.span = sides.span
    INNER JOIN segments ON segments.segment = sides.segment AND segments.end_date = histories.end_date
)

