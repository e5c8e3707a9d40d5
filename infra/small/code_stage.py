"""DTS and projector learn to speak a code of what four pictures show, which the language model reads.

In the columns of figures each visual token has to say what `figure_columns` says of its group, measured by
how long the other columns are, since the language model reads one against the other. The other columns are
the code that the language model has learned with, or what the eyes of a narrower checkpoint say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from answers_stage import Code, eye_of
from attributes import one_hot
from figure_columns import COLOUR, FIRST_COLUMN, SHOWN, WORN, with_figures
from groups import draw_cuts, seen_of
from lessons import WatchedFilm
from seeing import show
from torch import Tensor
from training import Log, Stage, Training
from vision_stage import Judged, Seen
from wiring import FIRST, hold_time
from words import SHAPES

from videoxl2.network.network import Network
from videoxl2.network.vision.dts import group_frames

Meant = Callable[[Seen], Tensor]  # the visual tokens [G, N, D] that there should be; N may be 1


def train_code(
    network: Network,
    stage: Stage,
    judge: Callable[[Seen], Judged],
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Until a group's visual tokens are what the language model has been told they are."""
    training = Training(stage, {"dts": network.dts, "projector": network.projector}, folder)
    draw: Callable[[int], Seen] = partial(draw_cuts, films, stage.size)
    show(training, judge, draw, [seen_of(film) for film in held_out], log)


def train_narrow_code(
    network: Network,
    code: Code,
    stage: Stage,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Begin near the code, by least squares, and learn it; what tokens say of times is held from then on."""
    if not (folder / f"{stage.name}.pt").exists():
        _speak_code(network, code, films[:500])
    train_code(network, stage, partial(judge_narrow_code, network, code), films, held_out, folder, log)
    hold_time(_last(network))


@torch.no_grad()
def _speak_code(network: Network, code: Code, films: Sequence[WatchedFilm]) -> None:
    """Turn the projector's last layer to the code."""
    eye, last = eye_of(network, films), _last(network)
    seen_GD = torch.cat([eye(film).mean(1) for film in films]).double()
    meant_GD = torch.cat([code.linear(one_hot(film.labels)) for film in films]).double()
    ones_G1 = torch.ones(len(seen_GD), 1, dtype=torch.double)
    turn = torch.linalg.lstsq(torch.cat([seen_GD, ones_G1], dim=1), meant_GD).solution.float()
    last.weight.copy_(turn[:-1].T @ last.weight)
    last.bias.copy_(turn[:-1].T @ last.bias + turn[-1])


def judge_narrow_code(network: Network, code: Code, seen: Seen) -> Judged:
    """Squared distances of the tokens' mean from the code, and of the tokens from their mean.

    In the columns that wired heads read each token has to be it; in the others they may differ a bit, as what
    they look at does.
    """
    with torch.no_grad():
        meant_GD = code.linear(one_hot(seen[1]))
    told_GND = network.projector(network.dts(group_frames(seen[0].float())))
    mean_G1D = told_GND.mean(1, keepdim=True)
    apart_GD = (told_GND - mean_G1D).square().mean(1)
    miss_G = (mean_G1D[:, 0] - meant_GD).square().sum(1) + apart_GD[:, : FIRST.stop].sum(1)
    loss = (miss_G + 0.1 * apart_GD[:, FIRST.stop :].sum(1)).mean()
    return Judged({"code": loss}, {"distance": loss.item()})


def _last(network: Network) -> torch.nn.Linear:
    last = network.projector[2]
    assert isinstance(last, torch.nn.Linear)
    return last


def meant_by_eyes(narrow: Network) -> Meant:
    """Return what a narrower checkpoint's eyes say, with figures besides."""

    @torch.no_grad()
    def meant(seen: Seen) -> Tensor:
        return with_figures(narrow.projector(narrow.dts(group_frames(seen[0].float()))), seen[1])

    return meant


def judge_code(network: Network, meant: Meant, seen: Seen) -> Judged:
    """Squared distances from what is meant, and how often a figure's colour and what it wears are right."""
    meant_GND = meant(seen)
    size_GN1 = meant_GND[..., :FIRST_COLUMN].square().mean(2, keepdim=True).sqrt()
    told_GND = network.projector(network.dts(group_frames(seen[0].float()))) / size_GN1
    true_GND = meant_GND / size_GN1
    others = (told_GND - true_GND)[..., :FIRST_COLUMN].square().sum(2).mean()
    figures_GND, mean_GD = told_GND[..., FIRST_COLUMN:], told_GND.mean(1)
    apart = (figures_GND - mean_GD[:, None, FIRST_COLUMN:]).square().sum(2).mean()
    miss = (mean_GD - true_GND[:, 0])[:, FIRST_COLUMN:].square().sum(1).mean()
    right = {"colour": _right(mean_GD, true_GND[:, 0], COLOUR), "worn": _right(mean_GD, true_GND[:, 0], WORN)}
    return Judged({"others": 0.1 * others, "figures": miss + 0.3 * apart}, right)


def _right(told_GD: Tensor, true_GD: Tensor, columns: slice) -> float:
    """Return the share of the figures shown whose highest column is the true one."""
    told, true = (x[:, columns].unflatten(1, (len(SHAPES), -1)).argmax(2) for x in (told_GD, true_GD))
    shown = true_GD[:, SHOWN] > 0
    return (told == true)[shown].float().mean().item()
