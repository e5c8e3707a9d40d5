"""Heads by which the small language model finds the best moment: the earliest event of the best kind.

A head of the first layer knows the best kind of event in the film. One of the second looks for a group that
shows it, the surer and the earlier the more. Earlier is told by the time heard, as what positions tell turns
over in a long film. Its time is the group's, and later by the pictures before the event, or earlier by those
behind it, where it goes on from the group before.
"""

from __future__ import annotations

import math

import torch
from figure_columns import ASKED, BEST, EVENT, EVENT_AT, NOTHING, OPENS, START, WANTED
from wired_parts import Head, Units
from wiring import HEARD, OWN, PERIODS, PICTURE, number_features
from words import EVENTS

from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.layers.decoder_layer import SelfAttention

_HIGHLIGHTS = 3  # of the prompts in `figure_columns.ASKED`
_EVENTS = len(EVENTS)
_TOLD_APART_S = 650  # up to which the earlier of two times is told
_TURNED = tuple(n for n, period in enumerate(PERIODS) if period < 40)
_LONG = tuple(n for n, period in enumerate(PERIODS) if period >= 140)


def know_the_best_kind(attention: SelfAttention, units: Units) -> None:
    """BEST where an answer begins; WANTED of words where it is about highlights, and of visual tokens."""
    head = Head(attention, 4)
    best = max(event.score for event in EVENTS.values())
    strengths = [1 - (best - event.score) / 45 for event in EVENTS.values()]
    head.prefer(8.0, OPENS, dict(zip(_each(EVENT), strengths, strict=True)))
    head.look_for(3.5, START)
    head.pass_on(0.7, _each(EVENT), BEST)
    head.pass_on(0.3, _each(START), slice(NOTHING.start + 1, NOTHING.stop))
    for n in range(_EVENTS):
        units.add(0.093, {ASKED.start + _HIGHLIGHTS: 2}, {BEST.start + n: 1}, WANTED.start + n)


def find_the_best_moment(attention: SelfAttention, units: Units) -> None:
    """OWN of the time at which the earliest event of the best kind is first seen."""
    head = Head(attention, 5)
    head.match(100.0, WANTED, EVENT)
    head.look_for(60.0, START)
    head.prefer(2.0, WANTED, {EVENT_AT.start: -1, EVENT_AT.stop - 1: 1})
    head.prefer(2.5, WANTED, _earliness())
    head.prefer(60.0, WANTED, {PICTURE: 1})  # tokens that hear the time well
    head.pass_on(4.0, _each(HEARD), OWN)
    head.pass_on_steps(0.7, EVENT_AT, EVENT_AT)
    for picture in range(1, GROUP_FRAMES):
        begins, ended = {EVENT_AT.start + picture: 6.0}, {EVENT_AT.start + picture: -6.0}
        _turn(units, begins, picture)
        _turn(units, ended, picture - GROUP_FRAMES)  # an event is about as long as a group


def _earliness() -> dict[int, float]:
    """Weights of HEARD that fall by 1 in a hundred seconds, by least squares."""
    times = torch.arange(_TOLD_APART_S + 1, dtype=torch.float64)
    columns = [*_LONG, *(len(PERIODS) + n for n in _LONG)]
    basis = torch.cat([number_features(len(times))[:, columns].double(), torch.ones(len(times), 1)], dim=1)
    even = 0.03 * torch.eye(basis.shape[1])
    even[-1] = 0
    found = torch.linalg.solve(basis.T @ basis + even, basis.T @ (-times / 100))[:-1]
    return {HEARD.start + n: weight for n, weight in zip(columns, found.tolist(), strict=True)}


def _turn(units: Units, gate: dict[int, float], seconds: int) -> None:
    """OWN of a word, as many seconds later, where the gate is open; what hardly turns is left as it is."""
    count, gate = len(PERIODS), gate | {PICTURE: -60.0}
    for n in _TURNED:
        angle = 2 * math.pi * seconds / PERIODS[n]
        cosine, sine = OWN.start + n, OWN.start + count + n
        units.add(1.0, gate, {cosine: math.cos(angle) - 1, sine: -math.sin(angle)}, cosine)
        units.add(1.0, gate, {cosine: math.sin(angle), sine: math.cos(angle) - 1}, sine)


def _each(columns: slice) -> range:
    return range(columns.start, columns.stop)
