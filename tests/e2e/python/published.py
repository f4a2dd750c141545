"""What published tables must hold, computed by DuckDB from `attempts` alone, against what they hold.

usage: published.py WAREHOUSE
Prints, per table, how many rows were compared and the first that differ; and how far numbers of users and percentiles lie
from the exact ones. Decisions of who may be named are taken from the table `gate`. Definitions: the descriptions of columns
in docs/metrics.md.
"""

import json
import math
import pathlib
import sys

import duck

WAREHOUSE = pathlib.Path(sys.argv[1])
# As in the profiles private and demo.
GROWTH_REQUESTS = 100
SPEED_REQUESTS = 20
# Places of exact reals: the order of additions, and of roundings, is not the same in both engines.
CLOSE = 1e-9
REGISTERS = 4096

db = duck.connect()
db.execute("SET TimeZone = 'UTC'")
for folder in sorted(path.parent for path in WAREHOUSE.glob("*/_delta_log")):
    db.execute(f"CREATE VIEW {folder.name} AS SELECT * FROM delta_scan('{folder}')")

is_private, first_date, today, open_from = db.execute(
    """
    SELECT NOT EXISTS (FROM gate WHERE NOT is_public),
           (SELECT min(event_date) FROM attempts),
           CAST(published_at AS DATE), CAST(watermark - INTERVAL 2 HOURS AS DATE)
    FROM publications ORDER BY number DESC LIMIT 1
    """
).fetchone()

# One row per attempt, with the names that it would have.
db.execute(
    """
    CREATE TABLE calls AS
    WITH said AS (
        SELECT *,
            outcome = 'ok' OR (outcome = 'cancelled' AND (output_tokens >= 1 OR ttft_ms IS NOT NULL)) AS served,
            model_id || CASE WHEN variant IS NULL OR variant = 'standard' THEN '' ELSE ':' || variant END AS variant_key
        FROM attempts
    )
    SELECT CAST(started_at AS DATE) AS date, said.*,
        $private OR coalesce(v.is_public, false) AS is_public,
        $private OR coalesce(p.is_public, false) AS provider_is_public
    FROM said
    LEFT JOIN gate AS v ON v.dimension = 'variant' AND v.key = variant_key AND v.date = CAST(started_at AS DATE)
    LEFT JOIN gate AS p ON p.dimension = 'provider' AND p.key = provider_id AND p.date = CAST(started_at AS DATE)
    """,
    {"private": is_private},
)

# Each served or charged attempt once a dimension, under the row that it is part of.
DIMENSIONS = {
    "total": "'total'",
    "author": "CASE WHEN NOT is_public THEN '/hidden' ELSE coalesce(author, '/unmapped') END",
    "model": "CASE WHEN NOT is_public THEN '/hidden' ELSE coalesce(model_id, '/unmapped') END",
    "variant": "CASE WHEN NOT is_public THEN '/hidden' ELSE coalesce(variant_key, '/unmapped') END",
    "provider": "CASE WHEN NOT is_public THEN '/hidden' WHEN provider_id IS NULL THEN '/none'"
    " WHEN NOT provider_is_public THEN '/hidden' ELSE provider_id END",
}
OWN = {"total": "NULL", "author": "author", "model": "model_id", "variant": "variant_key", "provider": "provider_id"}
keys = " UNION ALL ".join(f"SELECT '{name}' AS dimension, {key} AS name, {OWN[name]} AS own, * FROM calls" for name, key in DIMENSIONS.items())
db.execute(
    f"""
    CREATE VIEW keyed AS
    SELECT * EXCLUDE (name), ltrim(name, '/') AS key,
        CASE WHEN dimension = 'total' THEN 'total' WHEN starts_with(name, '/') THEN ltrim(name, '/') ELSE 'key' END AS kind
    FROM ({keys}) WHERE served OR cost_usd > 0
    """
)


def served(value):
    return f"coalesce(sum({value}) FILTER (WHERE served), 0)::HUGEINT"


def count(condition):
    return f"count(*) FILTER (WHERE served AND {condition})"


BUCKETS = {"context_1k": 1e3, "context_10k": 1e4, "context_100k": 1e5, "context_1m": 1e6, "context_10m": 1e7, "context_over_10m": 1e30}
bounds = [0, *BUCKETS.values()]
DAY = {
    "requests": count("true"),
    "gateway_cache_hits": count("gateway_cache_hit"),
    "streamed_requests": count("streamed"),
    "requests_with_user": count("user_key IS NOT NULL"),
    **{name: served(name) for name in "input_tokens cached_input_tokens cache_write_tokens output_tokens reasoning_tokens".split()},
    "tokens": f"{served('input_tokens')} + {served('output_tokens')}",
    "unpriced_requests": count("cost_usd IS NULL"),
    "unpriced_tokens": "coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))"
    " FILTER (WHERE served AND cost_usd IS NULL), 0)::HUGEINT",
    **{name: served(name) for name in "input_images input_audio input_video output_images tool_calls web_searches".split()},
    "requests_image_in": count("input_images >= 1"),
    "requests_image_out": count("output_images >= 1"),
    "requests_audio_in": count("input_audio >= 1"),
    "requests_tool_call": count("tool_calls >= 1"),
    **{
        name: count(f"input_tokens <= {bound} AND ({before} = 0 OR input_tokens > {before})")
        for (name, bound), before in zip(BUCKETS.items(), bounds)
    },
    "spend_usd": "coalesce(sum(cost_usd), 0)::DECIMAL(38, 9)",
    "unserved_spend_usd": "coalesce(sum(cost_usd) FILTER (WHERE NOT served), 0)::DECIMAL(38, 9)",
}
db.execute(f"CREATE TABLE days AS SELECT date, dimension, kind, key, {', '.join(f'{sql} AS {name}' for name, sql in DAY.items())} FROM keyed GROUP BY ALL")

# Days of a name on which nothing of it is public.
db.execute(
    """
    CREATE TABLE hidden_days AS
    SELECT DISTINCT date, dimension, own AS key FROM keyed WHERE kind = 'hidden' AND own IS NOT NULL
    EXCEPT SELECT date, dimension, key FROM days WHERE kind = 'key'
    """
)
# Who uses nothing but what is hidden is counted nowhere.
db.execute(
    """
    CREATE TABLE people AS
    SELECT DISTINCT date, dimension, kind, key, user_key
    FROM keyed WHERE served AND user_key IS NOT NULL AND kind <> 'hidden' AND (dimension <> 'total' OR is_public)
    """
)

report = {}


def compare(table, found, expected, by, exact, close):
    """Both are SQL of rows that are unique by `by`; columns `exact` must be equal, `close` up to roundings."""
    db.execute(f"CREATE OR REPLACE TABLE found AS {found}")
    db.execute(f"CREATE OR REPLACE TABLE expected AS {expected}")
    using = ", ".join(by)
    differs = [f"f.{name} IS DISTINCT FROM e.{name}" for name in exact]
    differs += [
        f"NOT (coalesce(abs(f.{name} - e.{name}) <= {CLOSE} * greatest(abs(e.{name}), 1), false) OR (f.{name} IS NULL AND e.{name} IS NULL))"
        for name in close
    ]
    named = ", ".join(
        f"CASE WHEN {sql} THEN '{name}: ' || coalesce(CAST(f.{name} AS VARCHAR), 'null') || ', exactly ' || coalesce(CAST(e.{name} AS VARCHAR), 'null') END"
        for name, sql in zip([*exact, *close], differs)
    )
    ids = " || ' ' || ".join(f"CAST({name} AS VARCHAR)" for name in by)
    rows = db.execute(
        f"""
        SELECT {ids}, f.is_there IS NULL, e.is_there IS NULL, concat_ws('; ', {named})
        FROM (SELECT true AS is_there, * FROM found) AS f
        FULL JOIN (SELECT true AS is_there, * FROM expected) AS e USING ({using})
        WHERE f.is_there IS NULL OR e.is_there IS NULL OR {' OR '.join(differs)} LIMIT 5
        """
    ).fetchall()
    said = [f"{row[0]}: " + ("missing" if row[1] else "not expected" if row[2] else row[3]) for row in rows]
    number = db.execute("SELECT count(*) FROM expected").fetchone()[0]
    report[table] = {"rows": number, "differing": said, "columns": len(exact) + len(close)}


def found(table, columns):
    return f"SELECT {', '.join(columns)} FROM {table} WHERE dimension <> 'model_provider'"


ROW = ["dimension", "kind", "key"]
compare("usage_by_day", found("usage_by_day", ["date", *ROW, *DAY]), "SELECT * FROM days", ["date", *ROW], list(DAY), [])

SUMS = "tokens requests spend_usd unserved_spend_usd unpriced_requests unpriced_tokens input_tokens cached_input_tokens requests_with_user".split()
SPEND = "CASE WHEN requests > 0 AND unpriced_requests >= requests AND spend_usd = 0 THEN NULL ELSE spend_usd END"


def rank(by, of, suffix=""):
    column = f"{by}{suffix}"
    return f"CASE WHEN kind = 'key' AND {column} > 0 THEN row_number() OVER (PARTITION BY {of}, kind = 'key' AND {column} > 0 ORDER BY {column} DESC, key) END"


def share(column, of, suffix=""):
    name = f"{column}{suffix}"
    return f"CAST({name} AS DOUBLE) / nullif(CAST(max({name}) FILTER (WHERE kind = 'total') OVER (PARTITION BY {of}) AS DOUBLE), 0)"


def sums(periods, first="first", last="last"):
    """Sums of the days from `first` to `last` of each row of `periods`."""
    columns = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    return f"SELECT p.period, {', '.join(ROW)}, {columns} FROM ({periods}) AS p JOIN days ON date BETWEEN p.{first} AND p.{last} GROUP BY ALL"


def users(periods, first="first", last="last"):
    """Numbers of users, exactly."""
    return f"SELECT p.period, {', '.join(ROW)}, count(DISTINCT user_key) AS users FROM ({periods}) AS p JOIN people ON date BETWEEN p.{first} AND p.{last} GROUP BY ALL"


# Rankings. A period is its number.
ends = f"""
    WITH ends AS (SELECT CAST(unnest(generate_series(greatest(DATE '{first_date}', DATE '{today}' - 35), DATE '{open_from}' - 1, INTERVAL 1 DAY)) AS DATE) AS last)
    SELECT last, unnest(CASE WHEN dayofweek(last) = 0 OR last = DATE '{open_from}' - 1 THEN [1, 7, 28, 30, 90, 364] ELSE [1, 7, 28] END) AS n FROM ends
"""
db.execute(
    f"""
    CREATE TABLE windows AS
    SELECT row_number() OVER (ORDER BY last, n) AS period, last, n, last - CAST(n - 1 AS INT) AS first,
        last - CAST(n AS INT) AS last_before, last - CAST(2 * n - 1 AS INT) AS first_before,
        last - CAST(4 * n - 1 AS INT) AS first_of_three,
        last - CAST(2 * n - 1 AS INT) >= DATE '{first_date}' AS has_before,
        last - CAST(4 * n - 1 AS INT) >= DATE '{first_date}' AS has_three
    FROM ({ends})
    """
)
windows = "FROM windows SELECT *"
PRICE = "CASE WHEN tokens > unpriced_tokens THEN CAST(spend_usd - unserved_spend_usd AS DOUBLE) * 1e6 / CAST(tokens - unpriced_tokens AS DOUBLE) END"
db.execute(
    f"""
    CREATE TABLE spreads AS
    SELECT period, model_id AS key, max(price) / min(price) AS spread, count(*) AS n
    FROM (
        SELECT period, model_id, {PRICE} AS price, tokens - unpriced_tokens AS priced
        FROM (
            SELECT period, model_id, provider_id, {', '.join(f'{DAY[name]} AS {name}' for name in SUMS)}
            FROM windows JOIN keyed ON date BETWEEN first AND last
            WHERE dimension = 'provider' AND kind = 'key' AND model_id IS NOT NULL
            GROUP BY ALL
        )
    )
    WHERE price > 0 AND priced >= 1000000 GROUP BY ALL HAVING count(*) >= 2
    """
)
db.execute(f"CREATE TABLE sums_now AS {sums(windows)}")
db.execute(f"CREATE TABLE sums_before AS {sums(windows, 'first_before', 'last_before')}")
db.execute(f"CREATE TABLE sums_three AS {sums(windows, 'first_of_three', 'last_before')}")
db.execute(f"CREATE TABLE users_now AS {users(windows)}")
db.execute(f"CREATE TABLE users_before AS {users(windows, 'first_before', 'last_before')}")
# Names that had traffic before and have none now take places of then.
db.execute(
    f"""
    CREATE TABLE ranked AS
    WITH joined AS (
        SELECT w.*, {', '.join(ROW)}, n.period IS NOT NULL AS is_shown,
            n.tokens, n.requests, {SPEND.replace('requests', 'n.requests').replace('unpriced_n.requests', 'n.unpriced_requests').replace('spend_usd', 'n.spend_usd')} AS spend_usd,
            n.unserved_spend_usd, n.unpriced_requests, n.unpriced_tokens, n.input_tokens, n.cached_input_tokens,
            n.requests_with_user, n.spend_usd AS all_spend,
            b.period IS NOT NULL AS was_shown, b.tokens AS b_tokens, b.requests AS b_requests, b.spend_usd AS b_spend,
            b.unpriced_requests AS b_unpriced, t.tokens AS t_tokens,
            EXISTS (FROM hidden_days AS h WHERE h.dimension = coalesce(n.dimension, b.dimension)
                AND h.key = coalesce(n.key, b.key) AND coalesce(n.kind, b.kind) = 'key'
                AND h.date BETWEEN w.first_before AND w.last_before) AS was_hidden,
            EXISTS (FROM hidden_days AS h WHERE h.dimension = coalesce(n.dimension, b.dimension)
                AND h.key = coalesce(n.key, b.key) AND coalesce(n.kind, b.kind) = 'key'
                AND h.date BETWEEN w.first_of_three AND w.last_before) AS was_hidden_in_three
        FROM sums_now AS n
        FULL JOIN sums_before AS b USING (period, dimension, kind, key)
        JOIN windows AS w USING (period)
        LEFT JOIN sums_three AS t USING (period, dimension, kind, key)
    ), known AS (
        SELECT *,
            CASE WHEN has_before AND (was_shown OR NOT was_hidden) THEN coalesce(b_tokens, 0) END AS tokens_before,
            CASE WHEN has_before AND (was_shown OR NOT was_hidden) THEN coalesce(b_requests, 0) END AS requests_before,
            CASE WHEN has_before AND (was_shown OR NOT was_hidden)
                AND NOT coalesce(b_requests > 0 AND b_unpriced >= b_requests AND b_spend = 0, false)
                THEN coalesce(b_spend, 0) END AS spend_usd_before,
            CASE WHEN has_three AND NOT was_hidden_in_three
                THEN CAST(tokens AS DOUBLE) - CAST(coalesce(t_tokens, 0) AS DOUBLE) / 3 END AS tokens_excess,
            CASE WHEN NOT has_before THEN 'no_history' WHEN was_hidden THEN 'hidden_before'
                WHEN coalesce(b_requests, 0) = 0 THEN 'new'
                WHEN least(requests, b_requests) < {GROWTH_REQUESTS} THEN 'below_guard' END AS requests_change_reason
        FROM joined
    )
    SELECT *, last AS end_date, n AS window_days,
        {rank('tokens', 'period, dimension')} AS tokens_rank,
        {rank('requests', 'period, dimension')} AS requests_rank,
        {rank('spend_usd', 'period, dimension')} AS spend_rank,
        {rank('tokens', 'period, dimension', '_before')} AS tokens_rank_before,
        {rank('requests', 'period, dimension', '_before')} AS requests_rank_before,
        {rank('spend_usd', 'period, dimension', '_before')} AS spend_rank_before,
        {share('tokens', 'period')} AS tokens_share,
        {share('requests', 'period')} AS requests_share,
        {share('spend_usd', 'period')} AS spend_share,
        {share('tokens', 'period', '_before')} AS tokens_share_before,
        {share('requests', 'period', '_before')} AS requests_share_before,
        {share('spend_usd', 'period', '_before')} AS spend_share_before,
        coalesce(requests_change_reason, CASE WHEN tokens_before = 0 THEN 'not_enough' END) AS tokens_change_reason,
        coalesce(requests_change_reason, CASE WHEN spend_usd IS NULL OR spend_usd_before IS NULL THEN 'unpriced'
            WHEN spend_usd_before = 0 THEN 'not_enough' END) AS spend_change_reason,
        CASE WHEN tokens > unpriced_tokens
            THEN CAST(all_spend - unserved_spend_usd AS DOUBLE) * 1e6 / CAST(tokens - unpriced_tokens AS DOUBLE) END AS effective_price,
        CAST(cached_input_tokens AS DOUBLE) / nullif(CAST(input_tokens AS DOUBLE), 0) AS cache_hit_rate,
        CAST(requests_with_user AS DOUBLE) / nullif(CAST(requests AS DOUBLE), 0) AS requests_with_user_share,
        CAST(unpriced_requests AS DOUBLE) / nullif(CAST(requests AS DOUBLE), 0) AS unpriced_requests_share
    FROM known
    """
)


def change(column):
    name = column.removesuffix("_usd")
    return f"CASE WHEN {name}_change_reason IS NULL THEN CAST({column} AS DOUBLE) / CAST({column}_before AS DOUBLE) - 1 END AS {name}_change"


COUNTS = "tokens requests spend_usd unserved_spend_usd tokens_rank requests_rank spend_rank tokens_before requests_before spend_usd_before tokens_rank_before requests_rank_before spend_rank_before tokens_change_reason requests_change_reason spend_change_reason".split()
RATIOS = "tokens_share requests_share spend_share tokens_share_before requests_share_before spend_share_before tokens_change requests_change spend_change tokens_excess effective_price price_spread cache_hit_rate requests_with_user_share unpriced_requests_share".split()
OF_WINDOW = ["end_date", "window_days", *ROW]
compare(
    "rankings",
    found("rankings", [*OF_WINDOW, *COUNTS, *RATIOS]),
    f"""
    SELECT ranked.*, {change('tokens')}, {change('requests')}, {change('spend_usd')},
        CASE WHEN dimension = 'model' AND kind = 'key' THEN spreads.spread END AS price_spread
    FROM ranked LEFT JOIN spreads USING (period, key) WHERE is_shown
    """,
    OF_WINDOW,
    COUNTS,
    RATIOS,
)


def of_users(table, expected, column="users", others="", join="FULL"):
    """How far numbers of users lie from the exact ones, in standard errors of HyperLogLog."""
    rows = db.execute(
        f"SELECT f.{column}, e.users FROM {table} AS f {join} JOIN ({expected}) AS e USING ({others}) "
        "WHERE f.dimension IS NULL OR (f.dimension <> 'model_provider' AND f.kind <> 'hidden')"
    ).fetchall()
    # A standard error is 1.04 / √m of the number; a number is whole, so of few users it is one at least.
    deviations = sorted(
        abs((found or 0) - (exact or 0)) / max(1.04 / math.sqrt(REGISTERS) * (exact or 0), 1) for found, exact in rows
    )
    few = [found == exact for found, exact in rows if exact and exact <= 5]
    report.setdefault("users", {})[f"{table}.{column}"] = {
        "rows": len(rows),
        "largest": max(exact or 0 for _, exact in rows),
        "few": len(few),
        "few_exact": sum(few) / len(few),
        "within_three": sum(value <= 3 for value in deviations) / len(deviations),
        "most": deviations[-1],
    }


of_users(
    "rankings",
    "SELECT windows.last AS end_date, windows.n AS window_days, dimension, kind, key, users FROM users_now JOIN windows USING (period)",
    others=", ".join(OF_WINDOW),
)
# Of names that are shown; those of then alone are in no row.
of_users(
    "rankings",
    "SELECT windows.last AS end_date, windows.n AS window_days, dimension, kind, key, users FROM users_before JOIN windows USING (period) WHERE has_before",
    column="users_before",
    others=", ".join(OF_WINDOW),
    join="LEFT",
)
report["users_follow"] = db.execute(
    """
    SELECT count(*), count(*) FILTER (WHERE
        NOT coalesce(abs(users_share - users / total) < 1e-12, users_share IS NULL AND (users IS NULL OR total IS NULL))
        OR users_rank IS DISTINCT FROM own_rank)
    FROM (
        SELECT *, max(users) FILTER (WHERE kind = 'total') OVER (PARTITION BY end_date, window_days) AS total,
            CASE WHEN kind = 'key' AND users > 0 THEN row_number() OVER (
                PARTITION BY end_date, window_days, dimension, kind = 'key' AND users > 0 ORDER BY users DESC, key) END AS own_rank
        FROM rankings
    ) WHERE dimension <> 'model_provider'
    """
).fetchone()

# Weeks and months.
for table, unit, date in [("share_by_week", "week", "week_start"), ("growth_by_month", "month", "month")]:
    periods = f"SELECT DISTINCT CAST(date_trunc('{unit}', date) AS DATE) AS period, CAST(date_trunc('{unit}', date) AS DATE) AS first, CAST(date_trunc('{unit}', date) + INTERVAL 1 {unit} - INTERVAL 1 DAY AS DATE) AS last FROM days"
    exact = ["tokens", "requests", "spend_usd", "tokens_rank", "is_partial"]
    close = ["tokens_share", "requests_share", "spend_share"]
    shares = f"""
        WITH known AS (SELECT * REPLACE ({SPEND} AS spend_usd) FROM ({sums(periods)})), placed AS (
            SELECT *, {rank('tokens', 'period, dimension')} AS tokens_rank, {share('tokens', 'period')} AS tokens_share,
                {share('requests', 'period')} AS requests_share, {share('spend_usd', 'period')} AS spend_share,
                period < DATE '{first_date}' OR period + INTERVAL 1 {unit} > DATE '{today}' AS is_partial
            FROM known
        )
    """
    if unit == "week":
        expected = f"{shares} SELECT *, period AS {date} FROM placed"
    else:
        exact += ["active_models", "active_models_100", "new_models", "tokens_growth_reason", "requests_growth_reason", "tokens_growth_6m_reason"]
        close += ["author_hhi", "provider_hhi", "tokens_growth", "requests_growth", "tokens_growth_6m", "requests_growth_6m"]
        first_month = f"date_trunc('month', DATE '{first_date}')"

        def growth(column, months, power):
            base = f"CASE WHEN period - INTERVAL {months} MONTH >= DATE '{first_date}' AND NOT is_running THEN pow(CAST(t.{column} AS DOUBLE) / (SELECT sum({column}) FROM totals AS o WHERE o.period = t.period - INTERVAL {months} MONTH), {power}) - 1 END"
            return base

        def why(months):
            return f"CASE WHEN period - INTERVAL {months} MONTH < DATE '{first_date}' THEN 'no_history' WHEN is_running THEN 'not_enough' END"

        expected = f"""
            {shares}, totals AS (FROM placed SELECT *, period + INTERVAL 1 MONTH > DATE '{today}' AS is_running WHERE kind = 'total'),
            models AS (
                SELECT period, count(*) FILTER (WHERE requests >= 1) AS active_models,
                    count(*) FILTER (WHERE requests >= 100) AS active_models_100,
                    CASE WHEN period <> {first_month} THEN count(*) FILTER (WHERE first_month = period) END AS new_models
                FROM placed JOIN (
                    SELECT model_id AS key, date_trunc('month', min(date)) AS first_month FROM calls WHERE served OR cost_usd > 0 GROUP BY 1
                ) USING (key)
                WHERE dimension = 'model' AND kind = 'key' GROUP BY period
            ),
            concentrated AS (
                SELECT period, sum(tokens_share * tokens_share * 10000) FILTER (WHERE dimension = 'author') AS author_hhi,
                    sum(tokens_share * tokens_share * 10000) FILTER (WHERE dimension = 'provider') AS provider_hhi
                FROM placed WHERE kind = 'key' GROUP BY period
            ),
            grown AS (
                SELECT period, {growth('tokens', 1, 1)} AS tokens_growth, {growth('requests', 1, 1)} AS requests_growth,
                    {growth('tokens', 6, '1.0 / 6')} AS tokens_growth_6m, {growth('requests', 6, '1.0 / 6')} AS requests_growth_6m,
                    {why(1)} AS tokens_growth_reason, {why(1)} AS requests_growth_reason, {why(6)} AS tokens_growth_6m_reason
                FROM totals AS t
            )
            SELECT placed.*, placed.period AS month, m.* EXCLUDE (period), round(author_hhi, 6) AS author_hhi,
                round(provider_hhi, 6) AS provider_hhi, g.* EXCLUDE (period)
            FROM placed
            LEFT JOIN models AS m ON m.period = placed.period AND kind = 'total'
            LEFT JOIN concentrated AS c ON c.period = placed.period AND kind = 'total'
            LEFT JOIN grown AS g ON g.period = placed.period AND kind = 'total'
        """
    compare(table, found(table, [date, *ROW, *exact, *close]), expected, [date, *ROW], exact, close)
    of_users(table, f"SELECT period AS {date}, * EXCLUDE (period) FROM ({users(periods)})", others=f"{date}, {', '.join(ROW)}")

# Percentiles of days, by provider and by model: the exact value at rank floor(q * (n - 1)).
SPEEDS = {
    "ttft_ms": ("ttft_ms", "streamed AND served"),
    "duration_ms": ("duration_ms", "outcome = 'ok'"),
    "tokens_per_s_e2e": ("output_tokens * 1000.0 / duration_ms", "outcome = 'ok' AND output_tokens >= 1 AND duration_ms > 0"),
    "tokens_per_s_decode": (
        "(output_tokens - 1) * 1000.0 / (duration_ms - ttft_ms)",
        "outcome = 'ok' AND streamed AND output_tokens >= 20 AND duration_ms > ttft_ms",
    ),
    "overhead_us": ("overhead_us", "true"),
}
compared, worst = 0, (0.0, "")
for name, (value, condition) in SPEEDS.items():
    quantiles = [50, 95, 99] if name == "overhead_us" else [50, 75, 90, 99]
    if name.startswith("tokens"):
        quantiles = [10, *quantiles]
    for dimension, key in [("provider", "provider_id"), ("model", "model_id")]:
        for date, row_key, samples, *found_values, values in db.execute(
            f"""
            SELECT h.date, h.key, h.{name}_samples, {', '.join(f'h.{name}_p{q}' for q in quantiles)}, list_sort(e.xs)
            FROM health_by_day AS h JOIN (
                SELECT date, {key} AS key, list(CAST({value} AS DOUBLE)) AS xs FROM calls
                WHERE NOT coalesce(gateway_cache_hit, false) AND {condition} AND ({value}) IS NOT NULL GROUP BY ALL
            ) AS e USING (date, key)
            WHERE h.dimension = '{dimension}' AND NOT h.counts_are_bands
            """
        ).fetchall():
            assert samples == len(values), f"{name} of {row_key} on {date}: {samples} samples, exactly {len(values)}"
            for q, value_found in zip(quantiles, found_values):
                if len(values) < SPEED_REQUESTS:
                    assert value_found is None, f"{name}_p{q} of {row_key} on {date} of {len(values)} samples"
                    continue
                exact_value = values[math.floor(q / 100 * (len(values) - 1))]
                error = abs(value_found - exact_value) / max(abs(exact_value), 1e-12)
                worst = max(worst, (error, f"{name}_p{q} of {row_key} on {date}: {value_found}, exactly {exact_value}"))
                compared += 1
report["percentiles"] = {"compared": compared, "worst": worst[0], "which": worst[1]}
report["is_private"] = is_private
json.dump(report, sys.stdout, default=str)
