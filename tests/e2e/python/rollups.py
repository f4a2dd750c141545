"""What the rollups must hold, computed from the event file alone by DuckDB: no table and no code of Bellwether.

usage: rollups.py EVENTS.ndjson
Prints {"usage": [...], "apps": [...], "countries": [...], "health": [...], "routing": [...], "speeds": {...}}; rows are sorted and named like the SQL that the
test runs over the rollups. Definitions: METRICS, sections 2 to 4.
"""

import json
import math
import sys

import duckdb

EVENTS = sys.argv[1]
FAULTS = {401: "auth", 402: "payment", 404: "not_found", 408: "timeout", 504: "timeout", 503: "overloaded", 529: "overloaded"}
CLIENT = {400: "bad_request", 409: "bad_request", 422: "bad_request", 403: "geo", 413: "too_large"}
BY_CLASS = {
    **dict.fromkeys(
        "auth payment not_found timeout connection overloaded server_error stream_error error_finish".split(), "fault"
    ),
    "rate_limit": "rate_limited",
    **dict.fromkeys("bad_request context_length content_policy too_large geo unsupported".split(), "client_error"),
    "client_disconnect": "cancelled",
}

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
classes = ", ".join(f"('{name}', '{outcome}')" for name, outcome in BY_CLASS.items())
db.execute(f"CREATE TABLE classes AS SELECT * FROM (VALUES {classes}) AS t(error_class, outcome)")

statuses = ", ".join(f"({status}, '{name}')" for status, name in {**FAULTS, **CLIENT, 429: "rate_limit", 499: "client_disconnect"}.items())
db.execute(f"CREATE TABLE statuses AS SELECT * FROM (VALUES {statuses}) AS t(status, class)")

number = "BIGINT"
fields = {
    "model": "VARCHAR", "provider": "VARCHAR", "endpoint_id": "VARCHAR", "region": "VARCHAR",
    "started_at": "TIMESTAMPTZ", "duration_ms": "DOUBLE", "ttft_ms": "DOUBLE", "outcome": "VARCHAR",
    "error_class": "VARCHAR", "http_status": "INTEGER", "finish_reason": "VARCHAR", "input_tokens": number,
    "cached_input_tokens": number, "cache_write_tokens": number, "output_tokens": number, "reasoning_tokens": number,
    "output_images": number, "tool_calls": number, "web_searches": number, "cost_usd": "DECIMAL(18, 9)",
    "gateway_cache_hit": "BOOLEAN",
}
attempt_type = "STRUCT(" + ", ".join(f'"{name}" {kind}' for name, kind in fields.items()) + ")[]"
db.execute(
    f"""
    CREATE TABLE events AS SELECT * FROM read_json(?, format = 'newline_delimited', maximum_object_size = 33554432,
      columns = {{request_id: 'VARCHAR', started_at: 'TIMESTAMPTZ', streamed: 'BOOLEAN', user_id: 'VARCHAR',
                  user_key: 'VARCHAR', app_id: 'VARCHAR', country: 'VARCHAR', input_images: 'BIGINT',
                  attempts: '{attempt_type}'}})
    """,
    [EVENTS],
)
# One row per upstream call. A class that the log names wins, then its outcome, then the status.
db.execute(
    """
    CREATE TABLE calls AS
    WITH flat AS (
      SELECT request_id, streamed, coalesce(user_id, user_key) AS person, app_id, country, input_images,
             coalesce(a.started_at, e.started_at) AS began, position, a.*
      FROM events e, unnest(attempts) WITH ORDINALITY AS t(a, position)
    ), classed AS (
      SELECT flat.* EXCLUDE (outcome, error_class, started_at), flat.outcome AS said,
             CASE WHEN flat.error_class IS NOT NULL THEN flat.error_class
                  WHEN flat.outcome = 'ok' THEN ''
                  WHEN http_status BETWEEN 200 AND 299 AND finish_reason = 'error' THEN 'error_finish'
                  WHEN coalesce(http_status, 200) BETWEEN 200 AND 299 THEN ''
                  ELSE coalesce(statuses.class, 'server_error') END AS error_class
      FROM flat LEFT JOIN statuses ON statuses.status = flat.http_status
    )
    SELECT classed.*, coalesce(classes.outcome, 'ok') AS outcome,
           coalesce(gateway_cache_hit, false) AS cached,
           coalesce(classes.outcome, 'ok') = 'ok'
             OR (classes.outcome = 'cancelled' AND (output_tokens >= 1 OR ttft_ms IS NOT NULL)) AS served
    FROM classed LEFT JOIN classes USING (error_class)
    """
)
disagreeing = db.execute("SELECT count(*) FROM calls WHERE said IS NOT NULL AND said <> outcome").fetchone()[0]
assert disagreeing == 0, f"{disagreeing} calls whose class is not of their outcome"


def rows(sql):
    cursor = db.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


usage = rows(
    """
    SELECT strftime(began, '%Y-%m-%d') AS date, model AS model_id, provider AS provider_id,
           count(*) FILTER (WHERE served) AS requests,
           count(*) FILTER (WHERE served AND cached) AS gateway_cache_hits,
           count(*) FILTER (WHERE served AND streamed) AS streamed_requests,
           count(*) FILTER (WHERE served AND person IS NOT NULL) AS requests_with_user,
           coalesce(sum(input_tokens) FILTER (WHERE served), 0)::BIGINT AS input_tokens,
           coalesce(sum(cached_input_tokens) FILTER (WHERE served), 0)::BIGINT AS cached_input_tokens,
           coalesce(sum(output_tokens) FILTER (WHERE served), 0)::BIGINT AS output_tokens,
           coalesce(sum(reasoning_tokens) FILTER (WHERE served), 0)::BIGINT AS reasoning_tokens,
           coalesce(sum(tool_calls) FILTER (WHERE served), 0)::BIGINT AS tool_calls,
           coalesce(sum(input_images) FILTER (WHERE served), 0)::BIGINT AS input_images,
           (coalesce(sum(cost_usd), 0)::DECIMAL(38, 9))::VARCHAR AS cost_usd,
           (coalesce(sum(cost_usd) FILTER (WHERE NOT served), 0)::DECIMAL(38, 9))::VARCHAR AS unserved_cost_usd
    FROM calls GROUP BY ALL HAVING requests > 0 OR sum(calls.cost_usd) > 0 ORDER BY ALL
    """
)


def reach(key):
    return rows(
        f"""
        SELECT strftime(began, '%Y-%m-%d') AS date, {key}, model AS model_id,
               count(*) FILTER (WHERE served) AS requests,
               count(person) FILTER (WHERE served) AS requests_with_user,
               coalesce(sum(input_tokens) FILTER (WHERE served), 0)::BIGINT AS input_tokens,
               coalesce(sum(output_tokens) FILTER (WHERE served), 0)::BIGINT AS output_tokens,
               (coalesce(sum(cost_usd), 0)::DECIMAL(38, 9))::VARCHAR AS cost_usd
        FROM calls WHERE {key} IS NOT NULL GROUP BY ALL HAVING requests > 0 OR sum(calls.cost_usd) > 0 ORDER BY ALL
        """
    )


class_counts = ", ".join(
    f"count(*) FILTER (WHERE error_class = '{name}') AS {outcome.split('_')[0]}_{name}"
    for name, outcome in BY_CLASS.items()
    if outcome in ("fault", "client_error")
)
health = rows(
    f"""
    SELECT strftime(began, '%Y-%m-%d') AS date, model AS model_id, provider AS provider_id, endpoint_id,
           count(*) AS attempts, count(*) FILTER (WHERE outcome = 'ok') AS ok,
           count(*) FILTER (WHERE outcome = 'fault') AS fault,
           count(*) FILTER (WHERE outcome = 'rate_limited') AS rate_limited,
           count(*) FILTER (WHERE outcome = 'client_error') AS client_error,
           count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE outcome = 'cancelled' AND served) AS cancelled_delivered,
           {class_counts}
    FROM calls WHERE NOT cached AND provider IS NOT NULL GROUP BY ALL ORDER BY ALL
    """
)
# Population: requests whose first call was a success or a counted fault. The hour and the model are the first call's.
# Routing counts a call as a success when it ended ok, or was cancelled after delivery (METRICS, section 3).
routing = rows(
    """
    WITH ordered AS (
      SELECT request_id, first(model ORDER BY position) AS model_id, first(began ORDER BY position) AS began,
             first(CASE WHEN served THEN 'ok' ELSE outcome END ORDER BY position) AS first_outcome,
             last(CASE WHEN served THEN 'ok' ELSE outcome END ORDER BY position) AS last_outcome, count(*) AS attempts
      FROM calls WHERE NOT cached GROUP BY request_id
    )
    SELECT strftime(date_trunc('hour', began), '%Y-%m-%dT%H:00:00Z') AS hour, model_id,
           count(*) AS all_requests, sum(attempts)::BIGINT AS attempts,
           count(*) FILTER (WHERE first_outcome IN ('ok', 'fault')) AS requests,
           count(*) FILTER (WHERE first_outcome IN ('ok', 'fault') AND last_outcome = 'ok') AS routed_ok,
           count(*) FILTER (WHERE first_outcome = 'ok') AS first_ok,
           count(*) FILTER (WHERE first_outcome IN ('ok', 'fault', 'rate_limited')) AS requests_with_rate_limits,
           count(*) FILTER (WHERE first_outcome IN ('ok', 'fault', 'rate_limited') AND last_outcome = 'ok')
             AS routed_ok_with_rate_limits,
           count(*) FILTER (WHERE first_outcome = 'ok') AS first_ok_with_rate_limits
    FROM ordered GROUP BY ALL ORDER BY ALL
    """
)

# Exact values at rank floor(q * (n - 1)), for the endpoints with most calls.
SPEEDS = {
    # A "first token" that is the end of the call was not measured.
    "ttft_ms": "ttft_ms WHERE streamed AND served AND ttft_ms < coalesce(duration_ms, 1e18)",
    "duration_ms": "duration_ms WHERE outcome = 'ok' AND duration_ms IS NOT NULL",
    "tokens_per_s_e2e": "output_tokens * 1000.0 / duration_ms WHERE outcome = 'ok' AND output_tokens >= 1 AND duration_ms > 0",
    "tokens_per_s_decode": "(output_tokens - 1) * 1000.0 / (duration_ms - ttft_ms)"
    " WHERE outcome = 'ok' AND streamed AND output_tokens >= 20 AND duration_ms > ttft_ms",
}
speeds = {}
for name, expression in SPEEDS.items():
    value, condition = expression.split(" WHERE ")
    values = {}
    for model, provider, x in db.execute(
        f"SELECT model, provider, {value} FROM calls WHERE NOT cached AND provider IS NOT NULL AND {condition}"
    ).fetchall():
        values.setdefault(f"{model}\t{provider}", []).append(float(x))
    speeds[name] = {}
    for key, list_ in values.items():
        list_.sort()
        at = {str(q): list_[math.floor(q * (len(list_) - 1))] for q in (0.1, 0.5, 0.75, 0.9, 0.99)}
        speeds[name][key] = {"n": len(list_), **at}

found = {"usage": usage, "apps": reach("app_id"), "countries": reach("country"), "health": health, "routing": routing}
json.dump({**found, "speeds": speeds}, sys.stdout, default=str)
