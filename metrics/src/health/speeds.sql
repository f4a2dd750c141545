-- Goes on after `figures`: percentiles of what was measured, of enough samples.
,

sampled AS (
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

speeds AS (
    SELECT
        sampled.* EXCEPT (
            ttft_ms_n, duration_ms_n, tokens_per_s_e2e_n, tokens_per_s_decode_n, overhead_us_n, ttft_ms, duration_ms, tokens_per_s_e2e, tokens_per_s_decode, overhead_us
        ),
        band(ttft_ms_n, counts_are_bands) AS ttft_ms_samples,
        CASE WHEN ttft_ms_n >= least_samples THEN ddsketch_quantile(ttft_ms, 0.50) END AS ttft_ms_p50,
        CASE WHEN ttft_ms_n >= least_samples THEN ddsketch_quantile(ttft_ms, 0.75) END AS ttft_ms_p75,
        CASE WHEN ttft_ms_n >= least_samples THEN ddsketch_quantile(ttft_ms, 0.90) END AS ttft_ms_p90,
        CASE WHEN ttft_ms_n >= least_samples THEN ddsketch_quantile(ttft_ms, 0.99) END AS ttft_ms_p99,
        CASE WHEN ttft_ms_n < least_samples THEN 'not_enough' END AS ttft_ms_reason,
        band(duration_ms_n, counts_are_bands) AS duration_ms_samples,
        CASE WHEN duration_ms_n >= least_samples THEN ddsketch_quantile(duration_ms, 0.50) END AS duration_ms_p50,
        CASE WHEN duration_ms_n >= least_samples THEN ddsketch_quantile(duration_ms, 0.75) END AS duration_ms_p75,
        CASE WHEN duration_ms_n >= least_samples THEN ddsketch_quantile(duration_ms, 0.90) END AS duration_ms_p90,
        CASE WHEN duration_ms_n >= least_samples THEN ddsketch_quantile(duration_ms, 0.99) END AS duration_ms_p99,
        CASE WHEN duration_ms_n < least_samples THEN 'not_enough' END AS duration_ms_reason,
        band(tokens_per_s_e2e_n, counts_are_bands) AS tokens_per_s_e2e_samples,
        CASE WHEN tokens_per_s_e2e_n >= least_samples THEN ddsketch_quantile(tokens_per_s_e2e, 0.10) END AS tokens_per_s_e2e_p10,
        CASE WHEN tokens_per_s_e2e_n >= least_samples THEN ddsketch_quantile(tokens_per_s_e2e, 0.50) END AS tokens_per_s_e2e_p50,
        CASE WHEN tokens_per_s_e2e_n >= least_samples THEN ddsketch_quantile(tokens_per_s_e2e, 0.75) END AS tokens_per_s_e2e_p75,
        CASE WHEN tokens_per_s_e2e_n >= least_samples THEN ddsketch_quantile(tokens_per_s_e2e, 0.90) END AS tokens_per_s_e2e_p90,
        CASE WHEN tokens_per_s_e2e_n >= least_samples THEN ddsketch_quantile(tokens_per_s_e2e, 0.99) END AS tokens_per_s_e2e_p99,
        CASE WHEN tokens_per_s_e2e_n < least_samples THEN 'not_enough' END AS tokens_per_s_e2e_reason,
        band(tokens_per_s_decode_n, counts_are_bands) AS tokens_per_s_decode_samples,
        CASE WHEN tokens_per_s_decode_n >= least_samples THEN ddsketch_quantile(tokens_per_s_decode, 0.10) END AS tokens_per_s_decode_p10,
        CASE WHEN tokens_per_s_decode_n >= least_samples THEN ddsketch_quantile(tokens_per_s_decode, 0.50) END AS tokens_per_s_decode_p50,
        CASE WHEN tokens_per_s_decode_n >= least_samples THEN ddsketch_quantile(tokens_per_s_decode, 0.75) END AS tokens_per_s_decode_p75,
        CASE WHEN tokens_per_s_decode_n >= least_samples THEN ddsketch_quantile(tokens_per_s_decode, 0.90) END AS tokens_per_s_decode_p90,
        CASE WHEN tokens_per_s_decode_n >= least_samples THEN ddsketch_quantile(tokens_per_s_decode, 0.99) END AS tokens_per_s_decode_p99,
        CASE WHEN tokens_per_s_decode_n < least_samples THEN 'not_enough' END AS tokens_per_s_decode_reason,
        band(overhead_us_n, counts_are_bands) AS overhead_us_samples,
        CASE WHEN overhead_us_n >= least_samples THEN ddsketch_quantile(overhead_us, 0.50) END AS overhead_us_p50,
        CASE WHEN overhead_us_n >= least_samples THEN ddsketch_quantile(overhead_us, 0.95) END AS overhead_us_p95,
        CASE WHEN overhead_us_n >= least_samples THEN ddsketch_quantile(overhead_us, 0.99) END AS overhead_us_p99,
        CASE WHEN overhead_us_n < least_samples THEN 'not_enough' END AS overhead_us_reason
    FROM sampled
)
