-- Partial rows of `usage_daily` with their names made plain. The catalogue of today names the whole history: a row without
-- an author is unmapped only while no entry has its id.
SELECT
    usage_daily.* EXCEPT (author),
    coalesce(catalogue_models.author, usage_daily.author) AS author,
    usage_daily.model_id
    || CASE WHEN variant IS NULL OR variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key
FROM usage_daily
LEFT JOIN catalogue_models ON catalogue_models.model_id = usage_daily.model_id
