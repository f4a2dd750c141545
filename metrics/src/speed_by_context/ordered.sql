-- Goes on after `speeds`.
SELECT * FROM speeds ORDER BY week_start, key, context_bucket
