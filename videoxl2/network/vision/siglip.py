"""The vision tower: SigLIP without its last layer, resampled to a fixed grid.

Shapes: F frames, S image size, N patches, C vision width, R grid side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.config import VISION_ACTIVATIONS, VisionConfig
from videoxl2.network.layers.embedding import undrawn_embedding

_FUNCTIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    partial(functional.gelu, approximate="tanh"),
    functional.gelu,
    functional.relu,
    functional.silu,
)
ACTIVATIONS = dict(zip(VISION_ACTIVATIONS, _FUNCTIONS, strict=True))


class Embeddings(nn.Module):
    """Embedding of square patches; pixels beyond the last whole patch are never seen."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        size, width = config.patch_size, config.hidden_size
        self.patch_embedding = nn.Conv2d(3, width, kernel_size=size, stride=size)
        self.position_embedding = undrawn_embedding(config.patches_per_side**2, width)

    def forward(self, pixels_FCSS: Tensor) -> Tensor:
        """Map pixels to `[F, N, C]`, contiguous: a transposed one would be kept by every layer."""
        patches_FCHW = self.patch_embedding(pixels_FCSS)
        embedded: Tensor = patches_FCHW.flatten(2).transpose(1, 2) + self.position_embedding.weight
        return embedded.contiguous()


class SelfAttention(nn.Module):
    """Attention of each patch over all patches of its frame."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        width = config.hidden_size
        self.k_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.q_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x_FNC: Tensor) -> Tensor:
        """Return attention among the patches of each frame. [F, N, C]"""
        q, k, v = (
            project(x_FNC).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        out_FHNE = functional.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out_proj(out_FHNE.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.hidden_act]
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x_FNC: Tensor) -> Tensor:
        """Return linear(act(linear(x))). [F, N, C]"""
        out: Tensor = self.fc2(self.activation(self.fc1(x_FNC)))
        return out


class Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width, eps = config.hidden_size, config.layer_norm_eps
        self.layer_norm1 = nn.LayerNorm(width, eps)
        self.self_attn = SelfAttention(config)
        self.layer_norm2 = nn.LayerNorm(width, eps)
        self.mlp = FeedForward(config)

    def forward(self, x_FNC: Tensor) -> Tensor:
        """Return x with attention and then the feed-forward layer added. [F, N, C]"""
        x_FNC = x_FNC + self.self_attn(self.layer_norm1(x_FNC))
        out: Tensor = x_FNC + self.mlp(self.layer_norm2(x_FNC))
        return out


class Encoder(nn.Module):
    """Stack of layers."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_layers))

    def forward(self, x_FNC: Tensor) -> Tensor:
        """Return x after all layers. [F, N, C]"""
        for layer in self.layers:
            x_FNC = layer(x_FNC)
        return x_FNC


class VisionTower(nn.Module):
    """SigLIP's vision side under its published parameter names, without the pooling head.

    `post_layernorm` is kept because checkpoints hold it; the reference never applies it. transformers has
    the same tower, but importing it takes longer than importing torch.
    """

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, pixels_FCSS: Tensor) -> Tensor:
        """Return the raw output of the last encoder layer, `[F, N, C]`."""
        features: Tensor = self.encoder(self.embeddings(pixels_FCSS))
        return features


def resample_to_grid(x_FNC: Tensor, grid_side: int) -> Tensor:
    """Resample `[F, N, C]` bilinearly to `[F, C, R, R]`, in float32 whatever the dtype (reference §2.3)."""
    side = round(x_FNC.shape[1] ** 0.5)
    x_FCHW = x_FNC.transpose(1, 2).unflatten(2, (side, side))
    resampled = functional.interpolate(x_FCHW.float(), size=(grid_side, grid_side), mode="bilinear")
    return resampled.to(x_FNC.dtype)


def pad_to_groups(x_FCRR: Tensor, group_frames: int) -> Tensor:
    """Repeat the last frame's features until the frame count is a multiple of `group_frames`."""
    missing = -x_FCRR.shape[0] % group_frames
    return torch.cat([x_FCRR, x_FCRR[-1:].expand(missing, -1, -1, -1)]) if missing else x_FCRR
