"""Columns of the residual stream for who is there and what happens: what eyes write and heads look for.

Of a visual token they say what its frame group shows; of a word, what it speaks of, or what heads found.

    SHOWN     whether somebody of each shape is there, at the first and the last picture on average
    COLOUR    the same for each colour of each shape
    WORN      the same for each thing worn, or nothing, by each shape
    EVENT     whether an explosion, a goal or an embrace is seen in any picture
    EVENT_AT  whether an event is seen in the first, second, third and fourth picture
    SPOKEN    of a label's token, its shape
    NAMED     how much of what was named so far is of each shape
    LISTED    whether the answer so far has named each shape
    WORD      whether this is a token of text
    START     the film's first phrase, where heads look that find nothing
    OPENS     of the token behind which an answer begins
    ASKED     which of the default prompts was asked
    NOTHING   nobody is left to name; there is no event
    ITS       what the shape spoken of wears, or nothing
    BEST      the best kind of event in the film
    WANTED    the same, where a highlight's time may follow
    HERE      COLOUR some seconds before the number read last; of a label's token, its own
    REPEATS   of the token behind which the label named last is said again
    ENDS      whether a list of figures ends, or goes on (negative)
"""

from __future__ import annotations

import torch
from attributes import HEADS
from torch import Tensor
from torch.nn import functional
from words import ACCESSORIES, COLOURS, EVENTS, SHAPES

from videoxl2.network.configs.config import GROUP_FRAMES

FIRST_COLUMN, WIDTH = 160, 288
SIZE = 1.2  # of a column that says yes, where the other columns are 1 on average


def _columns() -> dict[str, slice]:
    counts = {
        "SHOWN": len(SHAPES),
        "COLOUR": len(SHAPES) * len(COLOURS),
        "WORN": len(SHAPES) * len(ACCESSORIES),
        "EVENT": len(EVENTS),
        "EVENT_AT": GROUP_FRAMES,
        "SPOKEN": len(SHAPES),
        "NAMED": len(SHAPES),
        "LISTED": len(SHAPES),
        "WORD": 1,
        "START": 1,
        "OPENS": 1,
        "ASKED": 4,
        "NOTHING": 2,
        "ITS": len(ACCESSORIES),
        "BEST": len(EVENTS),
        "WANTED": len(EVENTS),
        "HERE": len(SHAPES) * len(COLOURS),
        "REPEATS": 1,
        "ENDS": 1,
    }
    at, found = FIRST_COLUMN, {}
    for name, count in counts.items():
        found[name] = slice(at, at + count)
        at += count
    return found


_ALL = _columns()
SHOWN, COLOUR, WORN, EVENT, EVENT_AT = (_ALL[n] for n in ("SHOWN", "COLOUR", "WORN", "EVENT", "EVENT_AT"))
SPOKEN, NAMED, LISTED, WORD, START = (_ALL[n] for n in ("SPOKEN", "NAMED", "LISTED", "WORD", "START"))
OPENS, ASKED, NOTHING, ITS = (_ALL[n] for n in ("OPENS", "ASKED", "NOTHING", "ITS"))
BEST, WANTED, HERE = _ALL["BEST"], _ALL["WANTED"], _ALL["HERE"]
REPEATS, ENDS = _ALL["REPEATS"], _ALL["ENDS"]
SEEN = slice(SHOWN.start, EVENT_AT.stop)  # what eyes write


def figure_code(labels_FH: Tensor) -> Tensor:
    """Return what the columns from `FIRST_COLUMN` on say of groups: `[G, WIDTH - FIRST_COLUMN]`."""
    names = [name for name, _, _ in HEADS]
    shown = labels_FH.unflatten(0, (-1, GROUP_FRAMES))  # [G, 4, H]
    ends = shown[:, [0, GROUP_FRAMES - 1]]
    colours = ends[..., [n for n, name in enumerate(names) if name.startswith("colour")]]  # [G, 2, S]
    worn = ends[..., [n for n, name in enumerate(names) if name.startswith("accessory")]]
    event = shown[..., names.index("event")]
    code = torch.zeros(len(shown), WIDTH)
    code[:, SHOWN] = (colours > 0).float().mean(1)
    code[:, COLOUR] = _ones(colours, 1 + len(COLOURS))[..., 1:].mean(1).flatten(1)
    code[:, WORN] = (_ones(worn.clamp(min=0), len(ACCESSORIES)) * (worn >= 0)[..., None]).mean(1).flatten(1)
    code[:, EVENT] = _ones(event, 1 + len(EVENTS))[..., 1:].amax(1)
    code[:, EVENT_AT] = (event > 0).float()
    return SIZE * code[:, FIRST_COLUMN:]


def with_figures(others_GND: Tensor, labels_FH: Tensor) -> Tensor:
    """Tokens of all columns, where those before `FIRST_COLUMN` are given: as much longer as those are."""
    size_GN1 = others_GND.square().mean(2, keepdim=True).sqrt()
    return torch.cat([others_GND, size_GN1 * figure_code(labels_FH)[:, None]], dim=2)


def _ones(answers: Tensor, size: int) -> Tensor:
    return functional.one_hot(answers, size).float()
