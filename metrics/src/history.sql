-- The first day of the history, the running one, and the first one that has not closed.
SELECT first.first_date, terms.today, open_from() AS open_from, terms.growth_requests
FROM (SELECT min(date) AS first_date FROM usage_daily) AS first
CROSS JOIN terms
