-- All rows of `models`. What is told of usage is read of what is published, so that it can tell no more than that.
WITH used AS (
    SELECT key AS model, max(author) AS author, min(date) AS first_date, max(date) AS last_date
    FROM usage_by_day
    WHERE dimension = 'model' AND kind = 'key' AND requests > 0
    GROUP BY key
),

tried AS (
    SELECT model, count(*) AS endpoints, count(DISTINCT provider) AS providers
    FROM health_now
    WHERE window_minutes = 10080 AND dimension = 'endpoint'
    GROUP BY model
),

raw AS (
    -- Where names of nobody's catalogue may be told. Elsewhere no file is worth a look, which a filter by the terms would not
    -- say before they are read.
    SELECT model_id AS model, max(author) AS author
    FROM health_daily
    WHERE has_raw_names() AND model_id IS NOT NULL
    GROUP BY model_id
),

names AS (
    SELECT
        model,
        coalesce(max(author) FILTER (WHERE is_catalogued), max(author)) AS author,
        max(name) AS name,
        bool_or(is_catalogued) AS is_catalogued
    FROM (
        SELECT model_id AS model, author, name, true AS is_catalogued FROM catalogue_models
        UNION ALL
        SELECT model, author, NULL, false FROM used
        UNION ALL
        SELECT model, author, NULL, false FROM raw
    ) AS named
    GROUP BY model
)

SELECT
    names.model AS key,
    names.model,
    names.author,
    coalesce(catalogue_authors.name, names.author) AS author_name,
    coalesce(names.name, names.model) AS display_name,
    names.is_catalogued,
    facts.* EXCEPT (model_id),
    used.first_date,
    used.last_date,
    coalesce(tried.endpoints, 0) AS endpoints,
    coalesce(tried.providers, 0) AS providers,
    coalesce(tried.endpoints > 0, false) OR coalesce(used.last_date > today() - INTERVAL '7 days', false) AS is_active
FROM names
LEFT JOIN catalogue_authors ON catalogue_authors.author = names.author
LEFT JOIN catalogue_model_facts AS facts ON facts.model_id = names.model
LEFT JOIN used ON used.model = names.model
LEFT JOIN tried ON tried.model = names.model
ORDER BY names.model
