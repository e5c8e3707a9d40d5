"""Weights that read text: where they are, and what tells them apart. Loads neither them nor what runs them.

They are PP-OCRv6's (Apache 2.0), which the package rapidocr brings along; no more of it is used.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

from videoxl2.screen_text.errors import ScreenTextError

MODEL_ID = "PP-OCRv6-small"
_INSTALL = "Install the extra: pip install 'media-index[text]', or pip install '.[text]' in its folder."
_NEEDED = ("rapidocr", "onnxruntime")
_DETECTOR, _RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"


@dataclass(frozen=True, slots=True)
class TextWeights:
    """What finds lines in a picture, and what reads them. `revision` is 16 hex digits over both."""

    detector: Path
    recogniser: Path
    revision: str


@cache
def find_text_weights() -> TextWeights:
    """Those that are installed. ScreenTextError: the extra is not, or it brings others."""
    missing = [name for name in _NEEDED if util.find_spec(name) is None]
    if missing:
        raise ScreenTextError(f"text on screen needs {', '.join(missing)}, not installed here", _INSTALL)
    package = util.find_spec("rapidocr")
    folder = Path(package.origin).parent / "models" if package and package.origin else Path()
    found = [folder / name for name in (_DETECTOR, _RECOGNISER)]
    for path in found:
        if not path.is_file():
            raise ScreenTextError(f"this rapidocr has no models/{path.name}", _INSTALL)
    return TextWeights(found[0], found[1], _hash_of(found))


def same_text_weights(revision: str) -> TextWeights:
    """Those of this revision. ScreenTextError: none or others are installed here."""
    found = find_text_weights()
    if found.revision != revision:
        said = f"the weights that read text here are {found.revision}, not {revision}"
        raise ScreenTextError(said, "Install the same rapidocr on all machines.")
    return found


def text_engine() -> dict[str, str]:
    """Versions of all that a text depends on besides its weights."""
    return {"onnxruntime": metadata.version("onnxruntime")}


def _hash_of(paths: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
