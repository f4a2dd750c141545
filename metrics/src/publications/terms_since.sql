-- When the newest terms began to hold: at the first publication after the last one of others. Null: there were never others.
WITH newest AS (
    SELECT terms FROM publications ORDER BY number DESC LIMIT 1
),
others AS (
    SELECT max(number) AS number
    FROM publications
    JOIN newest ON publications.terms <> newest.terms
)
SELECT min(published_at) AS since
FROM publications
JOIN others ON publications.number > others.number
