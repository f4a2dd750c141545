-- Goes on after `speeds`: of windows of more than 30 days nothing is told of speed, not even that there was none.
SELECT
    speeds.* EXCEPT (
        ttft_ms_samples,
        duration_ms_samples,
        tokens_per_s_e2e_samples,
        tokens_per_s_decode_samples,
        overhead_us_samples
    ),
    date AS end_date,
    span AS window_days,
    CASE WHEN span <= 30 THEN ttft_ms_samples END AS ttft_ms_samples,
    CASE WHEN span <= 30 THEN duration_ms_samples END AS duration_ms_samples,
    CASE WHEN span <= 30 THEN tokens_per_s_e2e_samples END AS tokens_per_s_e2e_samples,
    CASE WHEN span <= 30 THEN tokens_per_s_decode_samples END AS tokens_per_s_decode_samples,
    CASE WHEN span <= 30 THEN overhead_us_samples END AS overhead_us_samples
FROM speeds
