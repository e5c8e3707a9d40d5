"""Measure what a checkpoint knows of each lesson: its choices, slot by slot, told the truth up to each.

An answer can be wrong because of what was said before; here each decision is judged alone, so a lesson that
was not learned shows in its slots, whatever else is known.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from answers_stage import eye_of
from attributes import film_labels
from drawn_reader import read_drawn
from lessons import Lessons, TaughtFilm, WatchedFilm
from storyboard import Film
from teaching import by_slot
from tokenizers import Tokenizer
from vision_stage import tower_features

from jobs.prompts.pack import load_packs
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.network import Network


class Exam:
    """Films looked at once, and what is asked about them: default prompts and lookups."""

    def __init__(self, network: Network, folder: Path, films: Sequence[Film]) -> None:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        config = network.config
        table = TokenTable(tokenizer, config.language.vocab_size, config.eos_ids[0], "cpu")
        lessons = Lessons(Vocabulary(tokenizer), table, load_packs())
        asked = (lessons, lessons.of_lookups("titles"), lessons.of_lookups("summaries"))
        watched = [_watch(network, film) for film in films]
        self._eye = eye_of(network, watched)
        self._questions = [
            each.of(film, random.Random(number)) for number, film in enumerate(watched) for each in asked
        ]

    def skills(self, network: Network) -> dict[str, float]:
        """Return the share of right choices of each slot; the network's eyes are those of the films."""
        return by_slot(network, self._eye, self._questions)

    def chances(self) -> Mapping[str, float]:
        """Return what a slot's share would be if its commonest answer were always given."""
        targets: dict[str, Counter[int]] = defaultdict(Counter)
        for one in self._questions:
            for slot, target in _decided(one):
                targets[slot][target] += 1
        return {slot: max(found.values()) / found.total() for slot, found in targets.items()}


def _decided(one: TaughtFilm) -> list[tuple[str, int]]:
    """Return each decision's slot and token."""
    began = [("video.time", token) for token in one.began if token is not None]
    return began + [
        (slot, lesson.ids[place])
        for lesson in one.lessons
        for slot, place in zip(lesson.slots, lesson.decided, strict=True)
    ]


@torch.no_grad()
def _watch(network: Network, film: Film) -> WatchedFilm:
    _, _, span = read_drawn(film, network.config.vision.image_size)
    times = tuple(int(ms) for ms in span.pts_ms)
    features = tower_features(network, span.frames)
    last = features[-1:].expand(-len(times) % GROUP_FRAMES, -1, -1, -1)
    return WatchedFilm(film, times, film_labels(film, times), torch.cat([features, last]).half())
