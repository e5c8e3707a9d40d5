"""A bundle is all rows of one video in one object."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.commit import Bundle
from schemas.failures import PreflightError
from schemas.measured import Caption, CaptionTrack, Measured
from schemas.tables import TABLES, Attempt, Failure, Scene
from storage.index.commits.bundles import (
    commits_of,
    encode_bundle,
    encode_with_stream,
    flatten_bundles,
    read_bundle,
    relink_bundle,
)
from storage.index.tables.arrow_tables import arrow_schema, arrow_type
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS

MakeBundle = Callable[..., Bundle]


def _read(bundle: Bundle) -> pa.Table:
    return read_bundle(encode_bundle(bundle), "bundle")


def test_every_row_comes_back(make_bundle: MakeBundle, make_row: Callable[..., Any]) -> None:
    """All tables, all columns, lists, nulls, times and enums."""
    bundle = make_bundle(titles=("Öffnung", "two\n\0 'lines'", "😀"), title=None, warnings=["odd", ""])
    bundle = bundle.model_copy(update={"failures": (make_row(Failure, answer_text="x" * 100_000),)})
    stored = _read(bundle)
    flat = flatten_bundles([stored])
    for table in BUNDLE_TABLES:
        rows = [TABLES[table](**row) for row in flat[table].to_pylist()]
        assert tuple(rows) == bundle.rows(table), table
        assert flat[table].schema.equals(arrow_schema(COLUMNS[table]))
    assert commits_of([stored]).to_pylist() == [bundle.commit.model_dump()]


def test_the_form_for_publishing_holds_the_same(make_bundle: MakeBundle) -> None:
    """Also mixed with stored ones, as they come when a run publishes what another one committed."""
    bundle, other = make_bundle(titles=("a", "b")), make_bundle(uri="s3://b/2", titles=("c",))
    stored, stream = _read(bundle), read_bundle(encode_with_stream(bundle)[1], "x")
    assert stream.to_pylist() == stored.to_pylist()
    assert commits_of([stream, _read(other)]) == commits_of([stored, _read(other)])
    mixed = flatten_bundles([stream, _read(other)])
    assert {name: table.to_pylist() for name, table in mixed.items()} == {
        name: table.to_pylist() for name, table in flatten_bundles([stored, _read(other)]).items()
    }


def test_rows_of_many_bundles_keep_their_order(make_bundle: MakeBundle) -> None:
    """Parts are sorted because the bundles are."""
    bundles = [make_bundle(uri=f"s3://b/{n}", titles=(f"{n}a", f"{n}b")) for n in range(3)]
    flat = flatten_bundles([_read(bundle) for bundle in bundles])
    assert flat["scenes"].column("title").to_pylist() == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_an_older_bundle_lacks_columns_and_tables(make_bundle: MakeBundle) -> None:
    """Columns and tables are only ever added; what a bundle lacks is null or empty."""
    table = _read(make_bundle())
    scenes = table.column("scenes").combine_chunks().flatten()
    names = [field.name for field in scenes.type if field.name != "mood"]
    older = pa.StructArray.from_arrays([scenes.field(name) for name in names], names)
    lists = pa.ListArray.from_arrays([0, len(older)], older)
    table = table.set_column(table.column_names.index("scenes"), "scenes", lists).drop_columns(["highlights"])
    flat = flatten_bundles([table])
    assert flat["scenes"].column("mood").to_pylist() == [None]
    assert flat["scenes"].column("title").to_pylist() == ["Opening"]
    assert flat["highlights"].num_rows == 0


def test_rows_under_another_name_take_no_attempts_along(
    make_bundle: MakeBundle, make_row: Callable[..., Any]
) -> None:
    """What a try took was spent once, however many names the bytes have."""
    bundle = make_bundle(titles=("a", "b")).model_copy(update={"attempts": (make_row(Attempt),)})
    ids = {"video_id": "v2", "object_rev": "o2", "analysis_key": "k2", "uri": "s3://b/2"}
    copy = read_bundle(relink_bundle(_read(bundle), ids, ids), "copy")
    flat = flatten_bundles([copy])
    assert flat["attempts"].num_rows == 0
    assert flat["scenes"].column("title").to_pylist() == ["a", "b"]
    for rows in (commits_of([copy]), flat["videos"], flat["scenes"]):
        assert set(rows.column("video_id").to_pylist()) == {"v2"}


@pytest.mark.parametrize(("is_kept", "said"), [(True, ["inside", "beside"]), (False, ["inside"])])
def test_captions_beside_one_video_are_not_those_of_another(
    make_bundle: MakeBundle, make_row: Callable[..., Any], is_kept: bool, said: list[str]
) -> None:
    """Those inside its bytes are."""
    sources = {"stream": "inside", "sidecar": "beside"}
    captions: dict[str, tuple[Measured, ...]] = {
        "caption_tracks": tuple(
            make_row(CaptionTrack, track=n, source=source) for n, source in enumerate(sources)
        ),
        "captions": tuple(make_row(Caption, track=n, text=text) for n, text in enumerate(sources.values())),
    }
    bundle = _read(make_bundle().model_copy(update={"measured": captions}))
    ids = {"video_id": "v2", "object_rev": "o2", "analysis_key": "k2", "uri": "s3://b/2"}
    flat = flatten_bundles([read_bundle(relink_bundle(bundle, ids, ids, is_kept), "copy")])
    assert flat["captions"].column("text").to_pylist() == said
    assert flat["caption_tracks"].num_rows == len(said)
    assert set(flat["captions"].column("video_id").to_pylist()) == {"v2"}


def test_a_newer_bundle_is_refused(make_bundle: MakeBundle) -> None:
    """Reading it would silently lose the columns it added."""
    table = _read(make_bundle()).replace_schema_metadata({"media_index.schema_version": "2"})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    with pytest.raises(PreflightError, match="newer"):
        read_bundle(sink.getvalue().to_pybytes(), "s3://b/x.parquet")


def test_a_foreign_file_is_refused() -> None:
    """Parquet, but not ours."""
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"a": [1]}), sink)
    with pytest.raises(PreflightError, match="not a file of media-index"):
        read_bundle(sink.getvalue().to_pybytes(), "x")


def test_columns_follow_the_row_types() -> None:
    """Declared once, in `schemas`; lists, optional values and enums included."""
    scenes = {column.name: column for column in COLUMNS["scenes"]}
    assert list(scenes) == list(Scene.model_fields)
    assert scenes["tags"].sql_type == "VARCHAR[]"
    assert arrow_type(scenes["evidence_ms"].sql_type) == pa.list_(pa.int64())
    assert scenes["prompt_id"].is_nullable
    assert scenes["prompt_id"].sql_type == "VARCHAR"
    assert arrow_type(scenes["created_at"].sql_type) == pa.timestamp("us", tz="UTC")
    failures = {column.name: column for column in COLUMNS["failures"]}
    assert failures["failure_class"].sql_type == "VARCHAR"
