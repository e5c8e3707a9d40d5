"""Which weights a run uses. Loads no torch, except to write the built-in checkpoint once per machine."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from schemas.failures import PreflightError
from storage.locations import cache_folder
from videoxl2.config import read_config
from videoxl2.errors import CheckpointError, NotDownloaded
from videoxl2.source import find_folder, revision_of

BUILT_IN = "small"
BUILT_IN_NOTE = (
    "small is built in and untrained: every step is real, but what it says about a video is noise. "
    "For answers use --model BAAI/Video-XL-2."
)


@dataclass(frozen=True)
class Weights:
    """A checkpoint that is on this machine. `image_size` is the side in pixels of the frames it takes."""

    model_id: str
    folder: Path
    revision: str
    image_size: int


class WeightsNotHere(PreflightError):  # noqa: N818 - the name says what happened
    """A hub id whose files would have to be downloaded first."""


def find_weights(model: str, local_only: bool = False) -> Weights:
    """A folder, a hub id (downloaded once), or the built-in checkpoint. Raises `PreflightError`.

    With `local_only` nothing is downloaded: WeightsNotHere.
    """
    try:
        folder = _built_in() if model == BUILT_IN else find_folder(model, local_only=local_only)
        config = read_config(folder)
        return Weights(model, folder, revision_of(folder), config.vision.image_size)
    except NotDownloaded as error:
        raise WeightsNotHere(error.message, error.hint) from None
    except CheckpointError as error:
        raise PreflightError(f"model {model}: {error.message}", error.hint) from None


def _built_in() -> Path:
    """Written once per machine and user; equal everywhere, since the seed is."""
    cache = cache_folder()
    folder = cache / "small-untrained-1"
    if not folder.exists():
        from videoxl2.random_checkpoint import write_random_checkpoint

        cache.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=cache))
        write_random_checkpoint(unfinished, seed=0)
        try:
            unfinished.rename(folder)
        except OSError:  # somebody else was first
            shutil.rmtree(unfinished)
    return folder
