"""What is said in a window, as a prompt tells it: lines with their times, within a bound of tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs.prompts.stamps import span_text
from videoxl2.network.configs.pace import REAL_TIME, Pace

MAX_TOKENS = 600  # of one window, where a prompt names no other bound: some four minutes of talk

Count = Callable[[str], int]  # of tokens


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A cue of captions, or what speech says. Times are milliseconds from the first picture."""

    start_ms: int
    end_ms: int
    text: str
    is_heard: bool = False

    def told(self, pace: Pace = REAL_TIME) -> str:
        """The text on one line, times at the model's pace; `<|` in it would open a control token."""
        words = " ".join(self.text.split()).replace("|", "/")
        return f"{span_text(pace.told_ms(self.start_ms), pace.told_ms(self.end_ms))} seconds: {words}"


def told_within(
    said: Sequence[SaidLine],
    start_ms: int,
    end_ms: int,
    max_tokens: int,
    count: Count,
    pace: Pace = REAL_TIME,
) -> str:
    """The lines that overlap the window, in order; where they are too many, as many as fit, spread evenly."""
    lines = [one.told(pace) for one in said if one.start_ms < end_ms and one.end_ms > start_ms]
    costs = [count(f"{line}\n") for line in lines]
    kept = _spread(costs, max_tokens)
    return "\n".join(lines[number] for number in kept)


def _spread(costs: Sequence[int], most: int) -> list[int]:
    """Numbers of lines that cost at most `most` together: every one, every second, every third, …"""
    for step in range(1, len(costs) + 1):
        kept = list(range(0, len(costs), step))
        if sum(costs[number] for number in kept) <= most:
            return kept
    return []
