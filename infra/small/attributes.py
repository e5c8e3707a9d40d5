"""What pictures of a drawn film show, as numbers: what the eyes learn to tell.

Heads are questions with a few answers each. Of a frame group, places and actions are known picture by
picture, figures at its first and its last picture.

Shapes: F pictures, G = F / 4 groups, H heads, O outputs of a group.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from drawing import stand
from storyboard import Film
from torch import Tensor
from torch.nn import functional
from words import ACCESSORIES, ACTIONS, COLOURS, EVENTS, SETTINGS, SHAPES, TIMES, WEATHERS

from videoxl2.network.configs.config import GROUP_FRAMES

ABSENT = -1  # among labels: nothing to say
_ALL, _ENDS = tuple(range(GROUP_FRAMES)), (0, GROUP_FRAMES - 1)
# name, number of answers, pictures of a group that are asked about
HEADS: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("setting", len(SETTINGS), _ALL),
    ("time", len(TIMES), _ALL),
    ("weather", len(WEATHERS), _ALL),
    ("action", len(ACTIONS), _ALL),
    ("event", 1 + len(EVENTS), _ALL),
    *((f"colour of {shape}", 1 + len(COLOURS), _ENDS) for shape in SHAPES),
    *((f"accessory of {shape}", len(ACCESSORIES), _ENDS) for shape in SHAPES),
)
PICTURE_OUTPUTS = sum(size for _, size, _ in HEADS)
_CHANGES = GROUP_FRAMES - 1  # of the setting, from one picture of a group to the next
GROUP_OUTPUTS = sum(size * len(asked) for _, size, asked in HEADS) + _CHANGES


def is_nothing(head: str, answer: int) -> bool:
    """Whether the answer is that there is no event, no such figure, or nothing worn."""
    return answer == 0 and head.partition(" ")[0] in ("event", "colour", "accessory")


def labels_at(film: Film, second: float) -> list[int]:
    """What is seen at an instant, one number a head."""
    scene = film.scenes[film.scene_at(second)]
    event = scene.event if scene.event and scene.event.start_s <= second < scene.event.end_s else None
    seen = {p.character.shape: p.character for p in scene.cast if p.enter_s <= second < p.leave_s}
    colours = [1 + COLOURS.index(seen[s].colour) if s in seen else 0 for s in SHAPES]
    worn = [ACCESSORIES.index(seen[s].accessory) if s in seen else ABSENT for s in SHAPES]
    return [
        list(SETTINGS).index(scene.setting),
        list(TIMES).index(scene.time_of_day),
        list(WEATHERS).index(scene.weather),
        list(ACTIONS).index(scene.action) if seen else ABSENT,
        1 + list(EVENTS).index(event.kind) if event else 0,
        *colours,
        *worn,
    ]


def patch_labels(film: Film, second: float, side: int) -> Tensor:
    """Who is where: `[4, side, side]` of colour, shape, accessory and action; `ABSENT` where nobody is."""
    labels = torch.full((4, side, side), ABSENT)
    scene = film.scenes[film.scene_at(second)]
    for number, presence in enumerate(scene.cast):
        at = stand(scene, number, second)
        if not (presence.enter_s <= second < presence.leave_s and -0.02 < at.x < 1.02):
            continue
        rows = slice(max(0, int((at.feet - 0.36) * side)), int((at.feet - 0.03) * side) + 1)
        columns = slice(max(0, round((at.x - 0.06) * side - 0.5)), round((at.x + 0.06) * side - 0.5) + 1)
        who = presence.character
        labels[0, rows, columns] = COLOURS.index(who.colour)
        labels[1, rows, columns] = list(SHAPES).index(who.shape)
        labels[2, rows, columns] = ACCESSORIES.index(who.accessory)
        labels[3, rows, columns] = list(ACTIONS).index(scene.action)
    return labels


PATCH_HEADS = (len(COLOURS), len(SHAPES), len(ACCESSORIES), len(ACTIONS), 2)  # the last: is anybody there?


def patch_loss(logits_FNO: Tensor, labels_F4SS: Tensor) -> Tensor:
    """The sum of the patch heads' cross entropies."""
    labels_F4N = labels_F4SS.flatten(2)
    somebody = (labels_F4N[:, 0] != ABSENT).long()
    targets = [*labels_F4N.unbind(1), somebody]
    pieces = logits_FNO.split(PATCH_HEADS, dim=2)
    losses = [
        functional.cross_entropy(piece.flatten(0, 1), target.flatten(), ignore_index=ABSENT)
        for piece, target in zip(pieces, targets, strict=True)
    ]
    return torch.stack(losses).nan_to_num().sum()


def film_labels(film: Film, times_ms: Sequence[int]) -> Tensor:
    """`[F, H]` of the sampled pictures, the last repeated to fill its group."""
    rows = [labels_at(film, ms / 1000) for ms in times_ms]
    return torch.tensor(rows + rows[-1:] * (-len(rows) % GROUP_FRAMES))


def one_hot(labels_FH: Tensor) -> Tensor:
    """`[G, O]`: a one for each answer, and for each change of the setting."""
    pieces = []
    for (_, size, asked), column in zip(HEADS, labels_FH.unbind(1), strict=True):
        shown_GA = column.unflatten(0, (-1, GROUP_FRAMES))[:, list(asked)]
        ones = functional.one_hot(shown_GA.clamp(min=0), size) * (shown_GA != ABSENT)[..., None]
        pieces.append(ones.flatten(1))
    return torch.cat([*pieces, changes(labels_FH)], dim=1).float()


def changes(labels_FH: Tensor) -> Tensor:
    """`[G, 3]`: whether the second, third and fourth picture show another setting than the one before."""
    setting_G4 = labels_FH[:, 0].unflatten(0, (-1, GROUP_FRAMES))
    return setting_G4[:, 1:] != setting_G4[:, :-1]


def loss_and_accuracy(logits: Tensor, labels_FH: Tensor, of_groups: bool) -> tuple[Tensor, dict[str, float]]:
    """The sum of all heads' cross entropies, and the share told right by kind of head.

    `logits` are `[F, PICTURE_OUTPUTS]`, or `[G, O]` for groups. The many shapes that are rightly not seen are
    no part of the share.
    """
    losses: list[Tensor] = []
    right: dict[str, list[Tensor]] = {}
    at = 0
    for (name, size, asked), column in zip(HEADS, labels_FH.unbind(1), strict=True):
        count = len(asked) if of_groups else 1
        answers = logits[:, at : at + size * count].unflatten(1, (count, size)).flatten(0, 1).float()
        at += size * count
        truth = column.unflatten(0, (-1, GROUP_FRAMES))[:, list(asked)].flatten() if of_groups else column
        losses.append(functional.cross_entropy(answers, truth, ignore_index=ABSENT))
        said = answers.argmax(1)
        counts = (truth > 0) | (said > 0) if name.startswith("colour") else truth != ABSENT
        right.setdefault(name.partition(" of ")[0], []).append((said == truth)[counts].float())
    if of_groups:
        told, changed = logits[:, at:].float(), changes(labels_FH)
        losses.append(_CHANGES * functional.binary_cross_entropy_with_logits(told, changed.float()))
        right["change"] = [((told > 0) == changed).all(1).float()]
    return torch.stack([x.nan_to_num() for x in losses]).sum(), {
        name: torch.cat(shares).mean().item() for name, shares in right.items()
    }
