-- Goes on after `figures`: percentiles of what was measured, of enough samples. Each sketch is read once for its number and
-- once for all of its percentiles.
,

counted AS (
    SELECT
        figures.* EXCEPT (least_samples),
        greatest(least_samples, 1) AS least_samples,
        coalesce(ddsketch_count(ttft_ms), 0) AS ttft_ms_n,
        coalesce(ddsketch_count(duration_ms), 0) AS duration_ms_n,
        coalesce(ddsketch_count(tokens_per_s_e2e), 0) AS tokens_per_s_e2e_n,
        coalesce(ddsketch_count(tokens_per_s_decode), 0) AS tokens_per_s_decode_n,
        coalesce(ddsketch_count(overhead_us), 0) AS overhead_us_n
    FROM figures
),

sampled AS (
    SELECT
        counted.* EXCEPT (ttft_ms, duration_ms, tokens_per_s_e2e, tokens_per_s_decode, overhead_us),
        CASE WHEN ttft_ms_n >= least_samples THEN ddsketch_quantiles(ttft_ms, make_array(0.50, 0.75, 0.90, 0.99)) END
            AS ttft_ms_q,
        CASE WHEN duration_ms_n >= least_samples THEN ddsketch_quantiles(duration_ms, make_array(0.50, 0.75, 0.90, 0.99)) END
            AS duration_ms_q,
        CASE WHEN tokens_per_s_e2e_n >= least_samples THEN ddsketch_quantiles(tokens_per_s_e2e, make_array(0.10, 0.50, 0.75, 0.90, 0.99)) END
            AS tokens_per_s_e2e_q,
        CASE WHEN tokens_per_s_decode_n >= least_samples THEN ddsketch_quantiles(tokens_per_s_decode, make_array(0.10, 0.50, 0.75, 0.90, 0.99)) END
            AS tokens_per_s_decode_q,
        CASE WHEN overhead_us_n >= least_samples THEN ddsketch_quantiles(overhead_us, make_array(0.50, 0.95, 0.99)) END
            AS overhead_us_q
    FROM counted
),

speeds AS (
    SELECT
        sampled.* EXCEPT (
            ttft_ms_n,
            duration_ms_n,
            tokens_per_s_e2e_n,
            tokens_per_s_decode_n,
            overhead_us_n,
            ttft_ms_q,
            duration_ms_q,
            tokens_per_s_e2e_q,
            tokens_per_s_decode_q,
            overhead_us_q
        ),
        band(ttft_ms_n, counts_are_bands) AS ttft_ms_samples,
        ttft_ms_q[1] AS ttft_ms_p50,
        ttft_ms_q[2] AS ttft_ms_p75,
        ttft_ms_q[3] AS ttft_ms_p90,
        ttft_ms_q[4] AS ttft_ms_p99,
        CASE WHEN ttft_ms_n < least_samples THEN 'not_enough' END AS ttft_ms_reason,
        band(duration_ms_n, counts_are_bands) AS duration_ms_samples,
        duration_ms_q[1] AS duration_ms_p50,
        duration_ms_q[2] AS duration_ms_p75,
        duration_ms_q[3] AS duration_ms_p90,
        duration_ms_q[4] AS duration_ms_p99,
        CASE WHEN duration_ms_n < least_samples THEN 'not_enough' END AS duration_ms_reason,
        band(tokens_per_s_e2e_n, counts_are_bands) AS tokens_per_s_e2e_samples,
        tokens_per_s_e2e_q[1] AS tokens_per_s_e2e_p10,
        tokens_per_s_e2e_q[2] AS tokens_per_s_e2e_p50,
        tokens_per_s_e2e_q[3] AS tokens_per_s_e2e_p75,
        tokens_per_s_e2e_q[4] AS tokens_per_s_e2e_p90,
        tokens_per_s_e2e_q[5] AS tokens_per_s_e2e_p99,
        CASE WHEN tokens_per_s_e2e_n < least_samples THEN 'not_enough' END AS tokens_per_s_e2e_reason,
        band(tokens_per_s_decode_n, counts_are_bands) AS tokens_per_s_decode_samples,
        tokens_per_s_decode_q[1] AS tokens_per_s_decode_p10,
        tokens_per_s_decode_q[2] AS tokens_per_s_decode_p50,
        tokens_per_s_decode_q[3] AS tokens_per_s_decode_p75,
        tokens_per_s_decode_q[4] AS tokens_per_s_decode_p90,
        tokens_per_s_decode_q[5] AS tokens_per_s_decode_p99,
        CASE WHEN tokens_per_s_decode_n < least_samples THEN 'not_enough' END AS tokens_per_s_decode_reason,
        band(overhead_us_n, counts_are_bands) AS overhead_us_samples,
        overhead_us_q[1] AS overhead_us_p50,
        overhead_us_q[2] AS overhead_us_p95,
        overhead_us_q[3] AS overhead_us_p99,
        CASE WHEN overhead_us_n < least_samples THEN 'not_enough' END AS overhead_us_reason
    FROM sampled
)
