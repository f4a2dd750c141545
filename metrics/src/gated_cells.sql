-- `cells`, and whether the provider of each may be named that day; under its name stand public rows alone.
SELECT
    cells.*,
    coalesce(
        (terms.has_raw_names OR NOT starts_with(cells.provider_id, 'host:'))
        AND (terms.users = 0 OR coalesce(provider_gate.is_public, false)),
        false
    ) AS provider_is_public
FROM cells
CROSS JOIN terms
LEFT JOIN gate AS provider_gate
    ON provider_gate.dimension = 'provider'
    AND provider_gate.key = cells.provider_id
    AND provider_gate.date = cells.date
