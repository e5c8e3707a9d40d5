"""The model alone, without library and index."""

from typing import TYPE_CHECKING

from jobs.weights import find_weights

if TYPE_CHECKING:  # it loads torch
    from videoxl2 import VideoModel


def load_model(model: str, *, device: str = "auto", dtype: str = "auto") -> "VideoModel":
    """Load the model that a run with `model=` uses, for `videoxl2`'s own functions (docs/model.md).

    Args:
        model: A folder, a hub id such as BAAI/Video-XL-2, or `small`, which is built in and understands drawn
            films only.
        device: `cpu`, `cuda`, or `auto`: the GPU where there is one.
        dtype: `float32`, `bfloat16`, `float16`, or `auto`: the checkpoint's own on a GPU, float32 on a CPU.

    Raises:
        PreflightError: There is no such checkpoint.
        videoxl2.ModelError: It cannot be read, or does not fit.
    """
    weights = find_weights(model)
    from videoxl2 import load_model as load

    return load(weights.folder, device=device, dtype=dtype)
