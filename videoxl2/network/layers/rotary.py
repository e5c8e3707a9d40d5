"""Rotary embedding, with one position a token or with three: time, row and column.

Shapes: T tokens or patches, E head size.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def rotary_angles(
    positions: Tensor, head_dim: int, theta: float, axes: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Return what `rotate` takes: cosine and signed sine `[T, E]` in float32.

    `positions` are `[T]`, or `[3, T]` with `axes`, which say by which of the three each of the E / 2
    frequencies turns. Plain RoPE without scaling, however long the video. The sine is negative in its first
    half.
    """
    frequencies_E, signs_E = _frequencies(head_dim, theta, positions.device)
    if positions.ndim == 1:
        angles_TE = positions[:, None] * frequencies_E
    else:
        angles_TE = positions.index_select(0, _axes(axes, positions.device)).t() * frequencies_E
    return angles_TE.cos(), angles_TE.sin() * signs_E


@cache
def _frequencies(head_dim: int, theta: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the frequency and the sign of the sine of each of E places, float32."""
    exponents = torch.arange(0, head_dim, 2, dtype=torch.int64, device=device).float() / head_dim
    ones = torch.ones_like(exponents)
    return (1.0 / theta**exponents).repeat(2), torch.cat([-ones, ones])


def grid_angles(rows_T: Tensor, columns_T: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Return what `rotate` takes for places on a grid: a quarter of E turns by row, one by column, twice."""
    frequencies = _frequencies(head_dim // 2, theta, rows_T.device)[0][: head_dim // 4]
    _, signs_E = _frequencies(head_dim, theta, rows_T.device)
    angles_TE = torch.cat([rows_T[:, None] * frequencies, columns_T[:, None] * frequencies], dim=1).repeat(
        1, 2
    )
    return angles_TE.cos(), angles_TE.sin() * signs_E


@cache
def _axes(axes: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(axes * 2, device=device)


def rotate(x_HTE: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> Tensor:
    """Apply the rotary embedding with what `rotary_angles` returns; `-sin` undoes it."""
    return torch.addcmul(x_HTE * cos_TE, x_HTE.roll(x_HTE.shape[-1] // 2, dims=-1), sin_TE)
