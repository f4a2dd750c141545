-- One row a day of a window (step 0) and of the three equal ones before it (1 to 3), for joins by equality.
SELECT
    end_date,
    window_days,
    age / window_days AS step,
    CAST(CAST(end_day - age AS int) AS date) AS date
FROM (
    SELECT
        end_date,
        window_days,
        CAST(end_date AS int) AS end_day,
        unnest(generate_series(0, 4 * window_days - 1)) AS age
    FROM periods
)
