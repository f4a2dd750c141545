"""Reads every table with three engines that share no code with Bellwether.

usage: delta.py WAREHOUSE
Prints, per table, rows by `deltalake`, Polars and DuckDB, and sums of some columns of `attempts` by Polars.
"""

import json
import pathlib
import sys

import deltalake
import polars

import duck

found = {}
connection = duck.connect()
for folder in sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/_delta_log")):
    table = deltalake.DeltaTable(str(folder))
    protocol = table.protocol()
    scan = polars.scan_delta(str(folder))
    found[folder.name] = {
        "deltalake": int(table.count()),
        "polars": scan.select(polars.len()).collect().item(),
        "duckdb": duck.delta_rows(connection, folder),
        "reader": protocol.min_reader_version,
        "writer": protocol.min_writer_version,
    }

attempts = polars.scan_delta(str(pathlib.Path(sys.argv[1]) / "attempts"))
sums = attempts.select(
    polars.col("input_tokens").sum(),
    polars.col("output_tokens").sum(),
    polars.col("cost_usd").sum().cast(polars.String),
    polars.col("event_id").n_unique().alias("event_ids"),
    polars.col("started_at").min().dt.epoch("us").alias("first"),
    polars.col("started_at").max().dt.epoch("us").alias("last"),
    (polars.col("outcome") == "ok").sum().alias("ok"),
).collect()
# One day alone must be found by the partition column too.
day = attempts.group_by("event_date").len().sort("event_date").head(1).collect()
json.dump({"tables": found, "sums": sums.to_dicts()[0], "day": [str(day[0, 0]), day[0, 1]]}, sys.stdout, default=str)
