-- All rows of `endpoints`. Who may be named is whom `models` and `providers` name.
WITH seen AS (
    -- A name that does not apply is '', as in `health_cells`.
    SELECT
        model_id AS model,
        coalesce(variant, 'standard') AS variant,
        provider_id AS provider,
        coalesce(endpoint_id, '') AS endpoint,
        coalesce(region, '') AS region,
        min(date) AS first_seen,
        max(date) AS last_seen
    FROM health_daily
    WHERE model_id IS NOT NULL AND provider_id IS NOT NULL AND attempts > 0
    GROUP BY model_id, coalesce(variant, 'standard'), provider_id, coalesce(endpoint_id, ''), coalesce(region, '')
),

lately AS (
    SELECT
        model,
        variant,
        provider,
        coalesce(endpoint, '') AS endpoint,
        coalesce(region, '') AS region,
        bool_or(window_minutes = 1440) AS has_attempts_24h,
        bool_or(window_minutes = 10080) AS has_attempts_7d
    FROM health_now
    WHERE dimension = 'endpoint' AND window_minutes IN (1440, 10080)
    GROUP BY model, variant, provider, coalesce(endpoint, ''), coalesce(region, '')
)

SELECT
    -- Spelled as tables of health spell it.
    CASE WHEN seen.endpoint = '' THEN seen.model ELSE seen.endpoint END
    || CASE WHEN seen.variant = 'standard' THEN '' ELSE ':' || seen.variant END
    || CASE WHEN seen.endpoint = '' THEN '@' || seen.provider ELSE '' END
    || CASE WHEN seen.region = '' THEN '' ELSE '@' || seen.region END AS key,
    nullif(seen.endpoint, '') AS endpoint,
    seen.model,
    seen.variant,
    models.author,
    seen.provider,
    nullif(seen.region, '') AS region,
    models.display_name
    || CASE WHEN seen.variant = 'standard' THEN '' ELSE ' (' || seen.variant || ')' END
    || ' at ' || providers.display_name
    || CASE WHEN seen.region = '' THEN '' ELSE ', ' || seen.region END AS display_name,
    seen.first_seen,
    seen.last_seen,
    coalesce(lately.has_attempts_24h, false) AS has_attempts_24h,
    coalesce(lately.has_attempts_7d, false) AS has_attempts_7d
FROM seen
INNER JOIN models ON models.model = seen.model
INNER JOIN providers ON providers.provider = seen.provider
LEFT JOIN lately
    ON lately.model = seen.model
    AND lately.variant = seen.variant
    AND lately.provider = seen.provider
    AND lately.endpoint = seen.endpoint
    AND lately.region = seen.region
ORDER BY key, model, provider
