-- Goes on after `end_dates` (end_date), `spans` (span, in days), and `part`, the rows of `health_cells` of all days that are
-- needed: the days of each window and of the equal window before. What is small stands left in a join: that side is held.
,

days AS (
    -- A list of days, so that the join with their rows is by equality.
    SELECT
        end_date,
        span,
        age >= span AS is_before,
        age = 2 * span - 1 AS is_first_before,
        CAST(CAST(end_date AS int) - CAST(age AS int) AS date) AS day
    FROM end_dates
    CROSS JOIN spans
    CROSS JOIN (SELECT unnest(range(0, 180)) AS age) AS ages
    WHERE age < 2 * span
),

known AS (
    -- Days of the history. A day without any attempt is one of them if one of the seven up to it has some: a clock that
    -- was years behind makes no history of those years.
    SELECT DISTINCT CAST(CAST(date AS int) + CAST(later AS int) AS date) AS day
    FROM (
        SELECT DISTINCT date
        FROM health_daily
        WHERE date BETWEEN CAST($1 AS date) - INTERVAL '186 days' AND CAST($2 AS date)
    ) AS dates
    CROSS JOIN (SELECT unnest(range(0, 7)) AS later) AS laters
),

histories AS (
    SELECT
        end_date,
        span,
        count(known.day) FILTER (WHERE NOT is_before) AS history_days,
        bool_or(is_first_before AND known.day IS NOT NULL) AS has_before
    FROM days
    LEFT JOIN known ON known.day = days.day
    GROUP BY end_date, span
),

cells AS (
    SELECT
        days.end_date AS date,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS starts_at,
        arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))') AS ends_at,
        days.span,
        days.is_before,
        histories.has_before,
        histories.history_days,
        part.* EXCEPT (size, date, bucket_at)
    FROM days
    INNER JOIN histories ON histories.end_date = days.end_date AND histories.span = days.span
    INNER JOIN part ON part.date = days.day
)

