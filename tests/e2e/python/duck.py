"""DuckDB with its Delta extension, whose binary comes as a Python package: nothing is downloaded while tests run."""

import importlib.metadata

import duckdb


def connect():
    files = importlib.metadata.files("duckdb-ext-delta")
    extension = next(file.locate() for file in files if file.name.endswith(".duckdb_extension"))
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    return connection


def delta_rows(connection, folder):
    return connection.execute("SELECT count(*) FROM delta_scan(?)", [str(folder)]).fetchone()[0]
