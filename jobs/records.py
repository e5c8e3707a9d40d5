"""A record of an answer, with what tells how far it can be relied on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.program_records import FieldStats
from jobs.repetition import repeats
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
        """Sure of its words, though they are no less probable without the video."""
        return self.confidence >= SURE and self.video_gain < LEAST_GAIN

    def repaired(self, repair: str) -> "Record":
        """With one more thing that was done to it."""
        return replace(self, repairs=(*self.repairs, repair))


def record_of(
    answers: Sequence[Answer], number: int, fields: Sequence[FieldStats], blind: Sequence[float]
) -> Record:
    """The record of that number with what its slots say of it; `blind` is the answer's, token by token."""
    slots = [field.slot for field in fields if field.slot.num_decisions]
    num_decisions = max(1, sum(slot.num_decisions for slot in slots))
    logprob = sum(slot.mean_logprob * slot.num_decisions for slot in slots)
    places = [place for slot in slots for place in slot.positions if place < len(blind)]
    blind_logprob = sum(blind[place] for place in places)
    return Record(
        answers[number],
        confidence=math.exp(logprob / num_decisions),
        video_gain=logprob / num_decisions - blind_logprob / max(1, len(places)),
        is_truncated=any(slot.truncated for slot in slots),
        is_repeated=any(slot.looped for slot in slots) or repeats(answers, number),
    )
