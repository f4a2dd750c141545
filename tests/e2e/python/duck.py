"""DuckDB with its extensions, whose binaries come as Python packages: nothing is downloaded while tests run."""

import importlib.metadata

import duckdb


def connect():
    connection = duckdb.connect()
    load(connection, "duckdb-ext-delta")
    return connection


def load(connection, package):
    files = importlib.metadata.files(package)
    extension = next(file.locate() for file in files if file.name.endswith(".duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")


def delta_rows(connection, folder):
    return connection.execute("SELECT count(*) FROM delta_scan(?)", [str(folder)]).fetchone()[0]
