"""What a video says in writing: tracks of cues, and chapters, in milliseconds from its first picture."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue of captions, shown from `start_ms` up to `end_ms`. Lines of its text are parted by a line
    feed."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    is_end_guessed: bool = False  # the file does not say when it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of a track, by its stream's container or its sidecar's name."""

    language: str | None = None  # BCP 47; None where nothing says one
    language_as_written: str | None = None
    title: str | None = None
    is_default: bool = False
    is_forced: bool = False
    is_hearing_impaired: bool = False
    is_commentary: bool = False


@dataclass(frozen=True, slots=True)
class Track(Labels):
    """Captions or subtitles of one kind: one language, in one place.

    `source` is `stream`, `pictures` (inside the video stream) or `sidecar`, and `origin` the number of the
    stream, `CC1` to `CC4` or `S1` to `S6`, or the sidecar's name.

    `warnings` holds any of: `other_film` (made for a longer or much shorter one), `too_many_cues` (the rest
    is left out), `damaged` (some of it cannot be read), `not_timed` (the video's own times are estimates),
    `not_readable` (of a format that is not read here), `no_text` (pictures of text), `encrypted`,
    `edits_ignored` (an edit list that is not followed), `no_cues` (a sidecar in which nothing is a caption),
    `other_channels` (a sidecar with more than one, of which one is read), `clock_unknown` (a sidecar that
    counts on the clock of a transport stream, beside a film that has none).
    """

    source: str
    origin: str
    codec: str
    has_text: bool = False
    cues: tuple[Cue, ...] = ()
    num_dropped: int = 0  # cues left out: outside the video, empty, or damaged
    encoding: str | None = None  # of a sidecar
    is_encoding_guessed: bool = False
    offset_ms: int = 0  # what was taken off the times as written
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the video that the file itself marks."""

    start_ms: int
    end_ms: int
    title: str | None


@dataclass(frozen=True, slots=True)
class Texts:
    """All that one file says in writing."""

    tracks: tuple[Track, ...]
    chapters: tuple[Chapter, ...]
