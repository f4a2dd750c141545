-- All rows of `providers`. What is told of usage is read of what is published, so that it can tell no more than that.
WITH used AS (
    SELECT key AS provider, min(date) AS first_date, max(date) AS last_date
    FROM usage_by_day
    WHERE dimension = 'provider' AND kind = 'key' AND requests > 0
    GROUP BY key
),

tried AS (
    -- Of models that may be named, or how many there are would tell of others.
    SELECT health_now.provider, count(*) AS endpoints, count(DISTINCT health_now.model) AS models
    FROM health_now
    INNER JOIN models ON models.model = health_now.model
    WHERE window_minutes = 10080 AND dimension = 'endpoint'
    GROUP BY health_now.provider
),

raw AS (
    -- Where names of nobody's catalogue may be told.
    SELECT provider_id AS provider
    FROM health_daily
    WHERE has_raw_names() AND provider_id IS NOT NULL
    GROUP BY provider_id
),

names AS (
    SELECT provider, max(name) AS name, bool_or(is_catalogued) AS is_catalogued
    FROM (
        SELECT provider_id AS provider, name, true AS is_catalogued FROM catalogue_providers
        UNION ALL
        SELECT provider, NULL, false FROM used
        UNION ALL
        SELECT provider, NULL, false FROM raw
    ) AS named
    GROUP BY provider
)

SELECT
    names.provider AS key,
    names.provider,
    coalesce(names.name, names.provider) AS display_name,
    names.is_catalogued,
    facts.* EXCEPT (provider_id),
    used.first_date,
    used.last_date,
    coalesce(tried.endpoints, 0) AS endpoints,
    coalesce(tried.models, 0) AS models,
    coalesce(tried.endpoints > 0, false) OR coalesce(used.last_date > today() - INTERVAL '7 days', false) AS is_active
FROM names
LEFT JOIN catalogue_provider_facts AS facts ON facts.provider_id = names.provider
LEFT JOIN used ON used.provider = names.provider
LEFT JOIN tried ON tried.provider = names.provider
ORDER BY names.provider
