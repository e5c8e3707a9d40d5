"""The vision towers of Qwen2.5-VL and Qwen3-VL: pairs of frames to tokens, each pair on its own.

Shapes: F frames, H W pixels, G pairs of frames, N patches of a pair in the order of tokens, C width, A heads,
E head size, M = N / 4 tokens, D language width, L what a token is made of: itself, and what was tapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR
from videoxl2.network.configs.qwen_config import MERGED, QwenVision
from videoxl2.network.layers.decoder_layer import RMSNorm
from videoxl2.network.layers.embedding import undrawn_embedding
from videoxl2.network.layers.rotary import grid_angles, rotate
from videoxl2.network.vision.qwen_pictures import patches
from videoxl2.network.vision.siglip import ACTIVATIONS

_EPS = 1e-6


@dataclass(frozen=True)
class Grid:
    """Patches of a pair in the order of tokens, and in that of windows, equal ones together."""

    rows: Tensor  # [N]
    columns: Tensor  # [N]
    by_window: Tensor  # [N], places
    windows: tuple[tuple[int, int], ...]  # so many, of so many patches
    tokens_back: Tensor  # [M], from the order of windows


@lru_cache(maxsize=16)
def grid_of(height: int, width: int, window: int, device: torch.device) -> Grid:
    """Lay out a pair of `height` x `width` patches; `window` is the side of a window in tokens."""
    tokens = torch.arange(height // MERGED * (width // MERGED)).view(height // MERGED, -1)
    by_size: dict[int, list[Tensor]] = {}
    for band in tokens.split(window or height):
        for part in band.split(window or width, dim=1):
            by_size.setdefault(part.numel(), []).append(part.flatten())
    order_M = torch.cat([part for parts in by_size.values() for part in parts])
    square = torch.arange(MERGED**2)
    rows, columns = (
        axis.view(height // MERGED, MERGED, -1, MERGED).transpose(1, 2).flatten()
        for axis in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    )
    return Grid(
        rows.to(device),
        columns.to(device),
        (order_M[:, None] * MERGED**2 + square).flatten().to(device),
        tuple((len(parts), size * MERGED**2) for size, parts in by_size.items()),
        order_M.argsort().to(device),
    )


class TowerAttention(nn.Module):
    """Attention of each patch over all patches of its pair, or of its window."""

    def __init__(self, config: QwenVision) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(
        self, x_GNC: Tensor, cos_NE: Tensor, sin_NE: Tensor, windows: tuple[tuple[int, int], ...]
    ) -> Tensor:
        """Return attention among the patches of each window. [G, N, C]"""
        split = self.qkv(x_GNC).unflatten(-1, (3, self.num_heads, -1))
        q, k, v_GANE = split.permute(2, 0, 3, 1, 4)
        q_GANE, k_GANE = (rotate(x.float(), cos_NE, sin_NE).to(x.dtype) for x in (q, k))
        sizes = [count * size for count, size in windows]
        mixed = [
            _within(parts, window)
            for window, *parts in zip(
                windows, *(x.split(sizes, dim=2) for x in (q_GANE, k_GANE, v_GANE)), strict=True
            )
        ]
        out: Tensor = self.proj(torch.cat(mixed, dim=1))
        return out


def _within(qkv_GANE: list[Tensor], window: tuple[int, int]) -> Tensor:
    """Attend inside of windows that follow each other and are of one size; return `[G, N, C]`."""
    q, k, v = (x.unflatten(2, window).transpose(1, 2).flatten(0, 1) for x in qkv_GANE)
    mixed = functional.scaled_dot_product_attention(q, k, v)
    out: Tensor = mixed.transpose(1, 2).flatten(2).reshape(len(qkv_GANE[0]), window[0] * window[1], -1)
    return out


class GatedFeedForward(nn.Module):
    """Gated feed-forward layer with biases."""

    def __init__(self, config: QwenVision) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.activation = ACTIVATIONS[config.hidden_act]
        self.gate_proj, self.up_proj = nn.Linear(width, inner), nn.Linear(width, inner)
        self.down_proj = nn.Linear(inner, width)

    def forward(self, x_GNC: Tensor) -> Tensor:
        """Return down(act(gate(x)) * up(x)). [G, N, C]"""
        out: Tensor = self.down_proj(self.activation(self.gate_proj(x_GNC)) * self.up_proj(x_GNC))
        return out


class TwoLinears(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, inputs: int, inner: int, outputs: int, activation: str) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.linear_fc1, self.linear_fc2 = nn.Linear(inputs, inner), nn.Linear(inner, outputs)

    def forward(self, x_GNC: Tensor) -> Tensor:
        """Return linear(act(linear(x))). [G, N, C]"""
        out: Tensor = self.linear_fc2(self.activation(self.linear_fc1(x_GNC)))
        return out


class TowerBlock(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, config: QwenVision) -> None:
        super().__init__()
        width = config.hidden_size
        self.norm1, self.norm2 = _norm(config), _norm(config)
        self.attn = TowerAttention(config)
        self.mlp = (
            GatedFeedForward(config)
            if config.is_gated
            else TwoLinears(width, config.intermediate_size, width, config.hidden_act)
        )

    def forward(
        self, x_GNC: Tensor, cos_NE: Tensor, sin_NE: Tensor, windows: tuple[tuple[int, int], ...]
    ) -> Tensor:
        """Return x with attention and then the feed-forward layer added. [G, N, C]"""
        x_GNC = x_GNC + self.attn(self.norm1(x_GNC), cos_NE, sin_NE, windows)
        out: Tensor = x_GNC + self.mlp(self.norm2(x_GNC))
        return out


def _norm(config: QwenVision) -> nn.Module:
    return RMSNorm(config.hidden_size, _EPS) if config.is_gated else nn.LayerNorm(config.hidden_size, _EPS)


class GatedMerger(nn.Module):
    """Four patches to one token, as Qwen2.5-VL does it."""

    def __init__(self, config: QwenVision) -> None:
        super().__init__()
        joined = config.hidden_size * MERGED**2
        self.ln_q = RMSNorm(config.hidden_size, _EPS)
        self.mlp = nn.Sequential(nn.Linear(joined, joined), nn.GELU(), nn.Linear(joined, config.out_size))

    def forward(self, x_GNC: Tensor) -> Tensor:
        """Return one token for each two by two patches. [G, N, C] to [G, N / 4, D]"""
        out: Tensor = self.mlp(_four_by_four(self.ln_q(x_GNC)))
        return out


class Merger(TwoLinears):
    """Four patches to one token, as Qwen3-VL does it; what was tapped is normalised when it is joined."""

    def __init__(self, config: QwenVision, *, is_tap: bool = False) -> None:
        joined = config.hidden_size * MERGED**2
        super().__init__(joined, joined, config.out_size, "gelu")
        self.is_tap = is_tap
        self.norm = nn.LayerNorm(joined if is_tap else config.hidden_size, _EPS)

    def forward(self, x_GNC: Tensor) -> Tensor:
        """Return one token for each two by two patches. [G, N, C] to [G, N / 4, D]"""
        joined = self.norm(_four_by_four(x_GNC)) if self.is_tap else _four_by_four(self.norm(x_GNC))
        return super().forward(joined)


def _four_by_four(x_GNC: Tensor) -> Tensor:
    out: Tensor = x_GNC.unflatten(1, (-1, MERGED**2)).flatten(2)
    return out


class PatchEmbedding(nn.Module):
    """Linear map of a patch, whose weight a checkpoint holds as that of a convolution."""

    def __init__(self, config: QwenVision) -> None:
        super().__init__()
        kernel = (FRAMES_PER_PAIR, config.patch_size, config.patch_size)
        self.proj = nn.Conv3d(3, config.hidden_size, kernel, stride=kernel, bias=not config.is_gated)

    def forward(self, patches_GNP: Tensor) -> Tensor:
        """Return the embedding of each patch's pixels. [G, N, P] to [G, N, C]"""
        return functional.linear(patches_GNP, self.proj.weight.flatten(1), self.proj.bias)


class QwenTower(nn.Module):
    """The tower under its published parameter names."""

    def __init__(self, config: QwenVision) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbedding(config)
        if config.grid_side:
            self.pos_embed = undrawn_embedding(config.grid_side**2, config.hidden_size)
        self.blocks = nn.ModuleList(TowerBlock(config) for _ in range(config.num_layers))
        self.merger = GatedMerger(config) if config.is_gated else Merger(config)
        if config.tapped_layers:
            taps = (Merger(config, is_tap=True) for _ in config.tapped_layers)
            self.deepstack_merger_list = nn.ModuleList(taps)

    def forward(self, pixels_FCHW: Tensor) -> Tensor:
        """Return tokens `[G, L, M, D]`: each pair's own, then what tapped layers add to later ones."""
        c = self.config
        height, width = (side // c.patch_size for side in pixels_FCHW.shape[-2:])
        grid = grid_of(height, width, c.window, pixels_FCHW.device)
        x_GNC = self.patch_embed(patches(pixels_FCHW, c.patch_size))
        if c.grid_side:
            x_GNC = x_GNC + self._learned_positions(height, width).to(x_GNC.dtype)
        angles = grid_angles(grid.rows, grid.columns, c.hidden_size // c.num_heads, c.rope_theta)
        if c.window:
            x_GNC = x_GNC[:, grid.by_window]
            angles = angles[0][grid.by_window], angles[1][grid.by_window]
        x_GNC, taps = self._through_layers(x_GNC, angles, grid.windows)
        tokens_GMD = self.merger(x_GNC)
        if c.window:
            tokens_GMD = tokens_GMD[:, grid.tokens_back]
        return torch.stack([tokens_GMD, *taps], dim=1)

    def _through_layers(
        self, x_GNC: Tensor, angles: tuple[Tensor, Tensor], windows: tuple[tuple[int, int], ...]
    ) -> tuple[Tensor, list[Tensor]]:
        c = self.config
        whole = ((1, x_GNC.shape[1]),)
        taps: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            is_full = not c.window or index in c.full_layers
            x_GNC = block(x_GNC, *angles, whole if is_full else windows)
            if index in c.tapped_layers:
                taps.append(self.deepstack_merger_list[c.tapped_layers.index(index)](x_GNC))
        return x_GNC, taps

    def _learned_positions(self, height: int, width: int) -> Tensor:
        """Resample the learned grid to `height` x `width`: `[N, C]` in the order of tokens."""
        side = self.config.grid_side
        grid_1CSS = self.pos_embed.weight.float().t().unflatten(1, (side, side))[None]
        size = (height, width)
        resampled = functional.interpolate(grid_1CSS, size=size, mode="bilinear", align_corners=True)[0]
        squares = resampled.unflatten(1, (-1, MERGED)).unflatten(3, (-1, MERGED))  # C, row, 2, column, 2
        out: Tensor = squares.permute(1, 3, 2, 4, 0).flatten(0, 3)
        return out
