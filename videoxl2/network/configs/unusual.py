"""What the files beside a Qwen-VL checkpoint's config.json change, as one text. Loads no torch."""

from __future__ import annotations

import json
from dataclasses import astuple

from videoxl2.network.configs.chat import published_frame
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.qwen_config import qwen_pictures, qwen_vision


def unusual_files(config: ModelConfig) -> str:
    """Return sizes and colours of pictures and the chat frame, as far as they are not the family's own.

    "": all are as without the files. A rate of pictures is left out, which is sampling.
    """
    if config.qwen_vision is None or config.own_shape is None:
        return ""
    vision = qwen_vision(config.raw, config.family)
    usual = {
        "sizes": astuple(qwen_pictures(config.family, vision.patch_size)),
        "colours": (vision.mean, vision.spread),
        "chat": astuple(published_frame(config.family, config.system)),
    }
    found = {
        "sizes": astuple(config.own_shape),
        "colours": (config.qwen_vision.mean, config.qwen_vision.spread),
        "chat": astuple(config.chat),
    }
    other = {name: one for name, one in found.items() if one != usual[name]}
    return json.dumps(other) if other else ""
