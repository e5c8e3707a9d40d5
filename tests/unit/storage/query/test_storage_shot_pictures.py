"""Keyframes of shots: a table of their own, found among those of other rows, and left in the parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.commit import Bundle, Commit
from schemas.measured import Shot, ShotKeyframe
from schemas.rows import Lineage
from schemas.tables import Keyframe
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving, serving_path
from storage.query.catalog import open_catalog

SQL = "SELECT table_name, row_index, at_ms, octet_length(image) FROM keyframes ORDER BY ALL"
ROWS = [("scenes", 0, 500, 3), ("shots", 0, 400, 2), ("shots", 1, 1500, 2)]


@pytest.fixture
def folder(tmp_path: Path, make_bundle: Callable[..., Bundle], make_row: Callable[..., Any]) -> Path:
    """One video with a scene and two shots."""
    bundle = make_bundle()
    ids = {name: getattr(bundle.commit, name) for name in Lineage.model_fields if name in Commit.model_fields}
    of_scene = make_row(Keyframe, table_name="scenes", row_index=0, at_ms=500, image=b"abc", **ids)
    measured = {
        "shots": tuple(make_row(Shot, shot_index=n, start_ms=1000 * n, **ids) for n in range(2)),
        "shot_keyframes": tuple(
            make_row(ShotKeyframe, shot_index=n, at_ms=at_ms, image=b"ab", **ids)
            for n, at_ms in enumerate((400, 1500))
        ),
    }
    bundle = bundle.model_copy(update={"keyframes": (of_scene,), "measured": measured})
    index = open_index(str(tmp_path), create=True)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    return tmp_path


def test_keyframes_of_shots_are_found_among_the_others(folder: Path) -> None:
    """By the index of their shot, whichever way the index is read; the serving file has the shots alone."""
    with open_catalog(str(folder)) as catalog:
        assert catalog.query(SQL).rows == ROWS
        assert catalog.query(SQL.replace("keyframes", "keyframes_all")).rows == ROWS
    build_serving(str(folder), words_only=True)
    with open_serving(str(folder)).catalog as catalog:
        assert catalog.query(SQL).rows == ROWS
        assert catalog.query("SELECT count(*) FROM shots").rows == [(2,)]
        assert catalog.query("SELECT shot_index FROM shot_keyframes ORDER BY 1").rows == [(0,), (1,)]
    with duckdb.connect(str(serving_path(str(folder))), read_only=True) as plain:
        held = plain.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert ("shots",) in held
    assert ("shot_keyframes",) not in held


def test_the_script_of_views_says_the_same(folder: Path) -> None:
    script = (folder / "views.sql").read_text(encoding="utf-8")
    with duckdb.connect() as plain:
        plain.execute(f"SET file_search_path = '{folder}'")
        plain.execute(script)
        assert plain.execute(SQL).fetchall() == ROWS
