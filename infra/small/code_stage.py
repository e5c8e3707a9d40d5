"""DTS and projector learn to speak a code of what four pictures show, which the language model reads.

In the columns of figures each visual token has to say what `figure_columns` says of its group, measured by
how long the other columns are, since the language model reads one against the other. The other columns are
the code that the language model has learned with, or what the eyes of a narrower checkpoint say.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from answers_stage import Code
from attributes import one_hot
from figure_columns import COLOUR, FIRST_COLUMN, SHOWN, WORN, with_figures
from torch import Tensor
from vision_stage import Judged, Seen
from words import SHAPES

from videoxl2.network.network import Network
from videoxl2.network.vision.dts import group_frames

Meant = Callable[[Seen], Tensor]  # the visual tokens [G, N, D] that there should be; N may be 1


def meant_by_code(code: Code) -> Meant:
    """Return the code that the language model has learned with."""

    @torch.no_grad()
    def meant(seen: Seen) -> Tensor:
        return with_figures(code.linear(one_hot(seen[1]))[:, None], seen[1])

    return meant


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
