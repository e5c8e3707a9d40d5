"""A record of an answer, with what tells how far it can be relied on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from jobs.answers.repetition import repeats
from jobs.prompts.program.programs import Filled
from schemas.answers import Answer

SURE = 0.9  # confidence from which a record has to owe something to the video
LEAST_GAIN = 0.01  # nats per token


@dataclass(frozen=True)
class Record:
    """One record of an answer, and how far it can be relied on.

    `confidence` is the geometric mean of the probabilities that the model gave to its own choices, and
    `video_gain` what the video added to their logarithms (mean, in nats).
    """

    answer: Answer
    confidence: float
    video_gain: float
    is_truncated: bool
    is_repeated: bool
    repairs: tuple[str, ...] = ()

    @property
    def is_overconfident(self) -> bool:
        """Whether the model is sure of words that are no less probable without the video."""
        return self.confidence >= SURE and self.video_gain < LEAST_GAIN

    def repaired(self, repair: str) -> "Record":
        """The record with one more thing that was done to it."""
        return replace(self, repairs=(*self.repairs, repair))


def record_of(answer: Filled, number: int, blind: Sequence[float]) -> Record:
    """The record of that number; `blind` has the log-probability of each token without the video."""
    slots = [stats.slot for stats in answer.stats if stats.record == number and stats.slot.decisions]
    decisions = [decision for slot in slots for decision in slot.decisions]
    # What was taken back or overruled is not in the answer, nor is its end.
    gains = [
        decision.logprob - blind[decision.place]
        for decision in decisions
        if answer.token_ids[decision.place : decision.place + 1] == (decision.token,)
    ]
    return Record(
        answer.records[number],
        confidence=math.exp(fmean(d.logprob for d in decisions)) if decisions else 1.0,
        video_gain=fmean(gains) if gains else 0.0,
        is_truncated=any(slot.truncated for slot in slots),
        is_repeated=any(slot.looped for slot in slots) or repeats(answer.records, number),
    )
