"""Frame groups out of watched films: what DTS and projector learn from."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import torch
from attributes import changes
from lessons import WatchedFilm
from vision_stage import Seen

from videoxl2.network.configs.config import GROUP_FRAMES


def draw_groups(films: Sequence[WatchedFilm], count: int, step: int) -> Seen:
    """Groups out of as many films, the same for the same step."""
    draw = random.Random(step)
    return _joined(_draw_group(film, draw) for film in draw.choices(films, k=count))


def draw_cuts(films: Sequence[WatchedFilm], count: int, step: int) -> Seen:
    """The same, but every second group goes on as one of another film."""
    draw = random.Random(step)
    groups = []
    for number, film in enumerate(draw.choices(films, k=count)):
        group = _draw_group(film, draw)
        if number % 2:
            other = _draw_group(draw.choice(films), draw)
            cut = draw.randrange(1, GROUP_FRAMES)
            group = _joined([_pictures(group, slice(cut)), _pictures(other, slice(cut, None))])
        groups.append(group)
    return _joined(groups)


def with_a_cut(film: WatchedFilm) -> list[int]:
    """The groups in which the setting changes."""
    return [int(number) for number in changes(film.labels).any(1).nonzero()]


def group_of(film: WatchedFilm, number: int) -> Seen:
    """One group of the film."""
    return _pictures(seen_of(film), slice(GROUP_FRAMES * number, GROUP_FRAMES * (number + 1)))


def seen_of(film: WatchedFilm) -> Seen:
    """All pictures of the film."""
    assert film.features is not None
    return film.features, film.labels


def _draw_group(film: WatchedFilm, draw: random.Random) -> Seen:
    return group_of(film, draw.randrange(len(film.labels) // GROUP_FRAMES))


def _pictures(seen: Seen, which: slice) -> Seen:
    features, labels = seen
    return features[which], labels[which]


def _joined(groups: Iterable[Seen]) -> Seen:
    features, labels = zip(*groups, strict=True)
    return torch.cat(features), torch.cat(labels)
