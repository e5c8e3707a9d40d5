"""Text of a video file, in a pass of its own or shown by one over all pictures."""

from av.video.reformatter import VideoReformatter

from videoxl2.frames.errors import UndecodableVideo
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, freed_at_once
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.film import FilePath
from videoxl2.screen_text.instants import OnScreen, sampled_pictures
from videoxl2.screen_text.looks import FrameLook, UnreadableLook
from videoxl2.screen_text.reader import TextReader
from videoxl2.screen_text.records import Line


def read_screen_text(path: FilePath, info: MediaInfo, *, limits: Limits = DEFAULT_LIMITS) -> list[Line]:
    """Lines on screen by their start, then from top to bottom; `info` is what `probe` said of the file.

    Raises `ScreenTextError` where the extra is not installed, and `MediaError` as `read_span` does.
    """
    watcher = TextWatcher(info)
    with freed_at_once():
        for picture, at_ms in sampled_pictures(path, info, limits):
            watcher.look(picture, at_ms)
        return watcher.finish()


class TextWatcher:
    """A watcher of all pictures of a film, which reads those that are on screen at full seconds."""

    def __init__(self, info: MediaInfo) -> None:
        """Raises `ScreenTextError`."""
        self.reader = TextReader()
        self._info = info
        self._on_screen = OnScreen(info)
        self._reformatter = VideoReformatter()
        self._lines: list[Line] = []
        self._unreadable: UnreadableLook | None = None

    def picture(self, picture: Picture, at_ms: int) -> None:
        """The next one, shown from `at_ms` on."""
        if (picked := self._on_screen.add(picture, at_ms)) is not None:
            self.look(*picked)

    def look(self, picture: Picture, at_ms: int) -> None:
        """Read a picture that is on screen at a full second, shown from `at_ms` on."""
        look = FrameLook(picture.frame, self._info.pixel_aspect, self._reformatter)
        try:
            self._lines += self.reader.feed(look, at_ms)
        except UnreadableLook as error:
            self._unreadable = error

    def finish(self) -> list[Line]:
        """All lines of the film, by their start, then from top to bottom.

        UndecodableVideo: there were pictures, and not one that could be looked at.
        """
        if (picked := self._on_screen.rest()) is not None:
            self.look(*picked)
        if self._unreadable is not None and not self.reader.num_fed:
            raise UndecodableVideo(f"no picture can be looked at: {self._unreadable}")
        lines = self._lines + self.reader.finish(self._info.duration_ms)
        return sorted(lines, key=lambda line: (line.start_ms, line.outline.top, line.outline.left))
