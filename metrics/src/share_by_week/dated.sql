SELECT
    CAST(date_trunc('month', shares.period) AS date) AS month,
    shares.period AS week_start,
    shares.period < history.first_date OR shares.period + INTERVAL '6 days' >= history.today AS is_partial,
    shares.dimension,
    shares.key,
    shares.kind,
    shares.model,
    shares.variant,
    shares.author,
    shares.provider,
    shares.display_name,
    shares.tokens,
    shares.requests,
    shares.spend_usd,
    shares.spend_reason,
    shares.users,
    shares.users_reason,
    shares.tokens_share,
    shares.requests_share,
    shares.spend_share,
    shares.users_share,
    shares.tokens_rank
FROM history
CROSS JOIN shares
ORDER BY shares.period, shares.dimension, shares.tokens_rank, shares.kind, shares.key
