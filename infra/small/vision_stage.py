"""The vision tower, DTS and projector learn to tell what four sampled pictures show.

A linear head on the mean of a group's visual tokens names the group's attributes, another on the tower's own
features those of each picture; both are thrown away afterwards. (The published model's first stages rebuild
pictures and write captions; in a closed world, the attributes are the caption.) Since the mean of the visual
tokens tells everything, little is lost where bi-level decoding averages them.
"""

from __future__ import annotations

import io
import random

import numpy as np
import torch
from attributes import GROUP_OUTPUTS, PICTURE_OUTPUTS, labels_at
from drawing import draw_picture
from numpy.typing import NDArray
from PIL import Image
from storyboard import Film, Part, draw_film
from torch import Tensor, nn

from videoxl2.config import GROUP_FRAMES, ModelConfig
from videoxl2.dts import group_frames
from videoxl2.images import pixel_values
from videoxl2.network import Network
from videoxl2.vision import resample_to_grid, vision_features

_SIZES = ((192, 108), (256, 144), (320, 180))
Pictures = NDArray[np.uint8]  # [F, S, S, 3]


def seen_picture(film: Film, second: float, side: int, draw: random.Random) -> Pictures:
    """The picture `[S, S, 3]` as read from the encoded film: squashed, with traces of a codec."""
    picture = draw_picture(film, second, draw.choice(_SIZES))
    if draw.random() < 0.6:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=draw.randint(35, 92))
        picture = Image.open(file)
    pixels = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC), np.float32)
    return (pixels * draw.uniform(0.94, 1.04) + draw.uniform(-5, 5)).clip(0, 255).astype(np.uint8)


def draw_groups(part: Part, seed: int, num_groups: int, side: int) -> tuple[Pictures, Tensor]:
    """Pictures and labels `[F, H]` of groups out of as many films, the same for the same seed.

    Every second group lies over a cut.
    """
    draw = random.Random(seed)
    pictures, labels = [], []
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
            labels.append(labels_at(film, second))
    return np.stack(pictures), torch.tensor(labels)


class AttributeHeads(nn.Module):
    """Logits of each picture `[F, PICTURE_OUTPUTS]` and of each group `[G, GROUP_OUTPUTS]`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.of_picture = nn.Linear(config.vision.hidden_size * config.grid_side**2, PICTURE_OUTPUTS)
        self.of_group = nn.Linear(config.language.hidden_size, GROUP_OUTPUTS)

    def forward(self, network: Network, pictures: Pictures) -> tuple[Tensor, Tensor]:
        grid_FCRR = picture_features(network, pictures)
        tokens_GND = network.projector(network.dts(group_frames(grid_FCRR)))
        return self.of_picture(grid_FCRR.flatten(1)), self.of_group(tokens_GND.mean(1))


def picture_features(network: Network, pictures: Pictures) -> Tensor:
    """The tower's features `[F, C, R, R]`."""
    features_FNC = vision_features(network.vision, pixel_values(pictures))
    return resample_to_grid(features_FNC, network.config.grid_side)


def group_features(network: Network, pictures: Pictures) -> Tensor:
    """DTS features `[G, C, R, R]`, what the projector reads."""
    merged: Tensor = network.dts(group_frames(picture_features(network, pictures)))
    return merged
