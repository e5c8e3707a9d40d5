"""The model alone, without library and index."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.failures import VideoFailureError
from jobs.weights import Weights, fetch_weights, find_weights
from jobs.workers.domain import DomainGuard
from schemas.failures import PreflightError, UsageError
from storage.errors import preflight
from videoxl2.frames import DEFAULT_LIMITS, probe

if TYPE_CHECKING:  # it loads torch
    from videoxl2 import VideoModel


def load_model(
    model: str,
    *,
    videos: Iterable[str | Path] = (),
    device: str = "auto",
    devices: Sequence[str] = (),
    dtype: str = "auto",
    options: Mapping[str, str] | None = None,
    weight_bits: int = 16,
) -> "VideoModel":
    """Load the model that a run with `model=` uses, for `videoxl2`'s own functions (docs/model.md).

    Args:
        model: A folder, a hub id such as BAAI/Video-XL-2, or `small`, which is built in and understands drawn
            films only.
        videos: The files that it is to be asked about. A checkpoint that says which videos it was made for,
            as `small` does, is not loaded without them, nor for one that looks otherwise.
        device: `cpu`, `cuda`, or `auto`: the GPU where there is one.
        devices: GPUs to spread it over instead, such as `["cuda:0", "cuda:1"]`.
        dtype: `float32`, `bfloat16`, `float16`, or `auto`: the checkpoint's own on a GPU, float32 on a CPU.
        options: Those of its family, such as `{"pool": "average"}` (docs/settings.md).
        weight_bits: 8 or 4 quantises the weights of the language model's layers; needs the extra `quantized`.

    Raises:
        UsageError: No videos were named for a checkpoint that was made for some only, or it lacks an option.
        PreflightError: There is no such checkpoint, or it was not made for one of the videos.
        videoxl2.ModelError: It cannot be read, or does not fit.
        videoxl2.frames.MediaError, OSError: A video cannot be read.
    """
    weights = find_weights(model).with_options(options or {})
    _check(weights, tuple(map(Path, videos)))
    from videoxl2 import load_model as load

    with preflight("model"):
        weights = fetch_weights(weights)
    return load(
        weights.folder, device=device, devices=devices, dtype=dtype, options=options, weight_bits=weight_bits
    )


def _check(weights: Weights, videos: tuple[Path, ...]) -> None:
    guard = DomainGuard.of(weights)
    if guard is None:
        return
    if not videos:
        raise UsageError(
            f"the model {weights.model_id} was made for some videos only, and none are named",
            "Name those that it is to be asked about: load_model(…, videos=[…]).",
        )
    for path in videos:
        try:
            guard.check(path, probe(path), DEFAULT_LIMITS)
        except VideoFailureError as outside:
            hint = "Ask a model that was made for such videos."
            raise PreflightError(f"{path}: {outside.failure.message}", hint) from None
