"""Any model that can be run, from a folder or a hub id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from videoxl2.generate.models.llava_video import LlavaVideo
from videoxl2.generate.models.qwen_vl import Qwen3VL, Qwen25VL
from videoxl2.generate.models.video_model import VideoModel
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.generate.models.video_xl_pro import VideoXLPro
from videoxl2.network.configs.families import family_of
from videoxl2.network.configs.source import find_folder, weight_names
from videoxl2.network.configs.weight_bits import FULL_BITS

_MODELS: tuple[type[VideoModel], ...] = (VideoXL2, VideoXLPro, LlavaVideo, Qwen25VL, Qwen3VL)


def load_model(
    folder_or_hub_id: str | Path,
    *,
    device: str | torch.device = "cpu",
    devices: Sequence[str | torch.device] = (),
    dtype: str | torch.dtype = "auto",
    revision: str | None = None,
    options: Mapping[str, str] | None = None,
    weight_bits: int = FULL_BITS,
) -> VideoModel:
    """Load the model that a checkpoint holds, as `VideoModel.from_pretrained` of its family does."""
    folder = find_folder(folder_or_hub_id, revision)
    family = family_of(folder, weight_names(folder))
    (kind,) = (model for model in _MODELS if model.family is family)
    return kind.from_pretrained(
        folder, device=device, devices=devices, dtype=dtype, options=options, weight_bits=weight_bits
    )
