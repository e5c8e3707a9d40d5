"""What one video takes of its actor: so much for itself, for each picture, each question and each token.

Fitted to attempts at videos with the same weights on the same kind of machine, so that it also holds for
other pictures per second, other bounds and other questions than theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """The work asked for, as columns: pictures shown, questions put, tokens allowed by the second."""

    frames: Numbers
    visual_tokens: Numbers  # of the pictures; their number where all are of one size
    questions: Numbers
    token_room: Numbers  # of questions whose windows follow the video: the bound on their tokens


@dataclass(frozen=True)
class Attempts:
    """Attempts that ended in rows, as columns. Seconds are wall time in the actor."""

    asked: Asked
    tokens: Numbers  # that the model wrote
    again_tokens: Numbers  # of those: when answers with faults were asked for once more
    prefill_s: Numbers  # waiting for pictures included
    generate_s: Numbers
    other_s: Numbers  # opening the file, handing over the answers

    @classmethod
    def of(cls, groups: Sequence["Attempts"]) -> "Attempts":
        """All of them together."""
        asked = Asked(
            *(np.concatenate([getattr(one.asked, field.name) for one in groups]) for field in fields(Asked))
        )
        rest = fields(cls)[1:]
        return cls(asked, *(np.concatenate([getattr(one, field.name) for one in groups]) for field in rest))


@dataclass(frozen=True)
class Costs:
    """The fitted rates. Seconds of an actor, and tokens."""

    video_s: float
    frame_s: float
    visual_s: float  # of a token of pictures besides, where their size follows the video
    question_s: float
    token_s: float
    question_tokens: float
    room_tokens: float  # written of a token that is allowed
    again_chance: float  # of a token to be in an answer with a fault, which is then asked for once more
    again_share: float  # of a video's tokens, where that happens
    worst: float  # a video that takes longer than nine in ten takes so many times what is expected

    def seconds(self, asked: Asked) -> Numbers:
        """Return the seconds that each video is expected to take."""
        answers_s = self.question_s * asked.questions + self.token_s * self.tokens(asked)
        shown_s = self.frame_s * asked.frames + self.visual_s * asked.visual_tokens
        return self.video_s + shown_s + answers_s

    def tokens(self, asked: Asked) -> Numbers:
        """Return the tokens that are expected to be written about each video."""
        first = self.question_tokens * asked.questions + self.room_tokens * asked.token_room
        return first * (1 + self.again_share * _chance_of_any(self.again_chance, first))


def fit_costs(attempts: Attempts, alike: Attempts | None = None) -> Costs:
    """The rates that come nearest to what the attempts took; there is at least one.

    `alike` are those of them that were asked what is to be asked now: how much is answered is told by them.
    """
    asked = attempts.asked
    first_s, frame_s, visual_s = _fit_prefill(attempts.prefill_s, asked)
    told = alike or attempts
    question_s, token_s = _fit(told.generate_s, told.asked.questions, told.tokens)
    first_tokens = told.tokens - told.again_tokens
    question_tokens, room_tokens = _fit(first_tokens, told.asked.questions, told.asked.token_room)
    again = _fit_again(first_tokens, told.again_tokens)
    video_s = first_s + float(attempts.other_s.mean())
    costs = Costs(video_s, frame_s, visual_s, question_s, token_s, question_tokens, room_tokens, *again, 1.0)
    took = told.prefill_s + told.generate_s + told.other_s
    worst = float(np.quantile(took / np.maximum(costs.seconds(told.asked), 1e-9), 0.9))
    return replace(costs, worst=max(1.0, worst))


def _fit_prefill(prefill_s: Numbers, asked: Asked) -> tuple[float, float, float]:
    """Seconds of a video for itself, of a picture, and of a token of one: 0 where each is as large."""
    ones = np.ones_like(asked.frames)
    if (asked.visual_tokens == asked.frames).all():
        first_s, frame_s = _fit(prefill_s, ones, asked.frames)
        return first_s, frame_s, 0.0
    first_s, frame_s, visual_s = _fit(prefill_s, ones, asked.frames, asked.visual_tokens)
    return first_s, frame_s, visual_s


def _fit_again(first: Numbers, again: Numbers) -> tuple[float, float]:
    """`again_chance`, by how many videos had a second try and not by their size, and `again_share`.

    Of few videos the longest has most of the tokens, and whether it was asked again is a toss of one coin.
    """
    happened = again > 0
    if not happened.any():
        return 0.0, 0.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        is_too_low = _chance_of_any(middle, first).sum() < happened.sum()
        low, high = (middle, high) if is_too_low else (low, middle)
    return high, float(again.sum() / max(1.0, first[happened].sum()))


def _chance_of_any(chance: float, number: Numbers) -> Numbers:
    """The chance of at least one among so many, each of the same small chance."""
    return 1 - np.exp(-chance * number)


def _fit(wanted: Numbers, *columns: Numbers) -> tuple[float, ...]:
    """Least squares with no factor below 0: the best of all choices of columns, whose sums then agree."""
    best: tuple[float, tuple[float, ...]] = (np.inf, (0.0,) * len(columns))
    for size in range(1, len(columns) + 1):
        for chosen in combinations(range(len(columns)), size):
            matrix = np.stack([columns[place] for place in chosen], axis=1)
            found, *_ = np.linalg.lstsq(matrix, wanted, rcond=None)
            error = float(np.square(matrix @ found - wanted).sum())
            if (found >= 0).all() and error < best[0]:
                factors = dict(zip(chosen, found.tolist(), strict=True))
                best = (error, tuple(factors.get(place, 0.0) for place in range(len(columns))))
    return _to_scale(wanted, columns, best[1])


def _to_scale(wanted: Numbers, columns: Sequence[Numbers], factors: tuple[float, ...]) -> tuple[float, ...]:
    """Many videos together are to take what they took, whatever single ones do."""
    total: Any = sum(f * column.sum() for f, column in zip(factors, columns, strict=True))
    scale = float(wanted.sum() / total) if total > 0 else 1.0
    return tuple(f * scale for f in factors)
