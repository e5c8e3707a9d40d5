"""The Video-XL-2 model and the frame reader. Importing this package loads neither torch nor PyAV.

`videoxl2.VideoXL2`, `videoxl2.PrefillOptions` and `videoxl2.BiLevelOptions` are loaded when first used.
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
    from videoxl2.generate.bilevel import BiLevelOptions
    from videoxl2.generate.model import VideoXL2
    from videoxl2.generate.prefill import PrefillOptions

_LAZY = {
    "VideoXL2": "videoxl2.generate.model",
    "PrefillOptions": "videoxl2.generate.prefill",
    "BiLevelOptions": "videoxl2.generate.bilevel",
}

__all__ = [
    "BiLevelOptions",
    "CheckpointError",
    "ModelError",
    "ModelInputError",
    "ModelMemoryError",
    "NonFiniteError",
    "PrefillOptions",
    "VideoXL2",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
