"""What is said in a video, in milliseconds from its first picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its punctuation; `probability` is the decoder's own."""

    word: str
    start_ms: int
    end_ms: int
    probability: float


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or as much of it as is read at once. `language` is BCP 47, None where it is not known.

    `language_probability` is the decoder's own, None where it was not asked. `logprob` and
    `no_speech_probability` are those of the piece that was heard at once.
    """

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...]
    language: str | None
    language_probability: float | None
    probability: float
    logprob: float
    no_speech_probability: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """The speech that was left out for one reason: runs, words that the decoder made of them,
    milliseconds."""

    runs: int = 0
    words: int = 0
    ms: int = 0

    def __add__(self, other: "Dropped") -> "Dropped":
        return Dropped(self.runs + other.runs, self.words + other.words, self.ms + other.ms)


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """The sound that was listened to, and what became of it; without `stream` there was none.

    `chosen_by` is `only`, `language`, `default` or `first`. `warnings` holds any of: `no_sound`,
    `not_readable` (nobody here can read its codec), `damaged`, `rate_wrong` (the header says another rate
    than the stamps), `restless_clock` (some jumps of the stamps were not followed), `not_timed` (the video's
    own times are estimates), `edits_ignored` (an edit list that is not followed), `beyond_pictures` (there is
    speech behind the last picture).
    """

    stream: int | None = None
    num_streams: int = 0
    codec: str | None = None
    language: str | None = None
    chosen_by: str | None = None
    heard_ms: int = 0
    speech_ms: int = 0
    num_pieces: int = 0
    num_heard_again: int = 0  # runs
    num_gaps: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """All that was heard of one video; `dropped` is by reason."""

    track: HeardTrack
    said: tuple[Said, ...] = ()
    dropped: Mapping[str, Dropped] = field(default_factory=dict)
