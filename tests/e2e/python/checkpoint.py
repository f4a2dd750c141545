"""Reads `attempts` of a warehouse with three engines that share no code with Bellwether.

usage: checkpoint.py WAREHOUSE APP...
Prints rows by each, version and active files by `deltalake`, and the version of each named application transaction.
"""

import json
import pathlib
import sys

import deltalake
import polars

import duck

folder = pathlib.Path(sys.argv[1]) / "attempts"
table = deltalake.DeltaTable(str(folder))
scan = polars.scan_delta(str(folder))
json.dump(
    {
        # An id that is read, not only counted: each file is opened.
        "polars": scan.select(polars.col("event_id").is_not_null().sum()).collect().item(),
        "duckdb": duck.delta_rows(duck.connect(), folder),
        "deltalake": {
            "rows": int(table.count()),
            "version": table.version(),
            "files": len(table.file_uris()),
        },
        "txns": {app: table.transaction_version(app) for app in sys.argv[2:]},
    },
    sys.stdout,
)
