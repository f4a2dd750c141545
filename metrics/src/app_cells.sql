-- Partial rows of `app_daily` with their names made plain, and whether their amounts may stand under the name of their model,
-- as in `cells`. Whether the app may be named is the matter of `app_gate`. What is small stands left in a join: that
-- side is held.
WITH named AS (
    SELECT
        app_daily.* EXCEPT (author),
        coalesce(catalogue_models.author, app_daily.author) AS author,
        app_daily.model_id
        || CASE WHEN variant IS NULL OR variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key
    FROM catalogue_models
    RIGHT JOIN app_daily ON app_daily.model_id = catalogue_models.model_id
)

SELECT
    named.*,
    (named.author IS NOT NULL OR terms.has_raw_names)
    AND (terms.users = 0 OR coalesce(variants.is_public, false)) AS is_public
FROM terms
CROSS JOIN named
LEFT JOIN (SELECT date AS decided_on, key, is_public FROM gate WHERE dimension = 'variant') AS variants
    ON variants.key = named.variant_key AND variants.decided_on = named.date
