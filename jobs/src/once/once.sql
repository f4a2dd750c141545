-- Every event of a date in `stored` once: of the rows that tell it (their ids are in `duplicate`) the one that
-- arrived first.
SELECT stored.*
FROM stored
LEFT ANTI JOIN duplicate
    ON stored.event_id = duplicate.event_id AND stored.event_date = duplicate.event_date
UNION ALL
SELECT * EXCEPT (copy, retold)
FROM (
    SELECT
        *,
        -- LiteLLM rows of a call without a response, with and without their start in the id.
        row_number() OVER (
            PARTITION BY
                event_date,
                CASE
                    WHEN
                        source = 'litellm'
                        AND event_id
                        = 'litellm:' || request_id || ':' || request_id || ':'
                        || CAST(CAST(started_at AS bigint) AS varchar)
                        THEN 'litellm:' || request_id || ':' || request_id
                    ELSE event_id
                END,
                started_at,
                outcome,
                raw_provider
            ORDER BY ingested_at, src_topic, src_partition, src_offset, coalesce(src_index, 0)
        ) AS retold
    FROM (
        SELECT
            stored.*,
            row_number() OVER (
                PARTITION BY stored.event_date, stored.event_id
                ORDER BY ingested_at, src_topic, src_partition, src_offset, coalesce(src_index, 0)
            ) AS copy
        FROM stored
        LEFT SEMI JOIN duplicate
            ON stored.event_id = duplicate.event_id AND stored.event_date = duplicate.event_date
    )
    WHERE copy = 1
)
WHERE retold = 1
