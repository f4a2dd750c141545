-- Names of models in the attempts, and whether a row of any has an author, which is so when the catalogue of its time knew
-- the model.
SELECT
    model_id AS name,
    coalesce(max(author), '') <> '' AS was_known,
    count(*) AS attempts,
    sum(CAST(coalesce(input_tokens, 0) AS decimal(38, 0)) + coalesce(output_tokens, 0)) AS tokens,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen
FROM attempts
WHERE model_id IS NOT NULL
GROUP BY model_id
ORDER BY tokens DESC, attempts DESC, name
