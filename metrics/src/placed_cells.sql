-- Partial rows of day cells with the row that their amounts are part of, one column a dimension: `key:` and the name, or
-- another kind and a colon. The only place where an amount gets a name. What is not public is `hidden:`, the same amount
-- in every dimension; a provider that may not be named is added to it in dimensions of providers.
SELECT
    cells.*,
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
FROM cells
