"""LLaVA-Video in one module tree: the same tower and language model as Video-XL-2, every frame on its own.

vision     SigLIP without its last layer      frames → patch features
projector  two linear layers, and pooling      features → language tokens, a grid per frame
newline    one learned vector                 stands after each row of a grid
language   Qwen2                              tokens → text

Shapes: F frames, S image size, N patches, C vision width, P patches per side, R rows after pooling,
D language width. Source: reference §3, §4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import FrameTokens, ModelConfig, Newline, Pool
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.vision.siglip import VisionTower


class LlavaVideoNetwork(nn.Module):
    """All weights of a LLaVA-Video checkpoint."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self._tokens = config.frame_tokens or FrameTokens()
        width = config.language.hidden_size
        self.vision = VisionTower(config.vision)
        tokens = self._tokens
        self.projector = FrameProjector(config.vision.hidden_size, width, tokens.pool, tokens.stride)
        self.newline = nn.Parameter(torch.empty(width))
        self.language = LanguageModel(config.language)

    def visual_tokens(self, pixels_FCSS: Tensor, clock: StageClock) -> Tensor:
        """Return each frame's tokens `[F, tokens, D]`, with the newlines that stand inside a frame."""
        with clock.stage("vision"):
            projected_FND = self.projector(self.vision(pixels_FCSS))
            return with_newlines(projected_FND, self.newline, self._tokens.newline)

    def after_video(self) -> Tensor:
        """Return the tokens `[0 or 1, D]` that stand once, after the last frame."""
        return (
            self.newline[None]
            if self._tokens.newline == "one_token"
            else self.newline.new_empty(0, len(self.newline))
        )


class FrameProjector(nn.Sequential):
    """Two linear layers with an exact GELU between (checkpoint name `mm_projector`, indices 0 and 2)."""

    def __init__(self, vision_size: int, language_size: int, pool: Pool, stride: int) -> None:
        super().__init__(
            nn.Linear(vision_size, language_size), nn.GELU(), nn.Linear(language_size, language_size)
        )
        self.pool: Pool = pool
        self.stride = stride

    def forward(self, x_FNC: Tensor) -> Tensor:
        """Project and pool to `[F, R*R, D]`.

        The reference pools after the second layer. Means and bilinear weights sum to one, so they commute
        with a linear layer, and pooling before it gives the same numbers for a quarter of its work; a
        maximum does not.
        """
        hidden_FND = self[1](self[0](x_FNC))
        if self.pool == "max":
            return pooled(self[2](hidden_FND), self.pool, self.stride)
        out: Tensor = self[2](pooled(hidden_FND, self.pool, self.stride))
        return out


def pooled(x_FND: Tensor, pool: Pool, stride: int = 2) -> Tensor:
    """Make one of `stride` by `stride` patches: `[F, R*R, D]`.

    `bilinear` interpolates without a filter and rounds R up; `average` and `max` drop what is left over.
    """
    side = round(x_FND.shape[1] ** 0.5)
    x_FDPP = x_FND.transpose(1, 2).unflatten(2, (side, side))
    if pool == "bilinear":
        fewer = -(-side // stride)
        x_FDRR = functional.interpolate(x_FDPP, size=(fewer, fewer), mode="bilinear")
    elif pool == "average":
        x_FDRR = functional.avg_pool2d(x_FDPP, stride)
    else:
        x_FDRR = functional.max_pool2d(x_FDPP, stride)
    return x_FDRR.flatten(2).transpose(1, 2).contiguous()


def with_newlines(x_FND: Tensor, newline_D: Tensor, where: Newline) -> Tensor:
    """Put the newline after each row of a frame's grid, or after the frame."""
    num_frames, num_tokens, width = x_FND.shape
    if where == "grid":
        side = round(num_tokens**0.5)
        rows_FRRD = x_FND.unflatten(1, (side, side))
        newlines = newline_D.expand(num_frames, side, 1, width)
        return torch.cat([rows_FRRD, newlines], dim=2).flatten(1, 2)
    if where == "frame":
        return torch.cat([x_FND, newline_D.expand(num_frames, 1, width)], dim=1)
    return x_FND
