"""Iceberg tables have the rows that readers of the index see, and follow what becomes of it."""

import sys
from pathlib import Path

import duckdb
import pytest
from pyiceberg.table import StaticTable

from schemas.failures import ExitCode, MediaIndexError, UsageError
from storage.iceberg.tables import Registered, register
from storage.index.index import open_index
from storage.index.tables.columns import COLUMNS
from storage.upkeep.compact import compact
from storage.upkeep.forget import find_forgettable, forget
from storage.upkeep.vacuum import vacuum


def _registered(place, output: Path) -> dict[str, Registered]:
    return {each.table: each for each in register(place.url, place.endpoint_url, str(output))}


def _rows(registered: Registered, columns: str) -> list[tuple]:
    """By pyiceberg, which finds the files, and DuckDB, which asks of their rows."""
    rows = StaticTable.from_metadata(registered.metadata).scan().to_arrow()
    assert rows.column_names == [column.name for column in COLUMNS[registered.table]]
    return sorted(duckdb.sql(f"SELECT {columns} FROM rows").fetchall())


def _same_as_the_index(place, tables: dict[str, Registered]) -> None:
    for table, columns in (
        ("videos", "video_id, analysis_key, uri, size_bytes"),
        ("scenes", "video_id, scene_index, title, start_ms, tags"),
        ("keyframes", "video_id, table_name, row_index, image"),
        ("commits", "video_id, analysis_key, state, snapshot"),
        ("failures", "video_id, code, action"),
        ("runs", "run_id, kind"),
    ):
        assert _rows(tables[table], columns) == sorted(place.query(f"SELECT {columns} FROM {table}")), table


def test_tables_follow_publish_compact_vacuum_and_forget(filled_disk, make_bundle, tmp_path):
    """History, a quarantine, a deletion and a pack's table among it; parts that count are not copied."""
    place, output = filled_disk, tmp_path / "lake"
    first = _registered(place, output)
    _same_as_the_index(place, first)
    assert "sightings" in first
    assert (first["scenes"].num_files, first["scenes"].num_copies) == (5, 0)
    again = _registered(place, output)
    assert [each.metadata for each in again.values()] == [each.metadata for each in first.values()]
    assert not any(each.is_new for each in again.values())
    place.publish(make_bundle(uri="s3://library/late.mp4", titles=("Late",)))
    assert compact(place.url, None, print) is not None
    merged = _registered(place, output)
    _same_as_the_index(place, merged)
    assert (merged["scenes"].num_files, merged["scenes"].num_copies) == (1, 1)  # its part has history
    forget(place.url, None, find_forgettable(place.url, None, "3.mp4"), print)
    vacuum(place.url, None, print)
    after = _registered(place, output)
    _same_as_the_index(place, after)
    kept = {file for file in output.rglob("*") if file.is_file()}
    assert not [file for file in kept if b"s3://library/3.mp4" in file.read_bytes()]
    assert len([file for file in kept if file.match("scenes/data/*")]) == 1


def test_the_hint_names_the_newest_metadata(filled_disk, make_bundle, tmp_path):
    """So DuckDB finds it by the table's folder."""
    _registered(filled_disk, tmp_path / "lake")
    filled_disk.publish(make_bundle(uri="s3://library/late.mp4"))
    scenes = _registered(filled_disk, tmp_path / "lake")["scenes"]
    version = (tmp_path / "lake/scenes/version-hint.text").read_text()
    assert scenes.metadata.endswith(f"/scenes/metadata/{version}.metadata.json")
    assert list((tmp_path / "lake/scenes/metadata").glob("*.metadata.json")) == [Path(scenes.metadata)]


def test_metadata_that_is_gone_is_made_anew(filled_disk, tmp_path):
    """Somebody removed it, or the hint speaks of a version that never came to be."""
    output = tmp_path / "lake"
    first = _registered(filled_disk, output)
    Path(first["scenes"].metadata).unlink()
    again = _registered(filled_disk, output)
    assert {table for table, each in again.items() if each.is_new} == {"scenes"}
    _same_as_the_index(filled_disk, again)


def test_a_file_in_the_way_of_the_tables_is_named(filled_disk, tmp_path):
    (tmp_path / "lake").write_bytes(b"")
    with pytest.raises(MediaIndexError, match="lake") as told:
        _registered(filled_disk, tmp_path / "lake")
    assert told.value.exit_code == ExitCode.PREFLIGHT


def test_without_rows_or_pyiceberg_nothing_is_written(tmp_path, monkeypatch):
    """The error says what to type."""
    index, output = tmp_path / "index", tmp_path / "lake"
    open_index(str(index), create=True)
    with pytest.raises(UsageError, match="nothing is published") as told:
        register(str(index), None, str(output))
    assert told.value.hint == "Run media-index first."
    monkeypatch.setitem(sys.modules, "pyiceberg.catalog.sql", None)
    with pytest.raises(UsageError, match="need pyiceberg") as told:
        register(str(index), None, str(output))
    assert "pip install 'media-index[iceberg]'" in told.value.hint
    assert not output.exists()
