-- The newest terms after the publication $1, and those that were published under last before them, each with the number of its
-- last publication.
SELECT terms, max(number) AS last_number
FROM publications
WHERE number > $1
GROUP BY terms
ORDER BY last_number DESC
LIMIT 2
