"""The weights that hear, as each machine has them: in a folder that all see, or in a copy of its own."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.weights import Copies
from schemas.failures import PreflightError
from storage.errors import preflight

if TYPE_CHECKING:
    from storage.checkpoints.remote import RemoteCheckpoint  # it loads boto3

WEIGHTS = (
    "a folder or s3://bucket/prefix with a Whisper model converted for CTranslate2, a size such as base, "
    "or a hub id"
)


@dataclass(frozen=True)
class OnS3:
    """Objects below a prefix, of which each machine fetches a copy."""

    remote: "RemoteCheckpoint"
    copies: Copies

    def folder(self) -> Path:
        """Return this machine's copy, fetched once. Raises `ObjectError`."""
        return self.copies.kept.whole(self.remote)


@dataclass(frozen=True)
class OnHub:
    """Files that the hub has under a name, of which each machine fetches a copy."""

    given: str
    revision: str

    def folder(self) -> Path:
        """Return this machine's copy, fetched once. Raises `SpeechError` where the hub does not deliver, or
        has another revision by now."""
        return _of_hub(self.given, self.revision)


@dataclass(frozen=True)
class FoundSpeech:
    """Weights that hear, not read so far: a folder that all machines see, or what each makes a copy of."""

    revision: str
    num_bytes: int
    place: Path | OnS3 | OnHub


def find_hearing(given: str, copies: Copies) -> FoundSpeech:
    """A folder, `s3://bucket/prefix`, a size or a hub id, which is downloaded. Raises `PreflightError`, and
    `SpeechError` where no such weights are there."""
    if given.startswith("s3:"):
        return _on_s3(given, copies)
    from videoxl2.speech import find_speech_weights

    weights = find_speech_weights(given)
    is_folder = Path(given).expanduser().is_dir()
    place = weights.folder.absolute() if is_folder else OnHub(given, weights.revision)
    return FoundSpeech(weights.revision, weights.num_bytes, place)


def _on_s3(url: str, copies: Copies) -> FoundSpeech:
    from storage.checkpoints.remote import list_checkpoint
    from videoxl2.speech import NEEDED_FILES, WEIGHT_FILES, WEIGHTS_FILE

    with preflight("speech"):
        remote = list_checkpoint(url, WEIGHT_FILES, copies.endpoint_url)
    sizes = {file.name: file.size_bytes for file in remote.files}
    for name in NEEDED_FILES:
        if name not in sizes:
            raise PreflightError(f"speech {remote.url} has no {name}", f"Give {WEIGHTS}.")
    return FoundSpeech(remote.revision, sizes[WEIGHTS_FILE], OnS3(remote, copies))


@cache
def _of_hub(given: str, revision: str) -> Path:
    from videoxl2.speech import SpeechError, find_speech_weights

    with suppress(SpeechError):
        here = find_speech_weights(given, local_only=True)
        if here.revision == revision:
            return here.folder
    found = find_speech_weights(given)
    if found.revision != revision:
        message = f"{given} is revision {found.revision} here, and the run has {revision}"
        raise SpeechError(message, "Repeat the command: the hub has newer weights since it began.")
    return found.folder
