-- Ids that more than one row of a date has in `stored`.
SELECT
    event_date,
    event_id
FROM stored
GROUP BY event_date, event_id
HAVING count(*) > 1
