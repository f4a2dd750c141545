-- The first day of the history and the running one.
SELECT first.first_date, terms.today, terms.growth_requests
FROM (SELECT min(date) AS first_date FROM usage_daily) AS first
CROSS JOIN terms
