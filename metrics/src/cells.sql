-- Partial rows of `usage_daily` with their names made plain, and whether their amounts may stand under them. What
-- is not public is part of totals and of the row `hidden` alone, whatever the dimension. `provider_is_public` only says
-- whether the provider may be named: under its name stand public rows alone.
WITH named AS (
    -- The catalogue of today names the whole history: a row without an author is unmapped only while no entry has its id.
    SELECT
        usage_daily.* EXCEPT (author),
        coalesce(catalogue_models.author, usage_daily.author) AS author,
        usage_daily.model_id
        || CASE WHEN variant IS NULL OR variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key
    FROM usage_daily
    LEFT JOIN catalogue_models ON catalogue_models.model_id = usage_daily.model_id
)
SELECT
    named.*,
    named.author IS NOT NULL AS is_known,
    (named.author IS NOT NULL OR terms.has_raw_names)
    AND (terms.users = 0 OR coalesce(variant_gate.is_public, false)) AS is_public,
    coalesce(
        (terms.has_raw_names OR NOT starts_with(named.provider_id, 'host:'))
        AND (terms.users = 0 OR coalesce(provider_gate.is_public, false)),
        false
    ) AS provider_is_public
FROM named
CROSS JOIN terms
LEFT JOIN gate AS variant_gate
    ON variant_gate.dimension = 'variant'
    AND variant_gate.key = named.variant_key
    AND variant_gate.date = named.date
LEFT JOIN gate AS provider_gate
    ON provider_gate.dimension = 'provider'
    AND provider_gate.key = named.provider_id
    AND provider_gate.date = named.date
