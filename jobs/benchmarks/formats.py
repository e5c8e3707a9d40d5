"""Which benchmarks there are: how each is read, and how many pictures its published evaluation takes."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from jobs.benchmarks.charades_sta import read_charades_sta
from jobs.benchmarks.lvbench import read_lvbench
from jobs.benchmarks.mlvu import read_mlvu
from jobs.benchmarks.question import QuestionSet
from jobs.benchmarks.timelens import read_timelens
from jobs.benchmarks.videomme import read_videomme
from schemas.failures import UsageError

_MAX_FPS = 4


@dataclass(frozen=True)
class Format:
    """A benchmark's reader; `max_frames` is what Video-XL-2's evaluation samples at most (of grounding: not
    published)."""

    read: Callable[[Path], QuestionSet]
    max_frames: int


FORMATS = {
    "mlvu": Format(read_mlvu, max_frames=256),
    "videomme": Format(read_videomme, max_frames=400),
    "lvbench": Format(read_lvbench, max_frames=600),
    "charades-sta": Format(read_charades_sta, max_frames=256),
    "timelens": Format(read_timelens, max_frames=256),
}


def read_questions(benchmark: str, path: Path, limit: int | None) -> QuestionSet:
    """The questions, or the first `limit` of them. Raises `UsageError` where there is none."""
    read = FORMATS[benchmark].read(path)
    if not read.questions:
        raise UsageError(f"{path} holds no question", "Check --questions and --benchmark.")
    return QuestionSet(read.questions[:limit], read.notes)


def published_fps(duration_ms: int, max_frames: int) -> Fraction:
    """Return pictures a second: 1, and a whole number up to 4 for a video so short that `max_frames` are not
    reached.

    The rule of Video-XL-2's evaluation.
    """
    num_at_1_fps = -(-duration_ms // 1000)
    return Fraction(max(1, min(_MAX_FPS, max_frames // max(num_at_1_fps, 1))))
