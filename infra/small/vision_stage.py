"""The vision tower, DTS and projector learn to tell what four sampled pictures show.

Linear heads name who is on each patch, the attributes of each picture from the tower's features, and those of
the group from the mean of its visual tokens; all are thrown away afterwards. (The published model's first
stages rebuild pictures and write captions; in a closed world, the attributes are the caption.) Since the mean
of the visual tokens tells everything, little is lost where bi-level decoding averages them.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

import numpy as np
import torch
from attributes import (
    GROUP_OUTPUTS,
    PATCH_HEADS,
    PICTURE_OUTPUTS,
    labels_at,
    loss_and_accuracy,
    patch_labels,
    patch_loss,
)
from drawing import draw_picture
from numpy.typing import NDArray
from PIL import Image
from storyboard import Film, Part, draw_film
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.config import ModelConfig, VisionConfig
from videoxl2.network.network import Network
from videoxl2.network.vision.dts import group_frames
from videoxl2.network.vision.images import pixel_values
from videoxl2.network.vision.siglip import resample_to_grid

_SIZES = ((192, 108), (256, 144), (320, 180))
Pictures = NDArray[np.uint8]  # [F, S, S, 3]
Seen = tuple[Tensor, Tensor]  # the tower's features [F, C, R, R] of whole groups, and labels [F, H]


def seen_picture(film: Film, second: float, side: int, draw: random.Random) -> Pictures:
    """The picture `[S, S, 3]` as read from the encoded film: squashed, with traces of a codec."""
    picture = draw_picture(film, second, draw.choice(_SIZES))
    if draw.random() < 0.6:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=draw.randint(35, 92))
        picture = Image.open(file)
    pixels = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC), np.float32)
    return (pixels * draw.uniform(0.94, 1.04) + draw.uniform(-5, 5)).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Shown:
    """Pictures, their labels `[F, H]`, and who is on which patch `[F, 4, P, P]`."""

    pictures: Pictures
    labels: Tensor
    patches: Tensor


def draw_pictures(part: Part, seed: int, count: int, config: VisionConfig) -> Shown:
    """Pictures out of as many films, the same for the same seed.

    A tower learns from them several times faster than from as many pictures of fewer films.
    """
    draw = random.Random(seed)
    films = [draw_film(part, draw.randrange(10_000_000), 20) for _ in range(count)]
    pairs = [(film, draw.uniform(0, film.duration_s)) for film in films]
    return Shown(
        np.stack([seen_picture(film, second, config.image_size, draw) for film, second in pairs]),
        torch.tensor([labels_at(film, second) for film, second in pairs]),
        torch.stack([patch_labels(film, second, config.patches_per_side) for film, second in pairs]),
    )


@dataclass(frozen=True)
class Judged:
    """Losses by place, and what is worth telling, as the share told right by kind of attribute."""

    losses: dict[str, Tensor]
    right: dict[str, float]


class AttributeHeads(nn.Module):
    """Linear questions at three places: each patch, each picture, each group's visual tokens."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.of_patch = nn.Linear(config.vision.hidden_size, sum(PATCH_HEADS))
        self.of_picture = nn.Linear(config.vision.hidden_size * config.grid_side**2, PICTURE_OUTPUTS)
        self.of_group = nn.Linear(config.language.hidden_size, GROUP_OUTPUTS)

    def judge_pictures(self, network: Network, shown: Shown) -> Judged:
        """What the tower tells of pictures."""
        patches_FNC = network.vision(pixel_values(shown.pictures))
        grid_FCRR = resample_to_grid(patches_FNC, network.config.grid_side)
        of_patch = patch_loss(self.of_patch(patches_FNC), shown.patches)
        told = self.of_picture(grid_FCRR.flatten(1))
        of_picture, right = loss_and_accuracy(told, shown.labels, of_groups=False)
        return Judged({"patch": of_patch, "picture": of_picture}, right)

    def judge_groups(self, network: Network, seen: Seen) -> Judged:
        """What the visual tokens tell of whole groups, with the tower's features and labels given."""
        grid_FCRR, labels_FH = seen
        tokens_GND = network.projector(network.dts(group_frames(grid_FCRR.float())))
        loss, right = loss_and_accuracy(self.of_group(tokens_GND.mean(1)), labels_FH, of_groups=True)
        return Judged({"group": loss}, right)


@torch.no_grad()
def tower_features(network: Network, pictures: Pictures) -> Tensor:
    """The tower's features `[F, C, R, R]`, what DTS reads."""
    patches_FNC = network.vision(pixel_values(pictures))
    return resample_to_grid(patches_FNC, network.config.grid_side)


@torch.no_grad()
def whiten_patches(network: Network, pictures: Pictures) -> None:
    """Begin the patch embedding as the principal components of drawn patches, each of variance 1/4."""
    embedding = network.vision.embeddings.patch_embedding
    size = network.config.vision.patch_size
    pixels_FCSS = pixel_values(pictures)
    patches_NP = functional.unfold(pixels_FCSS, size, stride=size).transpose(1, 2).flatten(0, 1).double()
    mean_P = patches_NP.mean(0)
    spread_P, directions_PP = torch.linalg.eigh((patches_NP - mean_P).T.cov())
    width = network.config.vision.hidden_size
    rows_CP = (directions_PP * (spread_P + 1e-3) ** -0.5)[:, -width:].T * 0.5
    embedding.weight.copy_(rows_CP.view_as(embedding.weight))
    assert embedding.bias is not None
    embedding.bias.copy_(-(rows_CP @ mean_P))
