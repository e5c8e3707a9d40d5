"""The vision tower: SigLIP without its last layer, resampled to a fixed grid.

Shapes: F frames, S image size, N patches, C vision width, R grid side.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from transformers.models.siglip.configuration_siglip import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipVisionModel

from videoxl2.network.config import VisionConfig


def build_tower(config: VisionConfig) -> SiglipVisionModel:
    """Build SigLIP with `config.num_layers` layers and no pooling head, on torch's default device."""
    return SiglipVisionModel(
        SiglipVisionConfig(
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            image_size=config.image_size,
            patch_size=config.patch_size,
            layer_norm_eps=config.layer_norm_eps,
            hidden_act=config.hidden_act,
            vision_use_head=False,
        )
    )


def vision_features(tower: SiglipVisionModel, pixels_FCSS: Tensor) -> Tensor:
    """Return the raw output of the last encoder layer, `[F, N, C]`.

    The tower's own `last_hidden_state` is after `post_layernorm`, which the reference never applies.
    The embedding module is bypassed because its position-id buffer is not part of a checkpoint.
    """
    embeddings = tower.embeddings
    patches_FCHW = embeddings.patch_embedding(pixels_FCSS)
    x_FNC = patches_FCHW.flatten(2).transpose(1, 2) + embeddings.position_embedding.weight
    hidden: Tensor = tower.encoder(inputs_embeds=x_FNC).last_hidden_state
    return hidden


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
