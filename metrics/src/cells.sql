-- Rows of `named_usage`, and whether their amounts may stand under them. What is not public is part of totals and of the row
-- `hidden` alone, whatever the dimension. `provider_is_public` only says whether the provider may be named: under its name
-- stand public rows alone.
SELECT
    named_usage.*,
    named_usage.author IS NOT NULL AS is_known,
    (named_usage.author IS NOT NULL OR terms.has_raw_names)
    AND (terms.users = 0 OR coalesce(variant_gate.is_public, false)) AS is_public,
    coalesce(
        (terms.has_raw_names OR NOT starts_with(named_usage.provider_id, 'host:'))
        AND (terms.users = 0 OR coalesce(provider_gate.is_public, false)),
        false
    ) AS provider_is_public
FROM named_usage
CROSS JOIN terms
LEFT JOIN gate AS variant_gate
    ON variant_gate.dimension = 'variant'
    AND variant_gate.key = named_usage.variant_key
    AND variant_gate.date = named_usage.date
LEFT JOIN gate AS provider_gate
    ON provider_gate.dimension = 'provider'
    AND provider_gate.key = named_usage.provider_id
    AND provider_gate.date = named_usage.date
