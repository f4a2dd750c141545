-- Goes on after `end_dates` (end_date), `spans` (span, in days) and `part`: the days of each window, their rows, and who did best
-- in them. What is small stands left in a join: that side is held.
,

days AS (
    SELECT end_date, span, CAST(CAST(end_date AS int) - CAST(age AS int) AS date) AS day
    FROM end_dates
    CROSS JOIN spans
    CROSS JOIN (SELECT unnest(range(0, 28)) AS age) AS ages
    WHERE age < span
),

cells AS (
    SELECT
        days.end_date AS date,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS starts_at,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS ends_at,
        days.span,
        days.day,
        routed.* EXCEPT (date, hour)
    FROM days
    INNER JOIN routed ON routed.date = days.day
),

pinned AS (
    -- All attempts of a model at one provider, whatever the router did with their requests.
    SELECT
        days.end_date AS date,
        days.span,
        part.model,
        part.provider,
        sum(part.ok + part.cancelled_delivered) AS success,
        sum(part.ok + part.cancelled_delivered + part.fault) AS counted
    FROM days
    INNER JOIN part ON part.date = days.day
    WHERE part.provider_is_named AND part.model <> ''
    GROUP BY days.end_date, days.span, part.model, part.provider
),

best AS (
    SELECT date, span, model, provider, success, counted
    FROM (
        SELECT
            pinned.*,
            row_number() OVER (
                PARTITION BY date, span, model
                ORDER BY CAST(success AS double) / counted DESC, counted DESC, provider
            ) AS place
        FROM terms
        CROSS JOIN pinned
        WHERE counted >= greatest(terms.counted_attempts, 1)
    ) AS ranked
    WHERE place = 1
)

