"""Which model a checkpoint holds, told by the names of its weights: configs are copied, weights are not.

Loads no torch.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from videoxl2.errors import CheckpointError
from videoxl2.network.source import weight_names

_QUERY_AWARE = "model.WindowTimeToTokenAttention."


class Family(StrEnum):
    """Models that can be loaded."""

    VIDEO_XL_2 = "Video-XL-2"
    LLAVA_VIDEO = "LLaVA-Video"
    VIDEO_XL_PRO = "Video-XL-Pro"


def family_of(folder: Path) -> Family:
    """Return the family of the checkpoint in `folder`.

    What has the names of none is taken for Video-XL-2, whose loader says which weights are missing. Raises
    `CheckpointError` where the weights cannot be read, or are known and cannot be used.
    """
    names = weight_names(folder)
    if any("beacon_" in name for name in names):
        raise CheckpointError(
            f"{folder} holds the first Video-XL-Pro, whose language model compresses its own keys and values",
            "Use the weights of April 2025 or later, which have a window attention instead.",
        )
    if any(name.startswith(("model.visual.", "visual.")) for name in names):
        raise CheckpointError(
            f"{folder} holds a model of the Qwen-VL family, which media-index cannot run yet",
            "Use a checkpoint of Video-XL-2, Video-XL-Pro or LLaVA-Video.",
        )
    if any(name.startswith(_QUERY_AWARE) for name in names):
        return Family.VIDEO_XL_PRO
    has_groups = any(name.startswith("model.sae.") for name in names)
    return Family.LLAVA_VIDEO if "model.image_newline" in names and not has_groups else Family.VIDEO_XL_2
