"""What attempts take, in one record from the model to the report."""

import operator
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from functools import reduce
from typing import Any


@dataclass(frozen=True)
class SignalUsage:
    """The cost of reading one signal, whatever came of it. Seconds are those of a CPU core at work."""

    signal: str
    seconds: float


@dataclass(frozen=True)
class Usage:
    """The usage of one try, as far as it got, or of several together; None: not known.

    The names are those of the columns of `attempts` and `runs`. Memory is the highest peak.
    """

    wait_seconds: float | None = None  # part of prefill: waiting for pictures
    prefill_seconds: float | None = None
    generate_seconds: float | None = None
    signal_seconds: float | None = None  # reading signals: of a CPU core at work
    signals: tuple[SignalUsage, ...] | None = None  # the same, one by one
    finish_seconds: float | None = None  # cuts, keyframes and rows, on a CPU
    peak_memory_bytes: int | None = None
    video_ms: int | None = None
    num_frames: int | None = None
    num_prompt_tokens: int | None = None
    num_output_tokens: int | None = None
    num_again_tokens: int | None = None  # of those: when answers with faults were asked for once more

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{f.name: _together(f.name, self, other) for f in fields(self)})

    def columns(self, names: Collection[str]) -> dict[str, Any]:
        """The columns of these names, 0 where nothing is known."""
        return {name: value or 0 for name, value in asdict(self).items() if name in names}

    @property
    def model_seconds(self) -> float:
        """Seconds in which the model held the video."""
        return (self.prefill_seconds or 0.0) + (self.generate_seconds or 0.0)

    @property
    def busy_seconds(self) -> float:
        """Seconds in which the model computed: prefill without the wait for pictures, and answers."""
        return self.model_seconds - (self.wait_seconds or 0.0)

    @property
    def cpu_seconds(self) -> float:
        """Seconds that CPUs took besides: for signals, and to finish."""
        return (self.signal_seconds or 0.0) + (self.finish_seconds or 0.0)


NO_USAGE = Usage()


def _together(name: str, one: Usage, other: Usage) -> Any:
    known = [value for value in (getattr(one, name), getattr(other, name)) if value is not None]
    if not known:
        return None
    return max(known) if name == "peak_memory_bytes" else reduce(operator.add, known)
