-- Goes on after `speeds`: nearly all endpoint hours have too few samples of everything.
SELECT speeds.*, starts_at AS hour
FROM speeds
WHERE
    ttft_ms_reason IS NULL
    OR duration_ms_reason IS NULL
    OR tokens_per_s_e2e_reason IS NULL
    OR tokens_per_s_decode_reason IS NULL
    OR overhead_us_reason IS NULL
