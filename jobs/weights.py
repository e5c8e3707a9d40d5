"""Which weights a run uses. Loads no torch."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import videoxl2
from jobs.folders import default_scratch
from schemas.failures import PreflightError, UsageError
from schemas.identity import digest
from storage.errors import preflight
from videoxl2.errors import CheckpointError, ModelError
from videoxl2.network.configs.picture_size import PictureRule

if TYPE_CHECKING:
    from storage.checkpoints.copy import CheckpointCopies  # they load boto3
    from storage.checkpoints.remote import RemoteCheckpoint
    from videoxl2.domain import Domain  # it loads PyAV
    from videoxl2.network.configs.config import ModelConfig
    from videoxl2.network.configs.hub import HubCheckpoint
    from videoxl2.network.language.tokens import Vocabulary

BUILT_IN = "small"
KEPT_IN = "weights"  # of a scratch folder
SOME_MODEL = "BAAI/Video-XL-2"  # that is named where people are told to take one
_SMALL = Path(videoxl2.__file__).parent / "small"
_LIMITS = "drawn films like the demo's, nothing else: what it would say about other videos is made up"
BUILT_IN_NOTE = (
    f"small is built in and understands {_LIMITS}, so videos that do not look drawn are set aside for it. "
    f"For those use --model {SOME_MODEL}."
)


@dataclass(frozen=True)
class Weights:
    """A checkpoint and its config, which is read once; videos outside its `domain` are not given to it.

    Its folder has everything, but for one on S3 or on the hub, which has the heads of its weights only until
    `fetch_weights`.
    """

    model_id: str
    folder: Path
    revision: str
    config: "ModelConfig"
    domain: "Domain | None" = None  # it takes any video
    options: tuple[tuple[str, str], ...] = ()  # of its family, that are not as the checkpoint has them
    remote: "RemoteCheckpoint | HubCheckpoint | None" = None  # where all of it is, if not in the folder

    @property
    def pictures(self) -> PictureRule:
        """The size of the frames it takes."""
        return self.config.picture_rule

    def with_options(self, given: Mapping[str, str]) -> "Weights":
        """The same with other values of its family's options. UsageError: it has no such option, or value."""
        from videoxl2.network.configs.model_options import changed_options, with_options

        try:
            config = with_options(self.config, given)
        except ModelError as error:
            raise UsageError(error.message, error.hint) from None
        return replace(self, config=config, options=tuple(changed_options(self.config, config).items()))

    @property
    def pictures_and_chat(self) -> str:
        """A digest of what its files change of pictures and chat; "": as its family's makers have them.

        A hub commit, unlike a hash over files, says nothing of which of them are read.
        """
        from videoxl2.network.configs.unusual import unusual_files

        unusual = unusual_files(self.config)
        return digest(unusual) if unusual else ""

    @cached_property
    def vocabulary(self) -> "Vocabulary":
        """Tokenizer of the checkpoint, with the text that stands around a video; loaded once, in a second."""
        from videoxl2.network.language.tokens import Vocabulary

        return Vocabulary.from_folder(self.folder, self.config.chat_frame)

    @property
    def is_on_hub(self) -> bool:
        """Whether all of it is on the hub, and not in the folder."""
        from videoxl2.network.configs.hub import HubCheckpoint

        return isinstance(self.remote, HubCheckpoint)

    @property
    def num_bytes(self) -> int:
        """The size of all weights together."""
        from videoxl2.network.configs.source import weight_files

        if self.remote:
            return self.remote.weight_bytes
        return sum(file.stat().st_size for file in weight_files(self.folder))


@dataclass(frozen=True)
class Copies:
    """The place of this machine's copies of weights on S3, below a scratch folder, and the server that has
    them."""

    scratch: Path = field(default_factory=default_scratch)
    endpoint_url: str | None = None

    @property
    def kept(self) -> "CheckpointCopies":
        """The copies of checkpoints in the scratch folder."""
        from storage.checkpoints.copy import CheckpointCopies

        return CheckpointCopies(self.scratch / KEPT_IN)


def note_on(model_id: str | None) -> str | None:
    """Return what a reader of this model's rows must know, in a sentence; None: nothing is known against
    it."""
    return f"The model {BUILT_IN} understands {_LIMITS}." if model_id == BUILT_IN else None


def find_weights(model: str, copies: Copies | None = None, revision: str | None = None) -> Weights:
    """A folder, a hub id, `s3://bucket/prefix`, or the built-in checkpoint.

    Of what is on S3 or on the hub all but the weights is read, and kept among the copies; of the hub the
    newest commit, or that of `revision`. Raises `PreflightError`.
    """
    from videoxl2.network.configs.source import is_hub_id

    if model.startswith("s3:"):
        return _find_remote(model, copies or Copies())
    if model != BUILT_IN and is_hub_id(model):
        return _find_on_hub(model, copies or Copies(), revision)
    return _find_local(model)


def fetch_weights(weights: Weights, copies: Copies | None = None) -> Weights:
    """The same with all files in its folder: what is on S3 or on the hub is copied, once a machine.

    Raises `ObjectError`, as NoSpace where the disk is too small, and `CheckpointError` where the hub does not
    deliver.
    """
    from videoxl2.network.configs.hub import HubCheckpoint, fetch_whole

    if weights.remote is None:
        return weights
    if isinstance(weights.remote, HubCheckpoint):
        return replace(weights, folder=fetch_whole(weights.remote))
    return replace(weights, folder=(copies or Copies()).kept.whole(weights.remote))


def _find_remote(url: str, copies: Copies) -> Weights:
    """Weights on S3, whose revision is that of the listed objects."""
    from storage.checkpoints.remote import list_checkpoint
    from videoxl2.network.configs.source import CHECKPOINT_FILES

    with preflight("model"):
        remote = list_checkpoint(url, CHECKPOINT_FILES, copies.endpoint_url)
        folder = copies.kept.heads(remote)
        if remote.weight_bytes == _find_local(BUILT_IN).num_bytes:
            same = _find_local(str(copies.kept.whole(remote)))
            if same.model_id == BUILT_IN:
                return same
    found = _find_local(str(folder), name=remote.url)
    return replace(found, model_id=remote.url, revision=remote.revision, remote=remote)


def _find_on_hub(hub_id: str, copies: Copies, revision: str | None) -> Weights:
    """Weights of the hub; without the hub, what its cache has here."""
    from videoxl2.network.configs.hub import heads_of, look_up
    from videoxl2.network.configs.source import download

    try:
        checkpoint = look_up(hub_id, revision)
        folder, is_whole = heads_of(checkpoint, copies.scratch / KEPT_IN)
    except CheckpointError as error:
        with suppress(CheckpointError):
            here = download(hub_id, revision, local_only=True)
            return replace(_find_local(str(here), name=hub_id), model_id=hub_id)
        raise PreflightError(f"model {hub_id}: {error.message}", error.hint) from None
    except OSError as error:
        why = f"model {hub_id}: its heads cannot be kept: {error}"
        raise PreflightError(why, "Name another folder with --scratch.") from error
    found = _find_local(str(folder), name=hub_id)
    remote = None if is_whole else checkpoint
    return replace(found, model_id=hub_id, revision=checkpoint.revision, remote=remote)


def _find_local(model: str, name: str | None = None) -> Weights:
    """What has its files on a disk; `name` is what people call it."""
    from videoxl2.domain import read_domain

    # Here, as the notes on a model are wanted without its files.
    from videoxl2.network.configs.config_file import read_config
    from videoxl2.network.configs.source import find_folder, revision_of

    try:
        folder = _SMALL if model == BUILT_IN else find_folder(model)
        config = read_config(folder)
        revision = revision_of(folder)
        # By its content: a path to it, or to a copy, must not hide what it is.
        model_id = BUILT_IN if revision == revision_of(_SMALL) else model
        domain = read_domain(_SMALL if model_id == BUILT_IN else folder)
        return Weights(model_id, folder, revision, config, domain)
    except CheckpointError as error:
        raise PreflightError(f"model {name or model}: {error.message}", error.hint) from None
