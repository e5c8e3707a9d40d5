"""Watched films as sequences: the stamped video, and behind it each default prompt with its true answer.

Shapes: F pictures, H attribute heads, C channels, R grid side.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from attributes import film_labels
from narration import Seen, character_answers, highlight_answers, roster, scene_answers, summary_answer
from storyboard import Film, Part, draw_film
from teacher import Lesson, UntellableError, lesson, lookups
from torch import Tensor
from vision_stage import seen_picture, tower_features

from jobs.prompts.pack import Prompt
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.stamps import tenths
from schemas.answers import Answer
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.configs.pace import REAL_TIME, Pace
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.network import Network

_WINDOW_SHARE = 0.3  # of films that are asked about a part
_SHUFFLED_SHARE = 0.5  # of films whose figures are listed in any order, which teaches when a list ends
Lookups = Literal["titles", "summaries"]
_MOST_LOOKUPS: dict[Lookups, int] = {"titles": 60, "summaries": 30}


@dataclass(frozen=True)
class WatchedFilm:
    """A film with the sampled times and the pictures' labels `[F, H]`, the last repeated to fill its group;
    where they were drawn and looked at, also the tower's features `[F, C, R, R]` (float16). At its `pace` a
    picture is a second."""

    film: Film
    times_ms: tuple[int, ...]
    labels: Tensor
    features: Tensor | None = None
    pace: Pace = REAL_TIME


@dataclass(frozen=True)
class TaughtFilm:
    """A film as tokens: prefix and each group's stamp as ids, and lessons behind them."""

    prefix: tuple[int, ...]
    stamps: tuple[tuple[int, ...], ...]
    watched: WatchedFilm
    lessons: tuple[Lesson, ...]
    began: tuple[int | None, ...]  # token of the second in which the scene seen last by a group began

    @property
    def num_tokens(self) -> int:
        return sum(map(len, self.stamps)) + 4 * len(self.stamps) + sum(len(one.ids) for one in self.lessons)


def sample_times(film: Film, draw: random.Random, every_ms: int = 1000) -> tuple[int, ...]:
    """What a reader samples, in ms; the displayed picture may be a bit older than asked for."""
    late = draw.choice((0, 0, 0, 0, 0, 0, 16, 33, 40, 90))
    count = int(film.duration_s * 1000 - 1) // every_ms + 1
    return tuple(max(0, n * every_ms - draw.randint(0, late)) for n in range(count))


def imagine(part: Part, number: int, every_ms: int = 1000) -> WatchedFilm:
    """A film of which no picture is drawn."""
    film = draw_film(part, number)
    times = sample_times(film, random.Random(film.seed + 7), every_ms)
    pace = Pace(Fraction(1000, every_ms))
    return WatchedFilm(film, times, film_labels(film, times), pace=pace)


def fewer(watched: WatchedFilm, nth: int) -> WatchedFilm:
    """The same film, of which every so many pictures are sampled."""
    times, features = watched.times_ms[::nth], watched.features
    pace = Pace(watched.pace.factor / nth)
    if features is not None:
        features = features[: len(watched.times_ms)][::nth]
        features = torch.cat([features, features[-1:].expand(-len(times) % GROUP_FRAMES, -1, -1, -1)])
    return WatchedFilm(watched.film, times, film_labels(watched.film, times), features, pace)


@torch.no_grad()
def watch(network: Network, part: Part, number: int, every_ms: int = 1000) -> WatchedFilm:
    """Draw the sampled pictures of a film and encode them."""
    imagined = imagine(part, number, every_ms)
    film, draw = imagined.film, random.Random(imagined.film.seed + 8)
    side = network.config.vision.image_size
    pieces = []
    for first in range(0, len(imagined.times_ms), 32):
        times = imagined.times_ms[first : first + 32]
        shown = [seen_picture(film, ms / 1000, side, draw) for ms in times]
        shown += shown[-1:] * (-len(shown) % GROUP_FRAMES)
        pieces.append(tower_features(network, np.stack(shown)).half())
    return replace(imagined, features=torch.cat(pieces))


class Lessons:
    """Makes sequences of watched films: all four prompts, of long films about a part of them."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        table: TokenTable,
        prompts: Sequence[Prompt],
        lookups: Lookups | None = None,
    ) -> None:
        self._vocabulary, self._table, self._prompts, self._lookups = vocabulary, table, prompts, lookups

    def of_boundaries(self) -> Lessons:
        """Of no prompt: what a film has to teach besides, a fifth of the tokens."""
        return Lessons(self._vocabulary, self._table, ())

    def of_lookups(self, kind: Lookups) -> Lessons:
        """Of no prompt; boundaries, and the titles, or also the summaries, of scenes by their times, in no
        order."""
        return Lessons(self._vocabulary, self._table, (), kind)

    def of(self, watched: WatchedFilm, draw: random.Random) -> TaughtFilm:
        """Lessons whose truth cannot be told under the answers' bounds are left out."""
        vocabulary = self._vocabulary
        lessons: list[Lesson] = []
        for prompt in self._prompts:
            try:
                context, truth = self._asked(prompt, watched, draw)
                ids = vocabulary.suffix_ids(prompt.fill(context))
                one = lesson(prompt, context, truth, ids, self._table)
                is_shuffled = prompt.name == "characters" and truth != character_answers(watched.film)
                lessons.append(_without_order(one) if is_shuffled else one)
            except UntellableError:
                continue
        if self._lookups:
            scenes = scene_answers(_whole(watched))
            draw.shuffle(scenes)
            labels = [who.label for who in roster(watched.film)] if self._lookups == "summaries" else None
            lessons.append(lookups(scenes[: _MOST_LOOKUPS[self._lookups]], self._table, labels, watched.pace))
        stamps = tuple(
            tuple(vocabulary.stamp_ids(watched.pace.told_ms(ms))) for ms in watched.times_ms[::GROUP_FRAMES]
        )
        prefix = tuple(vocabulary.prefix_ids())
        return TaughtFilm(prefix, stamps, watched, tuple(lessons), self._began(watched))

    def _began(self, watched: WatchedFilm) -> tuple[int | None, ...]:
        """For each group; none where that is no whole second as it is told."""
        tokens: list[int | None] = []
        scene, began = -1, 0
        for number, ms in enumerate(watched.times_ms):
            if watched.film.scene_at(ms / 1000) != scene:
                scene, began = watched.film.scene_at(ms / 1000), tenths(watched.pace.told_ms(ms))
            if number % GROUP_FRAMES == GROUP_FRAMES - 1 or number == len(watched.times_ms) - 1:
                is_whole = began % 10 == 0
                tokens.append(self._table.encode([str(began // 10)])[0][0] if is_whole else None)
        return tuple(tokens)

    def _asked(
        self, prompt: Prompt, watched: WatchedFilm, draw: random.Random
    ) -> tuple[AnswerContext, Sequence[Answer]]:
        film, times_ms = watched.film, watched.times_ms
        duration_ms = round(film.duration_s * 1000)
        window = (0, duration_ms)
        longest = prompt.window_ms or duration_ms
        if prompt.name == "scenes" and (duration_ms > 1.5 * longest or draw.random() < _WINDOW_SHARE):
            window = _draw_window(times_ms, duration_ms, longest, draw)
        whole = _whole(watched)
        seen = replace(whole, first_ms=window[0], last_ms=window[1])
        labels = tuple(who.label for who in roster(film))
        context = AnswerContext(
            duration_ms,
            times_ms,
            roster=() if prompt.name in ("summary", "characters") else labels,
            window_ms=window,
            max_tokens=prompt.max_new_tokens,
            scenes=tuple(scene_answers(whole)) if prompt.name == "highlights" else (),
            pace=watched.pace,
        )
        match prompt.name:
            case "summary":
                return context, [summary_answer(film)]
            case "characters":
                who = character_answers(film)
                return context, draw.sample(who, len(who)) if draw.random() < _SHUFFLED_SHARE else who
            case "scenes":
                return context, scene_answers(seen)
            case _:
                return context, highlight_answers(whole)


def _without_order(told: Lesson) -> Lesson:
    """The list with nothing learned about whom it names next, but for the last, whom only one is left for."""
    names = [n for n, slot in enumerate(told.slots) if slot == "characters.label"][::2]  # each has an end
    kept = [n for n in range(len(told.slots)) if n not in names[:-1]]
    return replace(
        told, decided=tuple(told.decided[n] for n in kept), slots=tuple(told.slots[n] for n in kept)
    )


def _whole(watched: WatchedFilm) -> Seen:
    return Seen(watched.film, watched.times_ms, 0, round(watched.film.duration_s * 1000))


def _draw_window(
    times_ms: Sequence[int], duration_ms: int, longest_ms: int, draw: random.Random
) -> tuple[int, int]:
    first = draw.choice(times_ms[: max(1, len(times_ms) - 8)])
    last = [ms for ms in (*times_ms, duration_ms) if first + 6000 <= ms <= first + longest_ms]
    return first, draw.choice(last) if last else duration_ms
