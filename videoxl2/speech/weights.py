"""Weights that hear: where they are, and what tells them apart. Loads neither them nor what runs them."""

import hashlib
import re
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from videoxl2.speech.errors import NotDownloaded, SpeechError

ENGINES = {"faster-whisper": "faster_whisper", "ctranslate2": "ctranslate2", "onnxruntime": "onnxruntime"}
NEEDED_MODULES = tuple(ENGINES.values())
_GIVE = "Give one with a Whisper model converted for CTranslate2, a size such as base, or a hub id."
_INSTALL = "Install the extra: pip install 'media-index[speech]', or pip install '.[speech]' in its folder."
WEIGHTS_FILE = "model.bin"
NEEDED_FILES = ("config.json", WEIGHTS_FILE, "tokenizer.json")
WEIGHT_FILES = (*NEEDED_FILES, "preprocessor_config.json", "vocabulary.json", "vocabulary.txt")
_SPECIFICATION, _HEAD_BYTES = b"WhisperSpec", 64  # named behind the format's version
_DETECTOR = "assets/silero_vad_v6.onnx"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class SpeechWeights:
    """A Whisper model that is on this machine. `given` is what people call it."""

    given: str
    folder: Path
    revision: str
    num_bytes: int  # of the weights' file


def find_speech_weights(given: str, local_only: bool = False) -> SpeechWeights:
    """A folder, a size such as `base`, or a hub id, downloaded once (`local_only`: `NotDownloaded`).

    SpeechError: the extra is not installed, or the folder holds no such model.
    """
    find_detector()
    folder = Path(given).expanduser()
    if not folder.is_dir():
        folder = _downloaded(given, local_only)
    for name in NEEDED_FILES:
        if not (folder / name).is_file():
            raise SpeechError(f"the folder {folder} has no {name}", _GIVE)
    with (folder / WEIGHTS_FILE).open("rb") as file:
        if _SPECIFICATION not in file.read(_HEAD_BYTES):
            raise SpeechError(f"{folder / WEIGHTS_FILE} is no Whisper model for CTranslate2", _GIVE)
    return SpeechWeights(given, folder, _revision(folder), (folder / WEIGHTS_FILE).stat().st_size)


def find_detector() -> Path:
    """The file that tells where somebody speaks. SpeechError: the extra is not installed."""
    missing = [name for name, module in ENGINES.items() if util.find_spec(module) is None]
    if missing:
        raise SpeechError(f"speech needs {', '.join(missing)}, not installed here", _INSTALL)
    package = util.find_spec("faster_whisper")
    path = Path(package.origin).parent / _DETECTOR if package and package.origin else None
    if path is None or not path.is_file():
        raise SpeechError(f"this faster-whisper has no {_DETECTOR}", _INSTALL)
    return path


def engine_versions() -> dict[str, str]:
    """Versions of all that a text depends on besides its weights."""
    versions = {name: metadata.version(name) for name in ENGINES}
    return versions | {"detector": _hash_of([find_detector()])}


def _downloaded(given: str, local_only: bool) -> Path:
    from faster_whisper import available_models
    from faster_whisper.utils import download_model

    if given not in available_models() and not _HUB_ID.fullmatch(given):
        why = f"{given} is neither a folder that is here nor a size"
        raise SpeechError(why, f"Sizes are {', '.join(available_models())}; or give a hub id, OWNER/NAME.")
    try:
        return Path(download_model(given, local_files_only=local_only))
    except Exception as error:  # the client's errors have no common base
        if local_only:
            raise NotDownloaded(
                f"{given} is not on this machine yet", "The run downloads it first."
            ) from error
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SpeechError(
            f"{given} is not a local folder, and the hub did not deliver it: {reason}",
            "Check the spelling and the network, or download it and give the folder.",
        ) from error


def _revision(folder: Path) -> str:
    """The hub's commit, else 16 hex digits over the files."""
    resolved = folder.resolve()
    if resolved.parent.name == "snapshots" and _COMMIT.fullmatch(resolved.name):
        return resolved.name
    return _hash_of([folder / name for name in sorted(WEIGHT_FILES) if (folder / name).is_file()])


def _hash_of(paths: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
