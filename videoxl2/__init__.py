"""Video language models and the frame reader. Importing this package loads neither torch nor PyAV.

`load_model` and the classes beside it are loaded when first used.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from videoxl2.errors import (
    CheckpointError,
    ModelError,
    ModelInputError,
    ModelMemoryError,
    NonFiniteError,
)

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until somebody listens

if TYPE_CHECKING:
    from videoxl2.generate.kv.selection import BiLevelOptions
    from videoxl2.generate.models.llava_video import LlavaVideo
    from videoxl2.generate.models.loading import load_model
    from videoxl2.generate.models.qwen_vl import Qwen3VL, Qwen25VL
    from videoxl2.generate.models.video_model import VideoModel
    from videoxl2.generate.models.video_xl2 import VideoXL2
    from videoxl2.generate.models.video_xl_pro import VideoXLPro
    from videoxl2.generate.prefill.chunked import PrefillOptions

_LAZY = {
    "LlavaVideo": "videoxl2.generate.models.llava_video",
    "Qwen25VL": "videoxl2.generate.models.qwen_vl",
    "Qwen3VL": "videoxl2.generate.models.qwen_vl",
    "VideoModel": "videoxl2.generate.models.video_model",
    "VideoXL2": "videoxl2.generate.models.video_xl2",
    "VideoXLPro": "videoxl2.generate.models.video_xl_pro",
    "load_model": "videoxl2.generate.models.loading",
    "PrefillOptions": "videoxl2.generate.prefill.chunked",
    "BiLevelOptions": "videoxl2.generate.kv.selection",
}

__all__ = [
    "BiLevelOptions",
    "CheckpointError",
    "LlavaVideo",
    "ModelError",
    "ModelInputError",
    "ModelMemoryError",
    "NonFiniteError",
    "PrefillOptions",
    "Qwen3VL",
    "Qwen25VL",
    "VideoModel",
    "VideoXL2",
    "VideoXLPro",
    "load_model",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
