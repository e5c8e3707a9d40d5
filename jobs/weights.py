"""Which weights a run uses. Loads no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import videoxl2
from schemas.failures import PreflightError
from videoxl2.errors import CheckpointError, NotDownloaded
from videoxl2.network.picture_size import PictureRule

if TYPE_CHECKING:  # it loads PyAV
    from videoxl2.domain import Domain

BUILT_IN = "small"
SOME_MODEL = "BAAI/Video-XL-2"  # that is named where people are told to take one
_SMALL = Path(videoxl2.__file__).parent / "small"
_LIMITS = "drawn films like the demo's, nothing else: what it would say about other videos is made up"
BUILT_IN_NOTE = (
    f"small is built in and understands {_LIMITS}, so videos that do not look drawn are set aside for it. "
    f"For those use --model {SOME_MODEL}."
)


@dataclass(frozen=True)
class Weights:
    """A checkpoint that is on this machine. `pictures` says the size of the frames it takes; videos outside
    its `domain` are not given to it."""

    model_id: str
    folder: Path
    revision: str
    pictures: PictureRule
    domain: "Domain | None" = None  # it takes any video


def note_on(model_id: str | None) -> str | None:
    """What whoever reads rows of this model must know, in a sentence; None: nothing is known against it."""
    return f"The model {BUILT_IN} understands {_LIMITS}." if model_id == BUILT_IN else None


class WeightsNotHere(PreflightError):  # noqa: N818 - the name says what happened
    """A hub id whose files would have to be downloaded first."""


def find_weights(model: str, local_only: bool = False) -> Weights:
    """A folder, a hub id (downloaded once), or the built-in checkpoint. Raises `PreflightError`.

    With `local_only` nothing is downloaded: WeightsNotHere.
    """
    from videoxl2.domain import read_domain
    from videoxl2.network.config import read_config  # the notes on a model are wanted without its files
    from videoxl2.network.source import find_folder, revision_of

    try:
        folder = _SMALL if model == BUILT_IN else find_folder(model, local_only=local_only)
        config = read_config(folder)
        revision = revision_of(folder)
        # By its content: a path to it, or to a copy, must not hide what it is.
        model_id = BUILT_IN if revision == revision_of(_SMALL) else model
        domain = read_domain(_SMALL if model_id == BUILT_IN else folder)
        return Weights(model_id, folder, revision, config.picture_rule, domain)
    except NotDownloaded as error:
        raise WeightsNotHere(error.message, error.hint) from None
    except CheckpointError as error:
        raise PreflightError(f"model {model}: {error.message}", error.hint) from None
