"""Signals of one video in a folder: what can be read is read, and what cannot is named."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
import pytest

from jobs.signals.captions import Captions
from jobs.signals.reading import SignalsRead, read_signals
from jobs.signals.signal import Costs, Lineage, VideoFile
from jobs.signals.strip import Strips
from schemas.failures import FailureClass
from schemas.identity import Sidecar
from schemas.measured import CaptionTrack, Chapter, Measured
from storage.errors import StorageUnavailable
from storage.library.library import open_library
from storage.library.pairing import MAX_SIDECAR_BYTES
from storage.library.selection import Selection
from videoxl2.frames import DEFAULT_LIMITS, Limits, MediaInfo, probe
from videoxl2.frames.files.decoder import Picture
from videoxl2.watching import Watched, watch

SRT = "1\n00:00:00,500 --> 00:00:01,500\nThe harbour is closed.\n"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two seconds of grey."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class Watcher:
    """A signal that counts the pictures it is shown, up to the one at which it breaks down."""

    name: str
    breaks_at: int = 99
    opens: bool = True

    version: ClassVar[int] = 1
    settings: ClassVar[dict[str, str]] = {}
    rough_costs: ClassVar[Costs] = Costs(0.0, 0.0)
    reads_sidecars: ClassVar[bool] = False
    tables: ClassVar[tuple[str, ...]] = ("chapters",)

    def watch(self, file: VideoFile) -> "Counting":
        if not self.opens:
            raise StorageUnavailable("no answer", "Wait.")
        return Counting(self.breaks_at)


class Counting:
    def __init__(self, breaks_at: int) -> None:
        self.watchers = (self,)
        self._breaks_at, self._seen = breaks_at, 0

    def picture(self, picture: Picture, at_ms: int) -> None:
        assert self._seen < self._breaks_at, "broken down"
        self._seen += 1

    def rows(self, watched: Watched, lineage: Lineage) -> Iterator[Measured]:
        yield Chapter(**lineage, chapter=self._seen, start_ms=0, end_ms=1, title=None)


@pytest.fixture
def read(film: Path, make_row: Callable[..., Any]) -> Callable[..., SignalsRead]:
    """What captions there are in the film and beside it; `fetch` instead of the library's own."""

    def run(
        fetch: Callable[[Sidecar], bytes] | None = None, signals: Sequence[Any] = (Captions(),)
    ) -> SignalsRead:
        library = open_library(str(film.parent))
        (video,) = library.list_videos(Selection(with_sidecars=True))
        own = fetch or (lambda sidecar: library.fetch_sidecar(video, sidecar))
        file = VideoFile(video, film, probe(film), DEFAULT_LIMITS, own)
        blank = make_row(CaptionTrack).model_dump()
        lineage = {name: blank[name] for name in CaptionTrack.model_fields.keys() & _LINEAGE}
        return read_signals(file, signals, lambda name: lineage | {"signal_id": name})

    return run


_LINEAGE = {name for base in CaptionTrack.__mro__[1:] for name in getattr(base, "model_fields", ())}


def test_sidecars_out_of_reach_leave_the_others_their_rows(
    film: Path, read: Callable[..., SignalsRead]
) -> None:
    """Each is listed with its reason, the first is the failure; a `.sub` behind its index is not fetched."""
    (film.parent / "film.en.srt").write_text(SRT)
    (film.parent / "film.de.srt").symlink_to("nowhere.srt")
    with (film.parent / "film.fr.forced.srt").open("wb") as file:
        file.truncate(MAX_SIDECAR_BYTES + 1)
    (film.parent / "film.idx").write_text("# VobSub index file, v7\nid: nl, index: 0\n")
    with (film.parent / "film.sub").open("wb") as file:
        file.truncate(MAX_SIDECAR_BYTES + 1)
    found = read()
    columns = ("origin", "language", "num_cues", "warnings")
    rows = [row.model_dump() for row in found.rows["caption_tracks"]]
    tracks = [tuple(row[column] for column in columns) for row in rows]
    assert tracks == [
        ("film.de.srt", "de", 0, ["not_found"]),
        ("film.en.srt", "en", 1, []),
        ("film.fr.forced.srt", "fr", 0, ["storage_error"]),
        ("film.idx", "nl", 0, ["no_text"]),
    ]
    assert [row.model_dump()["text"] for row in found.rows["captions"]] == ["The harbour is closed."]
    (failure,) = found.failures
    assert (failure.signal_id, failure.failure.code) == (f"captions@{Captions.version}", "not_found")
    assert failure.failure.failure_class is FailureClass.MEDIA  # the video is not tried again for it
    assert "film.de.srt" in failure.failure.message


def test_signals_that_watch_share_one_pass(
    read: Callable[..., SignalsRead], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sees all ten pictures, the strip has its tiles, and one that breaks down breaks alone."""
    passes: list[int] = []

    def watched_by(
        path: Path, info: MediaInfo, watchers: Sequence[Any], limits: Limits, is_draft: bool
    ) -> Watched:
        passes.append(len(watchers))
        return watch(path, info, watchers, limits, is_draft)

    monkeypatch.setattr("videoxl2.watching.watch", watched_by)
    found = read(signals=[Watcher("breaks", 3), Watcher("closed", opens=False), Strips(), Watcher("counts")])
    assert passes == [3]
    (chapter,) = found.rows["chapters"]
    assert (chapter.signal_id, chapter.model_dump()["chapter"]) == ("counts@1", 10)
    (strip,) = found.rows["strips"]
    assert strip.model_dump()["num_tiles"] == 2
    reasons = [(one.signal_id, one.failure.code) for one in found.failures]
    assert sorted(reasons) == [("breaks@1", "AssertionError"), ("closed@1", "storage_unavailable")]


def test_a_store_that_does_not_answer_is_asked_again(
    film: Path, read: Callable[..., SignalsRead], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And then there are no rows at all: the next try has them."""
    monkeypatch.setattr("jobs.signals.reading.BACKOFF_S", 0.0)
    (film.parent / "film.en.srt").write_text(SRT)
    asked: list[str] = []

    def fetch(sidecar: Sidecar) -> bytes:
        asked.append(sidecar.name)
        if len(asked) < 2:
            raise StorageUnavailable("no answer", "Wait.")
        return SRT.encode()

    assert len(read(fetch).rows["captions"]) == 1
    assert len(asked) == 2

    def never(sidecar: Sidecar) -> bytes:
        raise StorageUnavailable("no answer", "Wait.")

    found = read(never)
    assert found.rows == {"caption_tracks": (), "captions": (), "chapters": ()}
    assert [one.failure.failure_class for one in found.failures] == [FailureClass.TRANSIENT]
