"""Dynamic Token Synthesis: four frames of features become one (checkpoint name `sae`).

Shapes: G frame groups, C channels, T time steps (4, then 2, then 1), R grid side, S sequences of one pixel.
Source: reference specification §3; the paper's figure agrees in structure, not in the two oddities below.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.layers.attention import wide_attention

_NORM_GROUPS = 32
_NORM_EPS = 1e-6
_MAX_DISTANCE = 64  # the relative-position tables have 2 * 64 + 1 rows; T <= 4 uses seven of them


def group_frames(x_FCRR: Tensor) -> Tensor:
    """View `[4G, C, R, R]` memory as `[G, C, 4, R, R]` without moving anything.

    This is not a transpose: channels and frames get interleaved. The published weights were trained on it.
    """
    num_frames, channels, side, _ = x_FCRR.shape
    return x_FCRR.contiguous().view(num_frames // GROUP_FRAMES, channels, GROUP_FRAMES, side, side)


class SpatialAttention(nn.Module):
    """Single-head attention over the pixels of each time step, as a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_NORM_GROUPS, channels, eps=_NORM_EPS)
        self.q = nn.Conv3d(channels, channels, 1)
        self.k = nn.Conv3d(channels, channels, 1)
        self.v = nn.Conv3d(channels, channels, 1)
        self.proj_out = nn.Conv3d(channels, channels, 1)

    def forward(self, x_GCTRR: Tensor) -> Tensor:
        """Add to each picture what attention among its positions gives. [G, C, T, R, R]"""
        groups, channels, steps, side, _ = x_GCTRR.shape
        # Statistics run over the time steps too: one group of frames is normalised as a whole.
        pixels = self.norm(x_GCTRR).permute(0, 2, 3, 4, 1).reshape(groups * steps, side * side, channels)
        q, k, v = (
            functional.linear(pixels, conv.weight.flatten(1), conv.bias) for conv in (self.q, self.k, self.v)
        )
        mixed = wide_attention(q, k, v)
        out = functional.linear(mixed, self.proj_out.weight.flatten(1), self.proj_out.bias)
        return x_GCTRR + out.view(groups, steps, side, side, channels).permute(0, 4, 1, 2, 3)


class RelativePosition(nn.Module):
    """Table of a learned vector per clamped distance `j - i`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embeddings_table = nn.Parameter(torch.zeros(2 * _MAX_DISTANCE + 1, channels))

    def forward(self, steps: int) -> Tensor:
        """Return `[T, T, C]`, whose entry (i, j) is the vector of distance `j - i`."""
        at = torch.arange(steps, device=self.embeddings_table.device)
        distance = (at[None, :] - at[:, None]).clamp(-_MAX_DISTANCE, _MAX_DISTANCE)
        return self.embeddings_table[distance + _MAX_DISTANCE]


class TemporalAttention(nn.Module):
    """Attention over the time steps of each pixel, with relative positions, as a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_NORM_GROUPS, channels, eps=_NORM_EPS)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.relative_position_k = RelativePosition(channels)
        self.relative_position_v = RelativePosition(channels)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x_GCTRR: Tensor) -> Tensor:
        """Add to each position what attention over its time steps gives. [G, C, T, R, R]"""
        groups, channels, steps, side, _ = x_GCTRR.shape
        x_SCT = x_GCTRR.permute(0, 3, 4, 1, 2).reshape(groups * side * side, channels, steps)
        # Contiguous: a linear layer multiplies a transposed tensor sequence by sequence.
        tokens_STC = self.norm(x_SCT).transpose(1, 2).contiguous()
        q, k, v = functional.linear(tokens_STC, self.qkv.weight.flatten(1), self.qkv.bias).chunk(3, dim=-1)
        content = q @ k.transpose(1, 2) * channels**-0.5
        # Trained as it stands: query and key swap roles in this term, and only one of the two
        # C**-0.25 factors of the content term is applied.
        position = torch.einsum("sjc,jic->sij", q, self.relative_position_k(steps)) * channels**-0.25
        weights_STT = (content + position).float().softmax(-1).to(x_GCTRR.dtype)
        mixed = weights_STT @ v + torch.einsum("sij,ijc->sic", weights_STT, self.relative_position_v(steps))
        out_STC = functional.linear(mixed, self.proj_out.weight.flatten(1), self.proj_out.bias)
        return x_GCTRR + out_STC.view(groups, side, side, steps, channels).permute(0, 4, 3, 1, 2)


class HalveTime(nn.Module):
    """Convolution of 3x3x3 with stride 2 in time; edges replicated, in time at the front only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, channels, 3, stride=(2, 1, 1))

    def forward(self, x_GCTRR: Tensor) -> Tensor:
        """Return half as many time steps, by a convolution over three of them. [G, C, T, R, R]"""
        out: Tensor = self.conv(functional.pad(x_GCTRR, (1, 1, 1, 1, 1, 0), mode="replicate"))
        return out


class DynamicTokenSynthesis(nn.Module):
    """Dynamic Token Synthesis: six layers that reduce four time steps to one, each group by itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.temporal_encoding = nn.Parameter(torch.zeros(GROUP_FRAMES, channels))
        blocks = (SpatialAttention, TemporalAttention, HalveTime)
        self.encoder = nn.ModuleList(block(channels) for block in blocks * 2)

    def forward(self, x_GCTRR: Tensor) -> Tensor:
        """Map `[G, C, 4, R, R]` from `group_frames` to `[G, C, R, R]`."""
        x = x_GCTRR + self.temporal_encoding.t()[None, :, :, None, None]
        for layer in self.encoder:
            x = layer(x)
        return x.squeeze(2)
