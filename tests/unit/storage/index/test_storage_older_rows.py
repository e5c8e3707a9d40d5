"""Rows of an older version lack the columns that came later; they are read all the same."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.commit import Bundle
from schemas.identity import video_id_of
from schemas.tables import Video
from storage.index.commits.bundles import encode_bundle, read_bundle, rows_of
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import open_catalog
from storage.query.filters import Filters
from storage.query.search import search

ADDED = [
    "recorded_at",
    "player_start_ms",
    "timecode_fps_num",
    "timecode_fps_den",
    "video_language",
    "audio_languages",
    "subtitle_languages",
    "location",
    "latitude",
    "longitude",
    "camera_make",
    "camera_model",
]


def _without(table: pa.Table, columns: list[str]) -> pa.Table:
    return table.select([name for name in table.column_names if name not in columns])


def _old_bundle(data: bytes) -> pa.Table:
    """The bundle as it would have been written before the columns were there."""
    bundle = read_bundle(data, "a bundle")
    rows = pa.Table.from_struct_array(bundle.column("videos").combine_chunks().flatten())
    structs = _without(rows, ADDED).to_struct_array().combine_chunks()
    videos = pa.ListArray.from_arrays(pa.array([0, len(structs)], pa.int32()), structs)
    place = bundle.schema.get_field_index("videos")
    return bundle.set_column(place, pa.field("videos", videos.type), videos)


@pytest.fixture
def folder(tmp_path: Path, make_bundle: Callable[..., Bundle]) -> Path:
    """An index whose `videos` were written before, and one video that was added today."""
    index = open_index(str(tmp_path), create=True)
    for uri, values in (
        ("/v/old.mp4", {}),
        ("/v/new.mp4", {"camera_model": "EOS", "audio_languages": ["de"]}),
    ):
        bundle = make_bundle(uri=uri, title="Nest", titles=(), **values)
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        index.commit(*pair, encode_bundle(bundle))
        index.publish([pair])
        if uri == "/v/old.mp4":
            for part in _parts(tmp_path):
                parquet.write_table(_without(parquet.read_table(part), ADDED), part)
    return tmp_path


def _parts(folder: Path) -> Iterator[Path]:
    return (folder / "tables" / "videos").rglob("*.parquet")


def test_the_columns_that_the_test_takes_away_may_all_be_null() -> None:
    """Only such may be added."""
    video = Video.model_fields
    assert all(type(None) in getattr(video[name].annotation, "__args__", ()) for name in ADDED)


def test_old_and_new_rows_are_read_together(folder: Path) -> None:
    """By SQL, through a serving file and without, and by the filters that ask for a new column."""
    query = "SELECT file_name(uri), camera_model, audio_languages FROM videos ORDER BY uri DESC"
    wanted: list[tuple[Any, ...]] = [("old.mp4", None, None), ("new.mp4", "EOS", ["de"])]
    assert open_catalog(str(folder)).query(query).rows == wanted
    build_serving(str(folder), words_only=True)
    with open_serving(str(folder)).catalog as catalog:
        assert catalog.query(query).rows == wanted
        assert len(search(catalog, "nest", 20, Filters(since=date(2026, 11, 1)))) == 2


def test_an_old_bundle_is_carried_on(make_bundle: Callable[..., Bundle]) -> None:
    """A backfill keeps rows of an earlier bundle."""
    old = _old_bundle(encode_bundle(make_bundle(title="Nest")))
    (video,) = rows_of(old, "videos", Video)
    assert (video.title, video.recorded_at, video.player_start_ms) == ("Nest", None, None)


def test_commits_of_before_there_were_sidecars_are_known(folder: Path) -> None:
    """As of videos without any."""
    for part in (folder / "tables" / "commits").rglob("*.parquet"):
        parquet.write_table(_without(parquet.read_table(part), ["sidecars_rev"]), part)
    index = open_index(str(folder))
    found = index.current_commits([video_id_of("/v/old.mp4"), video_id_of("/v/new.mp4")])
    assert [commit.sidecars_rev for commit in found.values()] == [None, None]
    with open_catalog(str(folder)) as catalog:
        assert catalog.query("SELECT DISTINCT sidecars_rev FROM commits").rows == [(None,)]
