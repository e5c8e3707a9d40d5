"""First stage: the vision tower, DTS and projector learn to tell what four sampled pictures show.

Linear heads on the visual tokens name each picture's setting, time of day, weather, characters, what they
wear and do, and the highlight; the heads are thrown away afterwards. (The published model's first stages
reconstruct pictures and write captions; with a closed world, its attributes are the caption.)
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from drawing import draw_picture
from numpy.typing import NDArray
from PIL import Image
from storyboard import Film, Part, draw_film
from torch import Tensor, nn
from torch.nn import functional
from words import ACCESSORIES, ACTIONS, COLOURS, EVENTS, SETTINGS, SHAPES, TIMES, WEATHERS

from videoxl2.config import GROUP_FRAMES, ModelConfig
from videoxl2.dts import group_frames
from videoxl2.images import pixel_values
from videoxl2.network import Network
from videoxl2.vision import resample_to_grid, vision_features

ABSENT = -1  # in labels: nothing to say
_KINDS: tuple[tuple[str, Sequence[str]], ...] = (
    ("setting", tuple(SETTINGS)),
    ("time", tuple(TIMES)),
    ("weather", tuple(WEATHERS)),
    ("action", tuple(ACTIONS)),
    ("event", ("", *EVENTS)),
    *((f"colour of {shape}", ("", *COLOURS)) for shape in SHAPES),
    *((f"accessory of {shape}", ACCESSORIES) for shape in SHAPES),
)
Logits = dict[str, Tensor]  # by head
HEADS = {name: len(words) for name, words in _KINDS}


@dataclass(frozen=True)
class GroupBatch:
    """Pictures `[F, S, S, 3]` of whole groups, and labels `[F]` by head."""

    pictures: NDArray[np.uint8]
    labels: dict[str, Tensor]


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


def seen_picture(film: Film, second: float, side: int, draw: random.Random) -> NDArray[np.uint8]:
    """The picture as a reader of the encoded film would hand it over: squashed, with traces of a codec."""
    size = draw.choice(((192, 108), (256, 144), (320, 180)))
    picture = draw_picture(film, second, size)
    if draw.random() < 0.6:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=draw.randint(35, 92))
        picture = Image.open(file)
    pixels = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC), np.float32)
    return (pixels * draw.uniform(0.94, 1.04) + draw.uniform(-5, 5)).clip(0, 255).astype(np.uint8)


def draw_groups(part: Part, seed: int, num_groups: int, side: int) -> GroupBatch:
    """Groups out of as many films, the same for the same seed; every second one lies over a cut."""
    draw = random.Random(seed)
    pictures, rows = [], []
    for _ in range(num_groups):
        film = draw_film(part, draw.randrange(10_000_000), draw.uniform(10, 60))
        step = draw.choice((1.0, 1.0, 1.0, 0.5, 2.0))
        first = draw.uniform(0, max(0.0, film.duration_s - 3 * step - 0.1))
        if draw.random() < 0.5 and len(film.scenes) > 1:
            cut = draw.choice(film.scenes[1:]).start_s
            first = max(0.0, cut - draw.uniform(0, 3) * step)
        for n in range(GROUP_FRAMES):
            second = min(first + n * step, film.duration_s - 0.05)
            pictures.append(seen_picture(film, second, side, draw))
            rows.append(labels_at(film, second))
    columns = torch.tensor(rows).unbind(1)
    return GroupBatch(np.stack(pictures), dict(zip(HEADS, columns, strict=True)))


class AttributeHeads(nn.Module):
    """Logits `[F, K]` by head, twice: from each picture's own features, and from its group's visual tokens."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        outputs = sum(HEADS.values())
        self.of_picture = nn.Linear(config.vision.hidden_size * config.grid_side**2, outputs)
        group = config.tokens_per_group * config.language.hidden_size
        self.of_group = nn.Linear(group, GROUP_FRAMES * outputs)

    def forward(self, network: Network, pictures_FSSC: NDArray[np.uint8]) -> tuple[Logits, Logits]:
        grid_FCRR = picture_features(network, pictures_FSSC)
        tokens_GND = network.projector(network.dts(group_frames(grid_FCRR)))
        of_group_FK = self.of_group(tokens_GND.flatten(1)).unflatten(1, (GROUP_FRAMES, -1)).flatten(0, 1)
        return _by_head(self.of_picture(grid_FCRR.flatten(1))), _by_head(of_group_FK)


def _by_head(logits_FK: Tensor) -> Logits:
    return dict(zip(HEADS, logits_FK.split(list(HEADS.values()), dim=1), strict=True))


def picture_features(network: Network, pictures_FSSC: NDArray[np.uint8]) -> Tensor:
    """The tower's features `[F, C, R, R]`."""
    features_FNC = vision_features(network.vision, pixel_values(pictures_FSSC))
    return resample_to_grid(features_FNC, network.config.grid_side)


def grid_features(network: Network, pictures_FSSC: NDArray[np.uint8]) -> Tensor:
    """DTS features `[G, C, R, R]`, what the projector reads."""
    merged: Tensor = network.dts(group_frames(picture_features(network, pictures_FSSC)))
    return merged


def heads_loss(logits: Logits, labels: dict[str, Tensor]) -> Tensor:
    """The sum of all heads' cross entropies."""
    losses = [
        functional.cross_entropy(logits[name].float(), labels[name], ignore_index=ABSENT, reduction="sum")
        / max(1, int((labels[name] != ABSENT).sum()))
        for name in HEADS
    ]
    return torch.stack(losses).sum()


def accuracies(logits: Logits, labels: dict[str, Tensor]) -> dict[str, float]:
    """Share of pictures told right, by head; colours and accessories as one each."""
    found: dict[str, list[Tensor]] = {}
    for name in HEADS:
        known = labels[name] != ABSENT
        if name.startswith("colour"):
            known &= (labels[name] > 0) | (logits[name].argmax(1) > 0)  # not the many that are absent
        right = (logits[name].argmax(1) == labels[name])[known].float()
        found.setdefault(name.partition(" of ")[0], []).append(right)
    return {name: torch.cat(right).mean().item() for name, right in found.items()}
