-- Partial rows of the health rollups with their names made plain, and what may be said of them. `size` is the length of a
-- bucket: 5m, hour or day. A name that does not apply is ''. Rows of models that nobody can name are left out, whatever
-- the dimension, so that no dimension tells of them by what it has more than another.
WITH part AS (
    SELECT '5m' AS size, date, bucket_at, health_5m.* EXCEPT (date, bucket_at) FROM health_5m
    UNION ALL
    SELECT 'hour' AS size, date, bucket_at, health_hourly.* EXCEPT (date, bucket_at) FROM health_hourly
    UNION ALL
    SELECT
        'day' AS size,
        date,
        arrow_cast(date, 'Timestamp(Microsecond, Some("UTC"))') AS bucket_at,
        health_daily.* EXCEPT (date)
    FROM health_daily
),

named AS (
    -- As in `cells`: the catalogue of today names the whole history.
    SELECT
        part.* EXCEPT (model_id, author, variant, provider_id, endpoint_id, region),
        coalesce(model_id, '') AS model,
        coalesce(variant, 'standard') AS variant,
        coalesce(author, '') AS author,
        coalesce(provider_id, '') AS provider,
        coalesce(endpoint_id, '') AS endpoint,
        coalesce(region, '') AS region,
        coalesce(model_id, '')
        || CASE WHEN variant IS NULL OR variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key
    FROM part
)

SELECT
    named.* EXCEPT (author),
    coalesce(catalogue_models.author, named.author) AS author,
    provider <> '' AND (catalogue_providers.provider_id IS NOT NULL OR terms.has_raw_names) AS provider_is_named,
    terms.users = 0 OR coalesce(variant_gate.is_public, false) AS variant_is_public,
    terms.users = 0 OR coalesce(provider_gate.is_public, false) AS provider_is_public
FROM terms
CROSS JOIN named
LEFT JOIN catalogue_models ON catalogue_models.model_id = named.model
LEFT JOIN catalogue_providers ON catalogue_providers.provider_id = named.provider
LEFT JOIN gate AS variant_gate
    ON variant_gate.dimension = 'variant'
    AND variant_gate.key = named.variant_key
    AND variant_gate.date = named.date
LEFT JOIN gate AS provider_gate
    ON provider_gate.dimension = 'provider'
    AND provider_gate.key = named.provider
    AND provider_gate.date = named.date
WHERE coalesce(catalogue_models.author, named.author) <> '' OR terms.has_raw_names
