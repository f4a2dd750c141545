-- Each day cell once a dimension, with the name of its row there, and `own_key`, what it would be called if it could be.
WITH dimensions AS (
    SELECT column1 AS dimension
    FROM (VALUES ('total'), ('author'), ('model'), ('variant'), ('provider'), ('model_provider'))
),
named AS (
    SELECT
        placed_cells.*,
        dimensions.dimension,
        CASE dimensions.dimension
            WHEN 'author' THEN author_row
            WHEN 'model' THEN model_row
            WHEN 'variant' THEN variant_row
            WHEN 'provider' THEN provider_row
            WHEN 'model_provider' THEN model_provider_row
            ELSE 'total:'
        END AS row_name
    FROM placed_cells
    CROSS JOIN dimensions
),
split AS (
    SELECT
        named.*,
        split_part(row_name, ':', 1) AS kind,
        starts_with(row_name, 'key:') AS is_key
    FROM named
)
SELECT
    split.* EXCEPT (
        model_id,
        variant,
        author,
        provider_id,
        variant_key,
        is_known,
        author_row,
        model_row,
        variant_row,
        provider_row,
        model_provider_row,
        row_name,
        is_key
    ),
    CASE WHEN is_key THEN substr(row_name, 5) ELSE kind END AS key,
    CASE dimension
        WHEN 'author' THEN author
        WHEN 'model' THEN model_id
        WHEN 'variant' THEN variant_key
        WHEN 'provider' THEN provider_id
        WHEN 'model_provider' THEN model_id || '@' || provider_id
    END AS own_key,
    CASE WHEN is_key AND dimension IN ('model', 'variant', 'model_provider') THEN model_id END AS model,
    CASE WHEN is_key AND dimension = 'variant' THEN coalesce(variant, 'standard') END AS variant,
    CASE WHEN is_key AND dimension IN ('author', 'model', 'variant', 'model_provider') THEN author END AS author,
    CASE WHEN is_key AND dimension IN ('provider', 'model_provider') THEN provider_id END AS provider
FROM split
