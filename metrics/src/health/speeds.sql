-- Goes on after `figures`: percentiles of what was measured, of enough samples. Each sketch is read once, for its number and
-- all of its percentiles.
,

summed_up AS (
    SELECT
        figures.* EXCEPT (least_samples, ttft_ms, duration_ms, tokens_per_s_e2e, tokens_per_s_decode, overhead_us),
        greatest(least_samples, 1) AS least_samples,
        ddsketch_summary(ttft_ms, greatest(least_samples, 1), make_array(0.50, 0.75, 0.90, 0.99)) AS ttft_ms_summary,
        ddsketch_summary(duration_ms, greatest(least_samples, 1), make_array(0.50, 0.75, 0.90, 0.99)) AS duration_ms_summary,
        ddsketch_summary(tokens_per_s_e2e, greatest(least_samples, 1), make_array(0.10, 0.50, 0.75, 0.90, 0.99)) AS tokens_per_s_e2e_summary,
        ddsketch_summary(tokens_per_s_decode, greatest(least_samples, 1), make_array(0.10, 0.50, 0.75, 0.90, 0.99)) AS tokens_per_s_decode_summary,
        ddsketch_summary(overhead_us, greatest(least_samples, 1), make_array(0.50, 0.95, 0.99)) AS overhead_us_summary
    FROM figures
),

sampled AS (
    SELECT
        summed_up.*,
        CAST(ttft_ms_summary[1] AS bigint) AS ttft_ms_n,
        CAST(duration_ms_summary[1] AS bigint) AS duration_ms_n,
        CAST(tokens_per_s_e2e_summary[1] AS bigint) AS tokens_per_s_e2e_n,
        CAST(tokens_per_s_decode_summary[1] AS bigint) AS tokens_per_s_decode_n,
        CAST(overhead_us_summary[1] AS bigint) AS overhead_us_n
    FROM summed_up
),

speeds AS (
    SELECT
        sampled.* EXCEPT (
            ttft_ms_n,
            duration_ms_n,
            tokens_per_s_e2e_n,
            tokens_per_s_decode_n,
            overhead_us_n,
            ttft_ms_summary,
            duration_ms_summary,
            tokens_per_s_e2e_summary,
            tokens_per_s_decode_summary,
            overhead_us_summary
        ),
        band(ttft_ms_n, counts_are_bands) AS ttft_ms_samples,
        ttft_ms_summary[2] AS ttft_ms_p50,
        ttft_ms_summary[3] AS ttft_ms_p75,
        ttft_ms_summary[4] AS ttft_ms_p90,
        ttft_ms_summary[5] AS ttft_ms_p99,
        CASE WHEN ttft_ms_n < least_samples THEN 'not_enough' END AS ttft_ms_reason,
        band(duration_ms_n, counts_are_bands) AS duration_ms_samples,
        duration_ms_summary[2] AS duration_ms_p50,
        duration_ms_summary[3] AS duration_ms_p75,
        duration_ms_summary[4] AS duration_ms_p90,
        duration_ms_summary[5] AS duration_ms_p99,
        CASE WHEN duration_ms_n < least_samples THEN 'not_enough' END AS duration_ms_reason,
        band(tokens_per_s_e2e_n, counts_are_bands) AS tokens_per_s_e2e_samples,
        tokens_per_s_e2e_summary[2] AS tokens_per_s_e2e_p10,
        tokens_per_s_e2e_summary[3] AS tokens_per_s_e2e_p50,
        tokens_per_s_e2e_summary[4] AS tokens_per_s_e2e_p75,
        tokens_per_s_e2e_summary[5] AS tokens_per_s_e2e_p90,
        tokens_per_s_e2e_summary[6] AS tokens_per_s_e2e_p99,
        CASE WHEN tokens_per_s_e2e_n < least_samples THEN 'not_enough' END AS tokens_per_s_e2e_reason,
        band(tokens_per_s_decode_n, counts_are_bands) AS tokens_per_s_decode_samples,
        tokens_per_s_decode_summary[2] AS tokens_per_s_decode_p10,
        tokens_per_s_decode_summary[3] AS tokens_per_s_decode_p50,
        tokens_per_s_decode_summary[4] AS tokens_per_s_decode_p75,
        tokens_per_s_decode_summary[5] AS tokens_per_s_decode_p90,
        tokens_per_s_decode_summary[6] AS tokens_per_s_decode_p99,
        CASE WHEN tokens_per_s_decode_n < least_samples THEN 'not_enough' END AS tokens_per_s_decode_reason,
        band(overhead_us_n, counts_are_bands) AS overhead_us_samples,
        overhead_us_summary[2] AS overhead_us_p50,
        overhead_us_summary[3] AS overhead_us_p95,
        overhead_us_summary[4] AS overhead_us_p99,
        CASE WHEN overhead_us_n < least_samples THEN 'not_enough' END AS overhead_us_reason
    FROM sampled
)
