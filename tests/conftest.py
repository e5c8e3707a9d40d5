"""Rows for tests: complete and valid, derived from the row types, with only what matters spelled out."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import hypothesis
import pytest
from command_line import Outcome, run_here
from pydantic import StringConstraints

from schemas.commit import Bundle, Commit, CommitState, RunRecord
from schemas.identity import VideoId, VideoObject
from schemas.rows import Row
from schemas.tables import Appearance, Character, Failure, Highlight, Keyframe, Run, Scene, Video

# Test processes run side by side; threads of numpy and torch would only spin while they wait for a core.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's workers give way to all others, tests wait for them

# The same examples in every run, and as many; a failure prints what repeats it.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile("repeatable")


_BLANKS: dict[Any, Any] = {
    VideoId: "",
    str: "",
    int: 0,
    float: 0.0,
    bool: False,
    bytes: b"",
    list: [],
    datetime: datetime(2026, 11, 21, tzinfo=UTC),
}
_EVERY_BYTE = bytes(range(256))


def _row(row_type: type[Row], **values: Any) -> Any:
    if "is_grounded" in row_type.model_fields:
        values = {"is_grounded": True, **values}  # others are in no default view
    for name, field in row_type.model_fields.items():
        if name not in values:
            values[name] = _blank(field.annotation, field.metadata)
    return row_type(**values)


def _blank(annotation: Any, bounds: list[Any]) -> Any:
    if get_origin(annotation) is UnionType:
        return None
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if any(isinstance(bound, StringConstraints) and bound.min_length for bound in bounds):
        return "…"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return next(iter(annotation))
    return _BLANKS[get_origin(annotation) or annotation]


RAY_TESTS = "tests/integration/run/"
OWN_RAYS = re.compile(r".*/test_run_(cluster|interrupted|jobs|metrics|nodes|ray|runner|sdk|symmetric)\.")
SPREAD_TESTS = "tests/unit/frames/test_frames_property.py"  # long, and its tests share nothing
LONG_TESTS = (
    RAY_TESTS,
    "tests/integration/",
    "tests/unit/storage/",
    "tests/unit/frames/",
    "tests/unit/jobs/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, so that in the end no process works at one while all others wait."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    starts = (rank for rank, start in enumerate(LONG_TESTS) if nodeid.startswith(start))
    return next(starts, len(LONG_TESTS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Spread files over processes. Files of runs that share a Ray stay in one, those that start Rays of their
    own in another. Of the long file each test is spread by itself.

    `--dist loadgroup` of pytest-xdist 3.8 would do it by marks, but finds none under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(SPREAD_TESTS):
                return nodeid
            if nodeid.startswith(RAY_TESTS):
                return "own rays" if OWN_RAYS.match(nodeid) else "one ray"
            return nodeid.partition("::")[0]

    return ByFile(config, log)


@pytest.fixture
def media_index(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome[str]]:
    """`media_index("sql", …)`: the command in this process, in the current folder. It never starts Ray."""

    def run(*arguments: object) -> Outcome[str]:
        return run_here(arguments, capsys.readouterr, monkeypatch)

    return run


@pytest.fixture(scope="session")
def make_row() -> Callable[..., Any]:
    """`make_row(Scene, title="…")`: a row with blanks in all other columns."""
    return _row


@pytest.fixture(scope="session")
def make_bundle() -> Callable[..., Bundle]:
    """A video's bundle with one row in `videos` and one scene per title; or quarantined, with one failure."""
    return _bundle


def _bundle(
    uri: str = "s3://library/a.mp4",
    revision: str = "etag1",
    recipe_id: str = "recipe",
    titles: tuple[str, ...] = ("Opening",),
    is_quarantined: bool = False,
    **video_values: Any,
) -> Bundle:
    video = VideoObject(uri, size_bytes=7, modified_ns=0, etag=revision)
    ids = {
        "video_id": video.video_id,
        "object_rev": video.object_rev,
        "recipe_id": recipe_id,
        "analysis_key": video.analysis_key(recipe_id),
        "run_id": "run",
    }
    state = CommitState.QUARANTINED if is_quarantined else CommitState.ROWS
    commit = _row(Commit, uri=uri, state=state, content_rev=video.content_rev, **ids)
    if is_quarantined:
        return Bundle(commit=commit, failures=(_row(Failure, uri=uri, code="no_video", **ids),))
    return Bundle(
        commit=commit,
        videos=(_row(Video, uri=uri, **ids, **video_values),),
        scenes=tuple(
            _row(Scene, scene_index=n, title=title, character_ids=["C1"], evidence_ms=[n], **ids)
            for n, title in enumerate(titles)
        ),
        characters=(_row(Character, character_id="C1", label="a cyclist", kind="person", **ids),),
        highlights=(_row(Highlight, rank=1, title="The best", **ids),),
        keyframes=(_row(Keyframe, table_name="highlights", row_index=1, image=_EVERY_BYTE, **ids),),
    )


@pytest.fixture(scope="session")
def make_film() -> Callable[..., Bundle]:
    """A video's bundle as a run makes it of one real object: scenes with who is in them, and highlights."""
    return _film


def _film(
    video: VideoObject,
    scenes: Sequence[Mapping[str, Any]] = (),
    characters: Mapping[str, str] | None = None,
    highlights: Sequence[Mapping[str, Any]] = (),
    **video_values: Any,
) -> Bundle:
    """Rows are given by their columns; `characters` maps ids to labels."""
    labels = characters or {}
    ids = _lineage_of(video)
    spans = {
        name: [(s["start_ms"], s["end_ms"], n) for n, s in enumerate(scenes) if name in s["character_ids"]]
        for name in labels
    }
    return Bundle(
        commit=_row(Commit, uri=video.uri, **ids),
        videos=(
            _row(Video, uri=video.uri, etag=video.etag, size_bytes=video.size_bytes, **ids, **video_values),
        ),
        scenes=tuple(_row(Scene, scene_index=n, **{**ids, **scene}) for n, scene in enumerate(scenes)),
        characters=tuple(
            _row(
                Character,
                **ids,
                character_id=name,
                label=label,
                first_seen_ms=spans[name][0][0] if spans[name] else None,
                last_seen_ms=spans[name][-1][1] if spans[name] else None,
            )
            for name, label in labels.items()
        ),
        appearances=tuple(
            _row(Appearance, character_id=name, start_ms=start, end_ms=end, scene_index=n, **ids)
            for name, seen in spans.items()
            for start, end, n in seen
        ),
        highlights=tuple(_row(Highlight, rank=n + 1, **{**ids, **row}) for n, row in enumerate(highlights)),
    )


def _lineage_of(video: VideoObject) -> dict[str, str]:
    return {
        "video_id": video.video_id,
        "object_rev": video.object_rev,
        "recipe_id": "recipe",
        "analysis_key": video.analysis_key("recipe"),
        "run_id": "20261121T081502Z-4f9c1b",
    }


@pytest.fixture(scope="session")
def make_run_record() -> Callable[..., RunRecord]:
    """A run's record; `unfinished` names the bundles whose videos it could not settle."""

    def make(run_id: str, unfinished: tuple[Bundle, ...] = ()) -> RunRecord:
        failures = tuple(
            _row(Failure, code="storage_unavailable", action="next_run", **_ids(bundle.commit, run_id))
            for bundle in unfinished
        )
        return RunRecord(run=_row(Run, run_id=run_id, num_unfinished=len(unfinished)), failures=failures)

    return make


def _ids(commit: Commit, run_id: str) -> dict[str, str]:
    names = ("video_id", "object_rev", "recipe_id", "analysis_key", "uri")
    return {"run_id": run_id, **{name: getattr(commit, name) for name in names}}
