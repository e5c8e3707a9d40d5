"""All cues of one film."""

from collections.abc import Iterator, Sequence

from videoxl2.captions.placing import Placing
from videoxl2.cues.boxes import BoxCues
from videoxl2.cues.loudness import Loudness
from videoxl2.cues.pictures import PictureCues
from videoxl2.cues.records import Cue
from videoxl2.cues.sound import SoundCues
from videoxl2.cues.spans import Span, merged
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.watching import Watcher

_GAP_MS = 1  # between damaged pictures that follow each other


class FilmCues:
    """Watches a film for cues; `watchers` are to be shown it."""

    def __init__(self, info: MediaInfo) -> None:
        """Of a film that `probe` described so."""
        self._end_ms = info.duration_ms
        self._pictures, self._boxes, self._damage = PictureCues(info.duration_ms), BoxCues(info), _Damage()
        self._sound, self._loudness = SoundCues(), Loudness()

    @property
    def watchers(self) -> Sequence[Watcher]:
        """The watchers that are shown the film."""
        return self._pictures, self._boxes, self._damage, self._sound, self._loudness

    @property
    def unmeasured(self) -> Exception | None:
        """Return why there is no loudness although there is sound; None: there is."""
        return self._loudness.error

    def finish(self, placing: Placing | None) -> list[Cue]:
        """All cues, by when they begin; `placing` says where the sound is heard, None that there is none."""
        return sorted(self._all(placing), key=lambda cue: (cue.start_ms, cue.kind))

    def _all(self, placing: Placing | None) -> Iterator[Cue]:
        yield from self._pictures.finish(self._end_ms)
        yield from self._boxes.finish(self._end_ms)
        yield from (Cue("damaged", *span) for span in self._damage.finish(self._end_ms))
        if placing is not None:
            yield from self._sound.finish(placing, self._end_ms)
            yield from self._loudness.finish(self._sound.reach(placing, self._end_ms))


class _Damage:
    """Stretches whose pictures are damaged, or built on damaged ones."""

    def __init__(self) -> None:
        self._since: int | None = None
        self._found: list[Span] = []

    def picture(self, picture: Picture, at_ms: int) -> None:
        """The next one."""
        if picture.is_damaged:
            self._since = at_ms if self._since is None else self._since
        elif self._since is not None:
            self.finish(at_ms)

    def finish(self, end_ms: int) -> list[Span]:
        """All of them; what is damaged at the end ends there."""
        if self._since is not None:
            self._found.append((self._since, end_ms))
        self._since = None
        return merged(self._found, _GAP_MS)
