"""Make language-model tokens of DTS features.

Shapes: G frame groups, C vision width, D language width, R grid side, N = (R / stride)**2 tokens.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Projector(nn.Sequential):
    """Two linear layers with an exact GELU between (checkpoint name `mm_projector`, indices 0 and 2)."""

    def __init__(self, vision_size: int, language_size: int, pool_stride: int) -> None:
        super().__init__(
            nn.Linear(vision_size, language_size), nn.GELU(), nn.Linear(language_size, language_size)
        )
        self.pool_stride = pool_stride

    def unpooled(self, x_GCRR: Tensor) -> Tensor:
        """Project without pooling: the row-major grid `[G, R*R, D]`, which a still image keeps."""
        out: Tensor = super().forward(_pixels(x_GCRR))
        return out

    def forward(self, x_GCRR: Tensor) -> Tensor:
        """Project and average-pool to `[G, N, D]`.

        The reference pools after the second layer. A mean commutes with a linear layer, so pooling before
        it gives the same numbers for 57 % less work.
        """
        side = x_GCRR.shape[-1]
        hidden_GRRD = self[1](self[0](_pixels(x_GCRR))).unflatten(1, (side, side))
        pooled_GDRR = functional.avg_pool2d(hidden_GRRD.permute(0, 3, 1, 2), self.pool_stride)
        out: Tensor = self[2](_pixels(pooled_GDRR))
        return out


def _pixels(x_GCRR: Tensor) -> Tensor:
    """Lay a grid out as rows of pixels `[G, R*R, C]`: in other layouts a linear layer is many products."""
    return x_GCRR.flatten(2).transpose(1, 2).contiguous()
