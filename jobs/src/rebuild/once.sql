-- Every event of a date in `stored` once: of the rows that share an id (in `duplicate`) the one that arrived first.
SELECT stored.*
FROM stored
LEFT ANTI JOIN duplicate
    ON stored.event_id = duplicate.event_id AND stored.event_date = duplicate.event_date
UNION ALL
SELECT * EXCEPT (copy)
FROM (
    SELECT
        stored.*,
        row_number() OVER (
            PARTITION BY stored.event_date, stored.event_id
            ORDER BY ingested_at, src_topic, src_partition, src_offset
        ) AS copy
    FROM stored
    LEFT SEMI JOIN duplicate
        ON stored.event_id = duplicate.event_id AND stored.event_date = duplicate.event_date
)
WHERE copy = 1
