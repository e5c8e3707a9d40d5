"""No row in Parquet holds NaN: DuckDB would leave such rows out without a word."""

import math

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from storage.index.tables.arrow_tables import arrow_schema, conform
from storage.index.tables.columns import COLUMNS
from storage.index.tables.finite import without_nan

BAD = (math.nan, math.inf, -math.inf)
INNER = pa.struct([("share", pa.float64()), ("name", pa.string()), ("list", pa.list_(pa.float64()))])


@pytest.mark.parametrize("bad", BAD)
def test_floats_that_are_no_number_are_null(bad):
    """At any depth, with all else as it was, slices included."""
    schema = pa.schema(
        {"score": pa.float64(), "parts": pa.list_(INNER), "count": pa.int64()}, metadata={b"version": b"1"}
    )
    rows = [
        {"score": bad, "parts": [{"share": bad, "name": "a", "list": [1.0, bad]}], "count": 1},
        {"score": 0.5, "parts": None, "count": 2},
        {"score": None, "parts": [], "count": 3},
        {"score": 1.0, "parts": [None, {"share": 0.25, "name": None, "list": None}], "count": None},
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    found = without_nan(table)
    nulled = {"score": None, "parts": [{"share": None, "name": "a", "list": [1.0, None]}], "count": 1}
    assert found.to_pylist() == [nulled, *rows[1:]]
    assert found.schema.equals(schema, check_metadata=True)
    assert without_nan(table.slice(1)).to_pylist() == rows[1:]
    assert without_nan(table.slice(1)) is not None
    assert without_nan(table.slice(0, 0)).num_rows == 0


def test_a_table_on_its_way_to_parquet_loses_no_row_to_duckdb(tmp_path):
    """As it is, DuckDB answers from the file's statistics; with NULL all rows are there."""
    columns = COLUMNS["scenes"]
    blank = {column.name: None for column in columns}
    rows = [{**blank, "scene_index": n, "confidence": math.nan if n else 0.5} for n in range(3)]
    table = conform(pa.Table.from_pylist(rows, schema=arrow_schema(columns)), columns)
    path = tmp_path / "scenes.parquet"
    parquet.write_table(table, path)
    query = f"SELECT count(*), count(confidence) FROM '{path}' WHERE confidence IS NULL OR confidence >= 0"
    assert duckdb.sql(query).fetchall() == [(3, 1)]
