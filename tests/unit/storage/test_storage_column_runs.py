"""Columns of a part lie in runs: what readers of Parquet make of it, and what is refused."""

import io

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from storage.column_runs.numbers import exchanged, numbers_in
from storage.column_runs.together import with_columns_together

ROWS = 2_500
TABLE = pa.table(
    {
        "video_id": pa.array([f"{n // 7:016x}" for n in range(ROWS)]),
        "n": pa.array([n * 1_000_003 % 65_537 for n in range(ROWS)]),
        "share": pa.array([n / ROWS if n % 3 else None for n in range(ROWS)]),
        "is_so": pa.array([n % 2 == 0 for n in range(ROWS)]),
        "tags": pa.array([[f"tag{n % 5}"] * (n % 4) for n in range(ROWS)]),
        "said": pa.array([{"word": f"word {n}", "at": n} for n in range(ROWS)]),
        "nothing": pa.nulls(ROWS, pa.string()),
        "image": pa.array([bytes([n % 256]) * (n % 60) for n in range(ROWS)]),
        "at": pa.array(range(ROWS), pa.timestamp("us", tz="UTC")),
    }
)


def written(group_rows: int, table: pa.Table = TABLE, **more: object) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd", row_group_size=group_rows, **more)
    return bytes(sink.getvalue())


def starts(file: bytes) -> list[list[int]]:
    """Where the chunks of each column begin, by row group."""
    found = parquet.ParquetFile(io.BytesIO(file)).metadata
    chunks = [
        [found.row_group(group).column(column) for group in range(found.num_row_groups)]
        for column in range(found.num_columns)
    ]
    return [
        [min(filter(None, (one.dictionary_page_offset, one.data_page_offset))) for one in column]
        for column in chunks
    ]


@pytest.mark.parametrize("group_rows", [ROWS, 1_000, 10])
def test_a_column_lies_in_one_piece(group_rows):
    """Each chunk begins where the one before ends, those of a column in the order of their row groups; 250
    groups need numbers of more bytes than they had."""
    file = with_columns_together(memoryview(written(group_rows)))
    found = parquet.ParquetFile(io.BytesIO(file)).metadata
    assert found.num_row_groups == -(-ROWS // group_rows)
    begins = starts(file)
    end = 4
    for column, places in enumerate(begins):
        for group, place in enumerate(places):
            assert place == end
            end += found.row_group(group).column(column).total_compressed_size
    assert len(file) == end + int.from_bytes(file[-8:-4], "little") + 8


@pytest.mark.parametrize("group_rows", [ROWS, 1_000, 10])
def test_rows_and_all_that_is_said_of_them_stay(group_rows, tmp_path):
    """As Arrow and DuckDB read them, a row group alone, and statistics."""
    before = written(group_rows)
    file = tmp_path / "part.parquet"
    file.write_bytes(with_columns_together(memoryview(before)))
    old, new = parquet.ParquetFile(io.BytesIO(before)), parquet.ParquetFile(file)
    assert new.read().equals(TABLE)
    last = old.metadata.num_row_groups - 1
    assert new.read_row_group(last, ["said", "n"]).equals(old.read_row_group(last, ["said", "n"]))
    assert new.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    for group in (0, last):
        for column in range(old.metadata.num_columns):
            one, other = (each.metadata.row_group(group).column(column) for each in (old, new))
            assert one.statistics == other.statistics
            assert one.total_compressed_size == other.total_compressed_size
    asked = f"SELECT count(*), sum(n), sum(len(tags)), sum(said.at), count(share) FROM '{file}' WHERE n > 9"
    connection = duckdb.connect()
    connection.register("written", TABLE)
    wanted = connection.sql(asked.replace(f"'{file}'", "written")).fetchall()
    assert connection.sql(asked).fetchall() == wanted


def test_a_table_without_rows_stays_one():
    """It has no row group."""
    file = with_columns_together(memoryview(written(10, TABLE.slice(0, 0))))
    assert parquet.ParquetFile(io.BytesIO(file)).read().equals(TABLE.slice(0, 0))


def test_what_would_have_to_move_too_is_refused():
    """Indexes of pages lie between the columns and the footer, and name places in the file."""
    with pytest.raises(ValueError, match="bytes of the Parquet file are of no column"):
        with_columns_together(memoryview(written(1_000, write_page_index=True)))


def test_a_footer_that_is_none_is_refused():
    """Cut short, or of types that footers do not have."""
    footer = written(1_000)[-1_000:-8]
    for data in (b"\x1c", b"\x16\x80", b"\x1b\x01\x00", footer[:1]):
        with pytest.raises(ValueError, match="footer"):
            numbers_in(data)


def test_numbers_are_exchanged_in_their_places():
    """Of any size, negative ones too; what stands around them stays."""
    # Field 1 is a text, field 2 a number, field 20 a list of two, field 21 true.
    data = b"\x18\x02ab\x16\x02\x09\x28\x25\x04\x03\x11\x00"
    found = numbers_in(data)
    assert {path: number.value for path, number in found.items()} == {(2,): 1, (20, 0): 2, (20, 1): -2}
    for value in (0, -1, 63, 64, -64, -65, 2**40, -(2**63), 2**63 - 1):
        again = exchanged(data, found, {(20, 0): value})
        there = {path: number.value for path, number in numbers_in(again).items()}
        assert there == {(2,): 1, (20, 0): value, (20, 1): -2}
        assert again.startswith(data[:9])
