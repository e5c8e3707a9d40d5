"""Signals that watch share one pass over a video, and fail alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cue_films import flat, moving, write_pictures

from jobs.signals.captions import Captions
from jobs.signals.cues import Cues
from jobs.signals.reading import read_signals
from jobs.signals.signal import Costs, VideoFile
from jobs.signals.watching import PASS_COSTS, most_memory, shares_of
from schemas.identity import VideoObject
from schemas.measured import Chapter
from videoxl2.frames import DEFAULT_LIMITS, LimitExceeded, probe
from videoxl2.frames.reading.film import open_film


@dataclass(frozen=True)
class Counting:
    """A signal for these tests: a chapter with the number of pictures; it fails where it is told to."""

    fails_in: str = ""
    name = "counting"
    version = 1
    tables = ("chapters",)
    rough_costs = Costs(0.1, 1.0, memory_bytes=7)
    reads_sidecars = False
    settings: ClassVar[dict[str, str]] = {}

    def watch(self, file):
        if self.fails_in == "watch":
            raise LimitExceeded("too much")
        return Count(self.fails_in)


@dataclass
class Count:
    fails_in: str
    pictures: int = 0

    @property
    def watchers(self):
        return (self,)

    def picture(self, picture, at_ms):
        self.pictures += 1
        if self.fails_in == "picture":
            raise LimitExceeded("too much")

    def rows(self, watched, lineage):
        yield Chapter(**lineage, chapter=self.pictures, start_ms=0, end_ms=1, title=None)


@pytest.fixture
def file(tmp_path):
    """Two seconds, black from the first to the end."""
    path = write_pictures(tmp_path / "film.mp4", [*moving(1, 25), *[flat(0, 0, 0)] * 25])
    video = VideoObject(str(path), path.stat().st_size, 0, None)
    return VideoFile(video, path, probe(path), DEFAULT_LIMITS, fetch=lambda sidecar: b"")


def lineage_of(name):
    ids = dict.fromkeys(("video_id", "object_rev", "recipe_id", "analysis_key", "run_id"), "x")
    none = dict.fromkeys(("model_id", "model_revision", "prompt_id"))
    return ids | none | {"created_at": "2026-11-30T00:00:00Z", "signal_id": name}


def test_all_of_them_see_the_video_in_one_pass(file, monkeypatch):
    """And those that do not watch are read beside them; each says what it took."""
    opened: list[Path] = []

    def open_once(path, *args):
        opened.append(path)
        return open_film(path, *args)

    monkeypatch.setattr("videoxl2.watching.watching.open_film", open_once)
    read: Any = read_signals(file, (Captions(), Cues(), Counting()), lineage_of)
    assert len(opened) == 1
    assert not read.failures
    assert [(cue.kind, cue.start_ms, cue.end_ms, cue.signal_id) for cue in read.rows["cues"]] == [
        ("black", 1000, 2000, "cues@2")
    ]
    assert [row.chapter for row in read.rows["chapters"]] == [50]
    assert [one.signal for one in read.took] == ["captions", "cues", "counting"]
    assert all(one.seconds > 0 for one in read.took)


def test_nothing_is_decoded_where_no_signal_watches(file, monkeypatch):
    monkeypatch.setattr("videoxl2.watching.watching.open_film", lambda *_: pytest.fail("decoded"))
    assert read_signals(file, (Captions(),), lineage_of).rows.keys() == {*Captions.tables}


@pytest.mark.parametrize("fails_in", ["watch", "picture"])
def test_one_that_fails_leaves_the_others_alone(file, fails_in):
    read: Any = read_signals(file, (Cues(), Counting(fails_in)), lineage_of)
    assert [row.kind for row in read.rows["cues"]] == ["black"]
    assert read.rows["chapters"] == ()
    assert [(one.signal_id, one.failure.code) for one in read.failures] == [("counting@1", "limit_exceeded")]


@dataclass(frozen=True)
class Able(Counting):
    """One that can count by itself, too."""

    name = "able"

    def read(self, file, lineage):
        yield Chapter(**lineage, chapter=-1, start_ms=0, end_ms=1, title="by itself")


def test_one_that_can_do_both_watches_where_others_do(file):
    """And is read by itself where nobody makes a pass, which is priced as half of one."""
    together: Any = read_signals(file, (Cues(), Able()), lineage_of)
    alone: Any = read_signals(file, (Able(),), lineage_of)
    assert [row.chapter for row in together.rows["chapters"]] == [50]
    assert [row.chapter for row in alone.rows["chapters"]] == [-1]
    cues_s, own_s, pass_s = (
        costs.seconds(1, 1) for costs in (Cues.rough_costs, Able.rough_costs, PASS_COSTS)
    )
    assert shares_of((Cues(), Able()), 1, 1) == pytest.approx([cues_s + pass_s, own_s])
    assert shares_of((Able(),), 1, 1) == pytest.approx([own_s + pass_s / 2])
    assert most_memory((Captions(), Able())) == 7


def test_a_file_that_cannot_be_opened_fails_all_that_watch(file):
    file.path.write_bytes(b"")
    read: Any = read_signals(file, (Cues(), Counting()), lineage_of)
    assert {one.signal_id: one.failure.code for one in read.failures} == {
        "cues@2": "empty_file",
        "counting@1": "empty_file",
    }
    assert read.rows == {"cues": (), "chapters": ()}


def test_memory_is_that_of_the_pass_and_of_all_that_watch():
    """What is read by itself is read in turn."""
    assert most_memory(()) == 0
    assert most_memory((Captions(),)) == 0
    assert most_memory((Cues(), Counting())) == PASS_COSTS.memory_bytes + 7
