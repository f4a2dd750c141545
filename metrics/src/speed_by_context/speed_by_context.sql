-- Rows of `speed_by_context` for the weeks that begin from $1 to $2. Only of weeks of which the rollup surely has every day.
WITH part AS (
    SELECT
        CAST(date_trunc('week', date) AS date) AS week_start,
        model_id AS model,
        coalesce(author, '') AS author_then,
        provider_id AS provider,
        context_bucket,
        ttft_ms,
        tokens_per_s_e2e,
        tokens_per_s_decode
    FROM context_speed_daily
    WHERE date BETWEEN CAST($1 AS date) AND CAST($2 AS date) + INTERVAL '6 days'
        AND CAST(date_trunc('week', date) AS date) BETWEEN CAST($1 AS date) AND CAST($2 AS date)
        AND CAST(date_trunc('week', date) AS date) >= today() - INTERVAL '35 days'
        AND model_id IS NOT NULL
        AND provider_id IS NOT NULL
),

authored AS (
    -- As in `cells`: the catalogue of today names the whole history.
    SELECT
        part.* EXCEPT (author_then),
        coalesce(catalogue_models.author, author_then) AS author,
        coalesce(catalogue_models.name, nullif(split_part(model, '/', 2), ''), model) AS model_name
    FROM catalogue_models
    RIGHT JOIN part ON part.model = catalogue_models.model_id
),

named AS (
    -- As in `health_cells`: what nobody can name is in no row.
    SELECT
        authored.*,
        coalesce(catalogue_providers.name, authored.provider) AS provider_name
    FROM terms
    CROSS JOIN authored
    LEFT JOIN catalogue_providers ON catalogue_providers.provider_id = authored.provider
    WHERE (authored.author <> '' OR terms.has_raw_names)
        AND (catalogue_providers.provider_id IS NOT NULL OR terms.has_raw_names)
),

merged AS (
    SELECT
        week_start,
        model,
        provider,
        context_bucket,
        max(author) AS author,
        max(model_name) || ' at ' || max(provider_name) AS display_name,
        ddsketch_merge(ttft_ms) AS ttft_ms,
        ddsketch_merge(tokens_per_s_e2e) AS tokens_per_s_e2e,
        ddsketch_merge(tokens_per_s_decode) AS tokens_per_s_decode
    FROM named
    GROUP BY week_start, model, provider, context_bucket
),

figures AS (
    -- With the sketches that rows of health have, so that percentiles are made by the same text.
    SELECT
        CAST(date_trunc('month', week_start) AS date) AS month,
        week_start,
        week_start + INTERVAL '6 days' >= terms.today AS is_partial,
        'model_provider' AS dimension,
        model || '@' || provider AS key,
        'key' AS kind,
        model,
        nullif(author, '') AS author,
        provider,
        display_name,
        context_bucket,
        -- As in the rows of health of a model at a provider.
        terms.users > 0 AS counts_are_bands,
        terms.speed_requests AS least_samples,
        ttft_ms,
        arrow_cast(NULL, 'Binary') AS duration_ms,
        tokens_per_s_e2e,
        tokens_per_s_decode,
        arrow_cast(NULL, 'Binary') AS overhead_us
    FROM terms
    CROSS JOIN merged
)

