"""What a cue is."""

from dataclasses import dataclass
from typing import Literal

CueKind = Literal[
    "black",
    "freeze",
    "color_bars",
    "letterbox",
    "pillarbox",
    "damaged",
    "credits",
    "slate",
    "silence",
    "tone",
    "loudness",
    "loudness_range",
    "peak",
]


@dataclass(frozen=True)
class Cue:
    """A state of the film that holds from `start_ms` up to `end_ms`.

    `value` is Hz of a tone, LUFS of loudness, LU of its range, dBFS of a peak, width over height of what a
    letterbox or pillarbox leaves; None for others.
    """

    kind: CueKind
    start_ms: int
    end_ms: int
    value: float | None = None
