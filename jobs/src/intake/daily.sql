-- Partial rows of `intake_daily` → one row per date and source.
SELECT
    date,
    source,
    sum(rows) AS rows,
    sum(rejects) AS rejects,
    sum(duplicates) AS duplicates
FROM part
GROUP BY date, source
ORDER BY date, source
