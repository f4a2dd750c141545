"""Reads `attempts` of a warehouse in a bucket with three engines that share no code with Bellwether.

usage: bucket.py ENDPOINT BUCKET/PREFIX KEY SECRET
Prints the rows that each finds.
"""

import json
import sys

import deltalake
import polars

import duck

endpoint, place, key, secret = sys.argv[1:]
url = f"s3://{place}/attempts"
options = {
    "AWS_ENDPOINT_URL": endpoint,
    "AWS_ACCESS_KEY_ID": key,
    "AWS_SECRET_ACCESS_KEY": secret,
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
connection = duck.connect()
duck.load(connection, "duckdb-ext-httpfs")
connection.execute(
    "CREATE SECRET (TYPE s3, KEY_ID $key, SECRET $secret, REGION 'us-east-1', ENDPOINT $host, USE_SSL false, URL_STYLE path)"
    .replace("$key", f"'{key}'").replace("$secret", f"'{secret}'").replace("$host", f"'{endpoint.removeprefix('http://')}'")
)
table = deltalake.DeltaTable(url, storage_options=options)
scan = polars.scan_delta(url, storage_options=options)
json.dump(
    {
        "deltalake": int(table.count()),
        # An id that is read, not only counted: each file is opened.
        "polars": scan.select(polars.col("event_id").is_not_null().sum()).collect().item(),
        "duckdb": connection.execute("SELECT count(event_id) FROM delta_scan(?)", [url]).fetchone()[0],
    },
    sys.stdout,
)
