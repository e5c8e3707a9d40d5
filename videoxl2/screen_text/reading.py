"""Text of a video file: a picture a second, in a pass of its own or shown by one over all pictures."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

from av.video.reformatter import VideoReformatter

from videoxl2.frames.errors import UndecodableVideo
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, freed_at_once
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.reader import read_answers
from videoxl2.frames.reading.sampling import SamplingGrid
from videoxl2.frames.reading.targets import FrameFlag, Pick
from videoxl2.screen_text.looks import FrameLook, UnreadableLook
from videoxl2.screen_text.reader import TextReader
from videoxl2.screen_text.records import Line
from videoxl2.screen_text.weights import TextWeights, find_text_weights

_STEP_MS = 1000
_MOST_PICTURES = 36_000  # ten hours; longer films are looked at more rarely
_NO_PICTURE = FrameFlag.HELD | FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE


def read_screen_text(path: FilePath, info: MediaInfo, *, limits: Limits = DEFAULT_LIMITS) -> list[Line]:
    """Lines on screen by their start, then from top to bottom; `info` is what `probe` said of the file.

    What lies between two pictures that are looked at is not decoded where the GOPs allow. Raises
    `ScreenTextError` where the extra is not installed, and `MediaError` as `read_span` does.
    """
    watcher = TextWatcher(info, find_text_weights())
    with freed_at_once():
        for picture, at_ms in sampled_pictures(path, info, limits):
            watcher.look(picture, at_ms)
    return watcher.finish()


class TextWatcher:
    """Is shown the pictures of a film, all of them or some, and reads what is on screen about each second."""

    def __init__(self, info: MediaInfo, weights: TextWeights) -> None:
        """Raises `ScreenTextError`."""
        self.reader = TextReader(weights)
        self._info = info
        self._step_ms = step_ms_of(info)
        self._reformatter = VideoReformatter()
        self._before: tuple[Picture, int] | None = None
        self._lines: list[Line] = []
        self._unreadable: UnreadableLook | None = None

    def picture(self, picture: Picture, at_ms: int) -> None:
        """The next one of all that are shown, from `at_ms` on."""
        if self._before is not None and _ticks(at_ms, self._step_ms) > _ticks(self._before[1], self._step_ms):
            self.look(*self._before)
        self._before = (picture, at_ms)

    def look(self, picture: Picture, at_ms: int) -> None:
        """Read one that is looked at. Those that are damaged are left out."""
        if picture.is_damaged:
            return
        look = FrameLook(picture.frame, self._info.pixel_aspect, self._reformatter)
        try:
            self._lines += self.reader.feed(look, at_ms)
        except UnreadableLook as error:
            self._unreadable = error

    def finish(self) -> list[Line]:
        """All lines of the film, by their start, then from top to bottom.

        UndecodableVideo: there were pictures, and not one that could be looked at.
        """
        if self._before is not None and _ticks(self._info.duration_ms, self._step_ms) > _ticks(
            self._before[1], self._step_ms
        ):
            self.look(*self._before)
        if self._unreadable is not None and not self.reader.num_fed:
            raise UndecodableVideo(f"no picture can be looked at: {self._unreadable}")
        lines = self._lines + self.reader.finish(self._info.duration_ms)
        return sorted(lines, key=lambda line: (line.start_ms, line.outline.top, line.outline.left))


def step_ms_of(info: MediaInfo) -> int:
    """Milliseconds between two pictures that are looked at."""
    return max(_STEP_MS, ceil(info.duration_ms / _MOST_PICTURES))


def _ticks(ms: int, step_ms: int) -> int:
    """How many instants lie before `ms`."""
    return ceil(ms / step_ms)


def sampled_pictures(path: FilePath, info: MediaInfo, limits: Limits) -> Iterator[tuple[Picture, int]]:
    """The pictures on screen at each instant, once each."""
    step_ms = step_ms_of(info)
    grid = SamplingGrid(Fraction(step_ms, 1000), max(1, ceil(info.duration_ms / step_ms)))
    held = replace(limits, max_hold_s=limits.max_duration_s)
    for answer in read_answers(path, info, grid, grid.spans(grid.num_targets), held, Damage()):
        if isinstance(answer, Pick) and not answer.flags & _NO_PICTURE:
            yield answer.picture, answer.pts_ms
