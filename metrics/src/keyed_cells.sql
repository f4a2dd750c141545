-- Each day cell once a dimension, with the row that its amounts are part of. The only place where an amount gets a name:
-- what is not public is the row `hidden`, the same amount in every dimension; a provider that may not be named is added to
-- `hidden` of its dimensions.
WITH dimensions AS (
    SELECT column1 AS dimension
    FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'), ('model_provider'))
),
named AS (
    -- What the row is called if it may be.
    SELECT
        gated_cells.*,
        dimensions.dimension,
        CASE dimensions.dimension
            WHEN 'total' THEN 'total'
            WHEN 'author' THEN gated_cells.author
            WHEN 'model' THEN gated_cells.model_id
            WHEN 'variant' THEN gated_cells.variant_key
            WHEN 'provider' THEN gated_cells.provider_id
            ELSE gated_cells.model_id || '@' || gated_cells.provider_id
        END AS own_key
    FROM gated_cells
    CROSS JOIN dimensions
),
placed AS (
    SELECT
        named.*,
        CASE
            WHEN dimension = 'total' THEN 'total'
            WHEN NOT is_public THEN 'hidden'
            WHEN dimension IN ('provider', 'model_provider') AND provider_id IS NULL THEN 'none'
            WHEN dimension IN ('provider', 'model_provider') AND NOT provider_is_public THEN 'hidden'
            WHEN own_key IS NULL THEN 'unmapped'
            ELSE 'key'
        END AS kind
    FROM named
)
SELECT
    placed.* EXCEPT (model_id, variant, author, provider_id, variant_key, is_known, is_public, provider_is_public),
    CASE WHEN kind = 'key' THEN own_key ELSE kind END AS key,
    CASE WHEN kind = 'key' AND dimension IN ('model', 'variant', 'model_provider') THEN model_id END AS model,
    CASE WHEN kind = 'key' AND dimension = 'variant' THEN coalesce(variant, 'standard') END AS variant,
    CASE WHEN kind = 'key' AND dimension IN ('author', 'model', 'variant', 'model_provider') THEN author END AS author,
    CASE WHEN kind = 'key' AND dimension IN ('provider', 'model_provider') THEN provider_id END AS provider
FROM placed
