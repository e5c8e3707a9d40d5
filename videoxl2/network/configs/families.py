"""Which model a checkpoint holds, told by the names of its weights: configs are copied, weights are not.

Loads no torch.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.source import QWEN_TOWERS

_QUERY_AWARE = "model.WindowTimeToTokenAttention."


class Family(StrEnum):
    """Models that can be loaded."""

    VIDEO_XL_2 = "Video-XL-2"
    LLAVA_VIDEO = "LLaVA-Video"
    VIDEO_XL_PRO = "Video-XL-Pro"
    QWEN2_5_VL = "Qwen2.5-VL"
    QWEN3_VL = "Qwen3-VL"

    @property
    def is_qwen_vl(self) -> bool:
        """Return whether its tower takes pictures in their own shape, two frames at a time."""
        return self in (Family.QWEN2_5_VL, Family.QWEN3_VL)


def family_of(folder: Path, names: frozenset[str]) -> Family:
    """Return the family of the checkpoint in `folder`, whose weights have these names.

    What has the names of none is taken for Video-XL-2, whose loader says which weights are missing. Raises
    `CheckpointError` where the weights are known and cannot be used.
    """
    if any("beacon_" in name for name in names):
        raise CheckpointError(
            f"{folder} holds the first Video-XL-Pro, whose language model compresses its own keys and values",
            "Use the weights of April 2025 or later, which have a window attention instead.",
        )
    if any(name.startswith(QWEN_TOWERS) for name in names):
        return _qwen_family(folder, names)
    if any(name.startswith(_QUERY_AWARE) for name in names):
        return Family.VIDEO_XL_PRO
    has_groups = any(name.startswith("model.sae.") for name in names)
    return Family.LLAVA_VIDEO if "model.image_newline" in names and not has_groups else Family.VIDEO_XL_2


def _qwen_family(folder: Path, names: frozenset[str]) -> Family:
    """Tell Qwen2.5-VL and Qwen3-VL from others of their makers, whose weights have other parts."""

    def has(*parts: str) -> bool:
        return any(any(part in name for part in parts) for name in names)

    is_plain = not has(".mlp.experts.", ".linear_attn.")
    if is_plain and has("visual.blocks.0.mlp.gate_proj."):
        return Family.QWEN2_5_VL
    if is_plain and has("visual.pos_embed.") and has(".self_attn.q_norm."):
        return Family.QWEN3_VL
    raise CheckpointError(
        f"{folder} holds a model of the Qwen-VL family that media-index cannot run",
        "Use Qwen2.5-VL, or a dense Qwen3-VL (not one of experts).",
    )
