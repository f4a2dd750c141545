-- Ids that more than one row of `stored` has.
SELECT event_id
FROM stored
GROUP BY event_id
HAVING count(*) > 1
