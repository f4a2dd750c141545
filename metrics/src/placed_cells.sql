-- Partial rows of day cells with the row that their amounts are part of, one column a dimension: `key:` and the name, or
-- another kind and a colon. The only place where an amount gets a name. What is not public is `hidden:`, the same amount
-- in every dimension; a provider that may not be named is added to it in dimensions of providers.
WITH gated AS (
    -- Whether the provider may be named that day; under its name stand public rows alone.
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
)
SELECT
    gated.*,
    CASE WHEN is_public THEN coalesce('key:' || author, 'unmapped:') ELSE 'hidden:' END AS author_row,
    CASE WHEN is_public THEN coalesce('key:' || model_id, 'unmapped:') ELSE 'hidden:' END AS model_row,
    CASE WHEN is_public THEN coalesce('key:' || variant_key, 'unmapped:') ELSE 'hidden:' END AS variant_row,
    CASE
        WHEN NOT is_public THEN 'hidden:'
        WHEN provider_id IS NULL THEN 'none:'
        WHEN NOT provider_is_public THEN 'hidden:'
        ELSE 'key:' || provider_id
    END AS provider_row,
    CASE
        WHEN NOT is_public THEN 'hidden:'
        WHEN provider_id IS NULL THEN 'none:'
        WHEN NOT provider_is_public THEN 'hidden:'
        ELSE coalesce('key:' || model_id || '@' || provider_id, 'unmapped:')
    END AS model_provider_row
FROM gated
