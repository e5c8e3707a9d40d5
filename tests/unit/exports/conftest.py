"""Videos with moments, as records for the exporters and as an index on disk."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import Outcome, run_here

from jobs.exports.formats import MomentKind
from jobs.exports.moments import ExportedVideo, Moment
from schemas.commit import Bundle
from schemas.tables import Highlight, Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index

RLO = "\u202e"  # right-to-left override
HOSTILE = (
    'He said "stop", twice',
    "it's 50 % off; a,b\tc",
    "</script><script>alert(1)</script>",
    "00:00:01.000 --> 00:00:02.000",
    "two\nlines\n\nand a gap\r\nNOTE x",
    "<v Roger>&amp; &lt;b&gt; {\\an8}",
    '=HYPERLINK("http://x","y")',
    "🎬🏽 émigré 東京",
    "مشهد ليلي " + RLO + "x",
    "* FROM CLIP NAME: other.mov",
    "  ",
    "nul\0and\x1bescape\u2028sep",
    "x" * 10_000,
)


@pytest.fixture(scope="session")
def source(make_row: Callable[..., Any]) -> ExportedVideo:
    """A film at 25 pictures a second; `model_copy` makes others of it."""
    return make_row(
        ExportedVideo,
        video_id="0123456789abcdef",
        uri="s3://films/2026/Night Walk #2.mov",
        title="A night walk",
        summary="Someone walks.",
        duration_ms=60_000,
        modified_at=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
        created_at=datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
        container="mov",
        fps_num=25,
        fps_den=1,
        object_rev="etag-7",
        recipe_id="recipe",
        model_id="Video-XL-2",
        model_revision="r1",
        run_id="run",
    )


@pytest.fixture(scope="session")
def make_moments() -> Callable[..., list[Moment]]:
    """`make_moments((start_ms, end_ms, title), …)`."""

    def make(
        *spans: tuple[int, int, str],
        kind: MomentKind = "scenes",
        text: str = "What happens.",
    ) -> list[Moment]:
        blank = Moment(kind, 0, 0, 0, "", text, None, None, 0.75, "scenes@1", "Video-XL-2", "r1")
        return [
            replace(blank, number=n, start_ms=start, end_ms=end, title=title)
            for n, (start, end, title) in enumerate(spans, start=1)
        ]

    return make


@pytest.fixture(scope="session")
def hostile(make_moments: Callable[..., list[Moment]]) -> list[Moment]:
    """A scene per hostile title, its text the same, back to back, two seconds each."""
    return [
        replace(moment, text=moment.title)
        for moment in make_moments(*((n * 2000, n * 2000 + 2000, t) for n, t in enumerate(HOSTILE)))
    ]


@pytest.fixture
def make_index(
    tmp_path: Path, make_bundle: Callable[..., Bundle], make_row: Callable[..., Any]
) -> Callable[..., Path]:
    """`make_index({uri: [titles]})`: an index of videos whose scenes last two seconds each.

    Each has one highlight, from the first picture on.
    """

    def make(titles_by_uri: dict[str, Sequence[str]], **video_values: Any) -> Path:
        folder = tmp_path / "index"
        index = open_index(str(folder), create=True)
        keys = []
        for uri, titles in titles_by_uri.items():
            values = {"fps_num": 25, "fps_den": 1, "duration_ms": 2000 * len(titles), **video_values}
            bundle = make_bundle(uri=uri, **values)
            ids = {name: getattr(bundle.videos[0], name) for name in _IDS}
            scenes = tuple(
                make_row(Scene, scene_index=n, start_ms=n * 2000, end_ms=n * 2000 + 2000, title=title, **ids)
                for n, title in enumerate(titles)
            )
            best = make_row(
                Highlight, rank=1, end_ms=1000, title="The best", reason="Why", kind="plot", **ids
            )
            bundle = bundle.model_copy(update={"scenes": scenes, "highlights": (best,)})
            key = (bundle.commit.video_id, bundle.commit.analysis_key)
            index.commit(*key, encode_bundle(bundle))
            keys.append(key)
        index.publish(keys)
        return folder

    return make


_IDS = ("video_id", "object_rev", "recipe_id", "analysis_key", "run_id", "model_id", "model_revision")


@pytest.fixture
def media_index(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> Callable[..., Outcome[bytes]]:
    """The console script in this process: exit code, stdout as bytes, stderr."""

    def run(*arguments: object) -> Outcome[bytes]:
        return run_here(arguments, capsysbinary.readouterr, monkeypatch)

    return run
