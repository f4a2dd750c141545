-- All rows of `events`.
WITH launches AS (
    SELECT models.first_date AS date, models.key, models.model, models.author, models.display_name
    FROM models
    CROSS JOIN history
    WHERE CAST(models.first_date AS int) - CAST(history.first_date AS int) >= 31
),

priced AS (
    -- In words, since what changed may be any of the amounts.
    SELECT
        valid_from AS date,
        CASE WHEN provider IS NULL THEN 'variant' ELSE 'model_provider' END AS dimension,
        key,
        model,
        author,
        provider,
        display_name,
        concat_ws(
            ', ',
            'input ' || CAST(input_price AS text),
            'cached input ' || CAST(cached_input_price AS text),
            'cache write ' || CAST(cache_write_price AS text),
            'output ' || CAST(output_price AS text),
            'request ' || CAST(request_price AS text)
        ) AS price
    FROM prices
),

changes AS (
    SELECT priced.*, lag(price) OVER (PARTITION BY key ORDER BY date NULLS FIRST) AS price_before
    FROM priced
),

former AS (
    SELECT date, old_value, new_value FROM events WHERE event = 'method' AND date <> today()
),

newest AS (
    -- Under which terms the last day before this one was published; no row while none was.
    SELECT new_value
    FROM former
    WHERE date < today()
    ORDER BY date DESC
    LIMIT 1
),

methods AS (
    SELECT date, old_value, new_value FROM former
    UNION ALL
    SELECT today() AS date, newest.new_value AS old_value, terms_fingerprint() AS new_value
    FROM history
    LEFT JOIN newest ON true
    WHERE history.first_date IS NOT NULL AND newest.new_value IS DISTINCT FROM terms_fingerprint()
)

SELECT
    date,
    'launch' AS event,
    'model' AS dimension,
    key,
    model,
    author,
    CAST(NULL AS text) AS provider,
    display_name,
    CAST(NULL AS text) AS old_value,
    CAST(NULL AS text) AS new_value
FROM launches
UNION ALL
SELECT date, 'price', dimension, key, model, author, provider, display_name, price_before, price
FROM changes
WHERE price_before IS NOT NULL AND price <> price_before AND date <= today()
UNION ALL
SELECT date, 'method', 'total', 'total', NULL, NULL, NULL, 'All', old_value, new_value
FROM methods
ORDER BY date, event, key
