"""What a signal is: rows that a CPU reads off one video, and an identity that changes when they would."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from schemas.identity import Sidecar, VideoObject, digest
from schemas.measured import Measured

if TYPE_CHECKING:  # it loads PyAV, and plans know signals by name only
    from jobs.failures import VideoFailure
    from jobs.signals.watching import WatchedBefore
    from videoxl2.captions import Texts
    from videoxl2.frames import Limits, MediaInfo
    from videoxl2.speech import Heard
    from videoxl2.watching import Watched, Watcher

Lineage = Mapping[str, Any]  # the columns of `Measured`, as the rows of one signal have them


@dataclass(frozen=True)
class Beforehand:
    """Texts, speech and pictures that were read of a video before its signals are. By signal, `seconds` is
    what that took, and `failures` why it is left alone."""

    texts: "Texts | None" = None  # by the pass that probed it, where captions are wanted
    heard: "Heard | None" = None  # for prompts, where they tell what is heard
    watched: "WatchedBefore | None" = None  # by the pass that took a model's frames
    seconds: Mapping[str, float] = field(default_factory=dict)
    failures: "Mapping[str, VideoFailure]" = field(default_factory=dict)


NOTHING_BEFORE = Beforehand()


@dataclass(frozen=True)
class VideoFile:
    """A video within a signal's reach. `fetch` gives the bytes of what lies beside it."""

    video: VideoObject
    path: Path
    info: "MediaInfo"
    limits: "Limits"
    fetch: Callable[[Sidecar], bytes]
    before: Beforehand = NOTHING_BEFORE


class PartlyRead(Exception):  # noqa: N818 - the name says what happened
    """Error raised behind the last row of a signal that could not read all there is; those it gave stand.

    `why` is the error of what is missing, the first of several.
    """

    def __init__(self, why: Exception) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Talk:
    """The amount of speech: pieces in each video, and in each hour of them."""

    video_pieces: float
    hour_pieces: float

    def pieces(self, num_videos: float, hours: float) -> float:
        """Pieces in so many videos of so many hours together."""
        return self.video_pieces * num_videos + self.hour_pieces * hours

    def times(self, factor: float) -> "Talk":
        """Multiply it by a factor."""
        return Talk(self.video_pieces * factor, self.hour_pieces * factor)


USUAL_TALK = Talk(0.5, 0.6 * 3600 / 26)  # three fifths of a video are speech; the last piece is half full


@dataclass(frozen=True)
class Look:
    """The amount to see and hear in a second of video, as a mean over videos and their seconds."""

    pictures: float
    megapixels: float  # in them together
    sampled: float = 1.0  # of the pictures, those that are a second from each other or more
    sound: float = 1.0  # share of the time that has any


USUAL_LOOK = Look(25.0, 23.0)  # 1280 x 720


@dataclass(frozen=True)
class Costs:
    """Seconds of one core that reading takes: for each video, each hour of it at a picture a second, each
    hour of its sound, each piece of speech in it, each thousand pictures that are decoded and each thousand
    million pixels of them.

    `memory_bytes` is what it takes beyond what every task has.
    """

    video_s: float
    hour_s: float
    piece_s: float = 0.0
    memory_bytes: int = 0
    kilopicture_s: float = 0.0
    gigapixel_s: float = 0.0
    sound_hour_s: float = 0.0

    def seconds(
        self, num_videos: float, hours: float, talk: Talk = USUAL_TALK, look: Look = USUAL_LOOK
    ) -> float:
        """Seconds of one core, for so many videos of so many hours together."""
        hour_s = self.hour_s * look.sampled + self.sound_hour_s * look.sound
        whole = self.video_s * num_videos + hour_s * hours
        seen_s = self.kilopicture_s * look.pictures + self.gigapixel_s * look.megapixels  # in 1000 seconds
        return whole + self.piece_s * talk.pieces(num_videos, hours) + 3.6 * seen_s * hours


class Signal(Protocol):
    """Small and picklable. Equal signals would read equal rows off equal bytes.

    It is a `ReadingSignal` or a `WatchingSignal`. One that is both watches where others do, and else reads.
    """

    @property
    def name(self) -> str:
        """One word, as people choose it with --signal."""

    @property
    def version(self) -> int:
        """The version of its rows: raised when the same bytes would give others than before."""

    @property
    def settings(self) -> Mapping[str, str]:
        """All else that its rows depend on: what people set, the revision of its weights."""

    @property
    def rough_costs(self) -> "Costs":
        """The costs that plans reckon with until there is a history."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it fills; no other signal does."""

    @property
    def reads_sidecars(self) -> bool:
        """Whether its rows depend on what lies beside the video."""


@runtime_checkable
class ReadingSignal(Signal, Protocol):
    """A signal that opens the file by itself."""

    def read(self, file: VideoFile, lineage: Lineage) -> Iterator[Measured]:
        """The rows, each with this lineage. Raises what `jobs.failures.classify` knows, or PartlyRead."""


@runtime_checkable
class WatchingSignal(Signal, Protocol):
    """A signal that is shown every picture, or all sound, in one pass with the others of its kind."""

    def watch(self, file: VideoFile) -> "Watching":
        """Return what it does in the pass over this file. Raises as `ReadingSignal.read`."""


class Watching(Protocol):
    """A signal's part in one pass over one film."""

    @property
    def watchers(self) -> "Sequence[Watcher]":
        """The watchers that are shown the film; where one of them fails, the signal does."""

    def rows(self, watched: "Watched", lineage: Lineage) -> Iterator[Measured]:
        """The rows, each with this lineage, once the pass is over. Raises as `ReadingSignal.read`."""


def signal_id(signal: Signal) -> str:
    """Name and version as rows carry them."""
    return f"{signal.name}@{signal.version}"


def identity_of(signal: Signal) -> str:
    """An id of all that its rows depend on besides the video."""
    parts = [part for item in sorted(signal.settings.items()) for part in item]
    return digest("signal", signal.name, str(signal.version), *parts)


def described(signal: Signal) -> str:
    """Version and settings of a signal, for people."""
    return ", ".join((str(signal.version), *(f"{name} {value}" for name, value in signal.settings.items())))
