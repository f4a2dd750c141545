-- Goes on after `figures`: all but speed. Sketches that nobody asks for are neither read nor merged.
SELECT
    figures.* EXCEPT (ttft_ms, duration_ms, tokens_per_s_e2e, tokens_per_s_decode, overhead_us),
    starts_at AS hour,
    starts_at AS bucket_at
FROM figures
