-- All rows of `prices`. A price of a name that the catalogue does not know is one of nobody's.
SELECT
    listed.model_id
    || CASE WHEN listed.variant = 'standard' THEN '' ELSE ':' || listed.variant END
    || coalesce('@' || listed.provider_id, '') AS key,
    listed.model_id AS model,
    listed.variant,
    models.author,
    listed.provider_id AS provider,
    models.display_name
    || CASE WHEN listed.variant = 'standard' THEN '' ELSE ' (' || listed.variant || ')' END
    || coalesce(' at ' || providers.display_name, '') AS display_name,
    listed.valid_from,
    listed.valid_to,
    coalesce(listed.valid_from <= today(), true) AND coalesce(listed.valid_to >= today(), true) AS is_current,
    listed.input_price,
    listed.cached_input_price,
    listed.cache_write_price,
    listed.output_price,
    listed.request_price,
    'catalogue' AS price_source
FROM catalogue_prices AS listed
INNER JOIN models ON models.model = listed.model_id
LEFT JOIN providers ON providers.provider = listed.provider_id
WHERE listed.provider_id IS NULL OR providers.provider IS NOT NULL
ORDER BY key, listed.valid_from
