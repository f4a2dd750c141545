-- Partial rows of the health rollups with their names made plain, and what may be said of them. `size` is the length of a
-- bucket: 5m, hour or day. A name that does not apply is ''. Rows of models that nobody can name are left out, whatever
-- the dimension, so that no dimension tells of them by what it has more than another. What is small stands left in a
-- join: that side is held.
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

plain AS (
    SELECT
        part.* EXCEPT (model_id, author, variant, provider_id, endpoint_id, region),
        coalesce(model_id, '') AS model,
        coalesce(variant, 'standard') AS variant,
        coalesce(author, '') AS author_then,
        coalesce(provider_id, '') AS provider,
        coalesce(endpoint_id, '') AS endpoint,
        coalesce(region, '') AS region,
        coalesce(model_id, '')
        || CASE WHEN variant IS NULL OR variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key
    FROM part
),

authored AS (
    -- As in `cells`: the catalogue of today names the whole history.
    SELECT plain.* EXCEPT (author_then), coalesce(catalogue_models.author, author_then) AS author
    FROM catalogue_models
    RIGHT JOIN plain ON plain.model = catalogue_models.model_id
),

named AS (
    SELECT
        authored.*,
        terms.users = 0 AS all_is_public,
        terms.has_raw_names
    FROM terms
    CROSS JOIN authored
    WHERE author <> '' OR terms.has_raw_names
),

provided AS (
    SELECT
        named.* EXCEPT (has_raw_names),
        provider <> '' AND (catalogue_providers.provider_id IS NOT NULL OR has_raw_names) AS provider_is_named
    FROM catalogue_providers
    RIGHT JOIN named ON named.provider = catalogue_providers.provider_id
),

decided AS (
    SELECT
        provided.*,
        all_is_public OR coalesce(variants.is_public, false) AS variant_is_public
    FROM (SELECT date AS decided_on, key, is_public FROM gate WHERE dimension = 'variant') AS variants
    RIGHT JOIN provided ON provided.variant_key = variants.key AND provided.date = variants.decided_on
)

SELECT
    decided.* EXCEPT (all_is_public),
    all_is_public OR coalesce(providers.is_public, false) AS provider_is_public
FROM (SELECT date AS decided_on, key, is_public FROM gate WHERE dimension = 'provider') AS providers
RIGHT JOIN decided ON decided.provider = providers.key AND decided.date = providers.decided_on
