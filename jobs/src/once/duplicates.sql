-- Ids in `stored` of rows that may tell an event which another row of their date tells too.
SELECT
    event_date,
    event_id
FROM stored
GROUP BY event_date, event_id
HAVING count(*) > 1
UNION ALL
-- LiteLLM gives a call without a response its own id; those rows have carried their start as well since it was
-- seen that attempts of a call share the id. A row from before and one from after meet here.
SELECT
    event_date,
    unnest(make_array(min(event_id), max(event_id))) AS event_id
FROM stored
WHERE
    source = 'litellm'
    AND event_id IN (
        'litellm:' || request_id || ':' || request_id,
        'litellm:' || request_id || ':' || request_id || ':' || CAST(CAST(started_at AS bigint) AS varchar)
    )
GROUP BY event_date, request_id, started_at, outcome, raw_provider
HAVING min(event_id) <> max(event_id)
