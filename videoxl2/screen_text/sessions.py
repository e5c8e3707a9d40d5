"""Weights that are loaded: one thread, one for each process."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.errors import ScreenTextError

_HINT = "Install the extra again: pip install --force-reinstall 'rapidocr'."


@cache
def load_session(path: Path) -> Any:
    """ONNX Runtime's, of these weights. ScreenTextError: they cannot be loaded."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the largest picture took
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors have no common base
        raise ScreenTextError(f"{path.name} cannot be loaded: {error}", _HINT) from error


def as_input(rgb_HW3: NDArray[np.uint8]) -> NDArray[np.float32]:
    """`float32 [3, H, W]` from -1 to 1, blue first, as both networks were trained."""
    scaled = rgb_HW3[..., ::-1].transpose(2, 0, 1).astype(np.float32)
    scaled *= 2 / 255
    scaled -= 1
    return scaled
