-- Rows of `quality_by_day` for the dates $1 to $2. Sums are wide, because those of 64 bits wrap silently: what does not fit
-- in the end is an error.
WITH arrived AS (
    SELECT
        date,
        source,
        CAST("rows" AS decimal(38, 0)) AS rows_added,
        CAST(duplicates AS decimal(38, 0)) AS duplicates,
        CAST(rejects AS decimal(38, 0)) AS rejects,
        '' AS reason
    FROM intake_daily
    WHERE date BETWEEN $1 AND $2
    UNION ALL
    SELECT date, source, 0, 0, 0, reason
    FROM rejects
    WHERE date BETWEEN $1 AND $2
),

sources AS (
    SELECT
        date,
        source,
        sum(rows_added) AS rows_added,
        sum(duplicates) AS duplicates,
        sum(rejects) AS rejects,
        count(*) FILTER (WHERE reason = 'malformed_json') AS rejects_malformed_json,
        count(*) FILTER (WHERE reason = 'wrong_type') AS rejects_wrong_type,
        count(*) FILTER (WHERE reason = 'missing_field') AS rejects_missing_field,
        count(*) FILTER (WHERE reason = 'missing_identity') AS rejects_missing_identity,
        count(*) FILTER (WHERE reason = 'invalid_value') AS rejects_invalid_value,
        count(*) FILTER (WHERE reason = 'time_out_of_range') AS rejects_time_out_of_range,
        count(*) FILTER (WHERE reason = 'too_large') AS rejects_too_large,
        count(*) FILTER (WHERE reason = 'not_utf8') AS rejects_not_utf8,
        count(*) FILTER (WHERE reason = 'truncated') AS rejects_truncated,
        count(*) FILTER (WHERE reason = 'unknown_format') AS rejects_unknown_format,
        count(*) FILTER (WHERE reason = 'gap') AS rejects_gap,
        count(*) FILTER (WHERE reason <> '') AS rejects_for_a_reason
    FROM arrived
    GROUP BY date, source
),

totals AS (
    SELECT
        date,
        sum(rows_added) AS rows_added,
        sum(duplicates) AS duplicates,
        sum(rejects) AS rejects,
        sum(rejects_malformed_json) AS rejects_malformed_json,
        sum(rejects_wrong_type) AS rejects_wrong_type,
        sum(rejects_missing_field) AS rejects_missing_field,
        sum(rejects_missing_identity) AS rejects_missing_identity,
        sum(rejects_invalid_value) AS rejects_invalid_value,
        sum(rejects_time_out_of_range) AS rejects_time_out_of_range,
        sum(rejects_too_large) AS rejects_too_large,
        sum(rejects_not_utf8) AS rejects_not_utf8,
        sum(rejects_truncated) AS rejects_truncated,
        sum(rejects_unknown_format) AS rejects_unknown_format,
        sum(rejects_gap) AS rejects_gap,
        sum(rejects_for_a_reason) AS rejects_for_a_reason
    FROM sources
    GROUP BY date
),

used AS (
    SELECT
        date,
        sum(CAST(requests AS decimal(38, 0))) AS requests,
        sum(CAST(input_tokens AS decimal(38, 0)) + CAST(output_tokens AS decimal(38, 0))) AS tokens,
        sum(CAST(unpriced_requests AS decimal(38, 0))) AS unpriced_requests,
        sum(CAST(unpriced_tokens AS decimal(38, 0))) AS unpriced_tokens,
        sum(CAST(requests AS decimal(38, 0)) - CAST(requests_with_user AS decimal(38, 0))) AS requests_without_user,
        sum(CASE WHEN author IS NULL THEN CAST(requests AS decimal(38, 0)) ELSE 0 END) AS unmapped_requests
    FROM named_usage
    WHERE date BETWEEN $1 AND $2
    GROUP BY date
),

named_attempts AS (
    -- The catalogue of today names the whole history. What is small stands left in a join: that side is held.
    SELECT
        health_daily.date,
        health_daily.provider_id,
        CAST(health_daily.attempts AS decimal(38, 0)) AS attempts,
        health_daily.model_id IS NOT NULL AND coalesce(catalogue_models.author, health_daily.author) IS NULL
            AS is_model_unmapped
    FROM catalogue_models
    RIGHT JOIN health_daily ON health_daily.model_id = catalogue_models.model_id
    WHERE health_daily.date BETWEEN $1 AND $2
),

tried AS (
    SELECT
        date,
        sum(attempts) AS attempts,
        sum(CASE WHEN is_model_unmapped THEN attempts ELSE 0 END) AS unmapped_model_attempts,
        sum(
            CASE
                WHEN named_attempts.provider_id IS NOT NULL AND catalogue_providers.provider_id IS NULL THEN attempts
                ELSE 0
            END
        ) AS unmapped_provider_attempts
    FROM catalogue_providers
    RIGHT JOIN named_attempts ON named_attempts.provider_id = catalogue_providers.provider_id
    GROUP BY date
),

frozen AS (
    -- What was told once stays: its rows are destroyed with their epoch, and later ones are none of the week.
    SELECT date, labels_week, labelled_requests, labels_coverage
    FROM quality_by_day
    WHERE date BETWEEN $1 AND $2 AND labels_week IS NOT NULL
),

weeks AS (
    SELECT
        CAST(CAST(week AS int) + 9 AS date) AS date,
        week AS labels_week,
        sum(CAST(n AS decimal(38, 0))) AS labelled_requests,
        CASE
            WHEN sum(sum_wt) > 0
                THEN round(sum(CASE WHEN nl = 'und' THEN 0.0 ELSE sum_wt END) / sum(sum_wt) * 1000) / 1000
        END AS labels_coverage
    FROM label_cells
    WHERE week BETWEEN CAST($1 AS date) - INTERVAL '9 days' AND CAST($2 AS date) - INTERVAL '9 days'
    GROUP BY week
),

labelled AS (
    SELECT * FROM frozen
    UNION ALL
    SELECT weeks.*
    FROM weeks
    LEFT ANTI JOIN frozen ON frozen.date = weeks.date
),

dates AS (
    SELECT date FROM totals
    UNION
    SELECT date FROM used
    UNION
    SELECT date FROM tried
    UNION
    SELECT date FROM labelled
),

everything AS (
    SELECT
        dates.date,
        'total' AS dimension,
        'total' AS key,
        'total' AS kind,
        CAST(NULL AS text) AS source,
        totals.* EXCEPT (date),
        coalesce(used.requests, 0) AS requests,
        coalesce(used.tokens, 0) AS tokens,
        coalesce(used.unpriced_requests, 0) AS unpriced_requests,
        coalesce(used.unpriced_tokens, 0) AS unpriced_tokens,
        coalesce(used.requests_without_user, 0) AS requests_without_user,
        coalesce(used.unmapped_requests, 0) AS unmapped_requests,
        coalesce(tried.attempts, 0) AS attempts,
        coalesce(tried.unmapped_model_attempts, 0) AS unmapped_model_attempts,
        coalesce(tried.unmapped_provider_attempts, 0) AS unmapped_provider_attempts,
        labelled.labels_week,
        labelled.labelled_requests,
        labelled.labels_coverage
    FROM dates
    LEFT JOIN totals ON totals.date = dates.date
    LEFT JOIN used ON used.date = dates.date
    LEFT JOIN tried ON tried.date = dates.date
    LEFT JOIN labelled ON labelled.date = dates.date
    UNION ALL
    SELECT
        date,
        'source' AS dimension,
        source AS key,
        'key' AS kind,
        source,
        sources.* EXCEPT (date, source),
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL
    FROM sources
)

SELECT
    CAST(date_trunc('month', date) AS date) AS month,
    date,
    dimension,
    key,
    kind,
    source,
    date >= today() AS is_partial,
    coalesce(rows_added, 0) AS rows_added,
    coalesce(duplicates, 0) AS duplicates,
    coalesce(rejects, 0) AS rejects,
    coalesce(rejects_malformed_json, 0) AS rejects_malformed_json,
    coalesce(rejects_wrong_type, 0) AS rejects_wrong_type,
    coalesce(rejects_missing_field, 0) AS rejects_missing_field,
    coalesce(rejects_missing_identity, 0) AS rejects_missing_identity,
    coalesce(rejects_invalid_value, 0) AS rejects_invalid_value,
    coalesce(rejects_time_out_of_range, 0) AS rejects_time_out_of_range,
    coalesce(rejects_too_large, 0) AS rejects_too_large,
    coalesce(rejects_not_utf8, 0) AS rejects_not_utf8,
    coalesce(rejects_truncated, 0) AS rejects_truncated,
    coalesce(rejects_unknown_format, 0) AS rejects_unknown_format,
    coalesce(rejects_gap, 0) AS rejects_gap,
    -- What no column counts.
    coalesce(
        rejects_for_a_reason - rejects_malformed_json - rejects_wrong_type - rejects_missing_field
        - rejects_missing_identity - rejects_invalid_value - rejects_time_out_of_range - rejects_too_large
        - rejects_not_utf8 - rejects_truncated - rejects_unknown_format - rejects_gap,
        0
    ) AS rejects_other,
    requests,
    tokens,
    unpriced_requests,
    unpriced_tokens,
    requests_without_user,
    unmapped_requests,
    attempts,
    unmapped_model_attempts,
    unmapped_provider_attempts,
    labels_week,
    labelled_requests,
    labels_coverage
FROM everything
ORDER BY date, dimension, key
