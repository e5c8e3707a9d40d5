"""What reads text: whether it is here, and what tells it apart. Loads nothing of it.

The weights are PP-OCRv6's (Apache 2.0), which rapidocr brings along.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

from videoxl2.screen_text.errors import ScreenTextError

MODEL_ID = "PP-OCRv6-small"
ENGINES = ("rapidocr", "onnxruntime", "opencv-python-headless")
_INSTALL = "Install the extra: pip install 'media-index[text]', or pip install '.[text]' in its folder."
NEEDED_MODULES = ("rapidocr", "onnxruntime", "cv2", "shapely", "pyclipper", "omegaconf")
_WEIGHTS = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")


@dataclass(frozen=True, slots=True)
class TextWeights:
    """Weights that find lines and read them, in one folder. `revision` is 16 hex digits over their files."""

    folder: Path
    revision: str


@cache
def find_text_weights() -> TextWeights:
    """Find the weights that are installed. ScreenTextError: the extra is not, or it brings others."""
    missing = [name for name in NEEDED_MODULES if util.find_spec(name) is None]
    if missing:
        raise ScreenTextError(f"text on screen needs {', '.join(missing)}, not installed here", _INSTALL)
    package = util.find_spec("rapidocr")
    folder = Path(package.origin).parent / "models" if package and package.origin else Path()
    for name in _WEIGHTS:
        if not (folder / name).is_file():
            raise ScreenTextError(f"this rapidocr has no models/{name}", _INSTALL)
    return TextWeights(folder, _hash_of([folder / name for name in _WEIGHTS]))


def check_text_weights(revision: str) -> None:
    """Check that weights of this revision are installed. ScreenTextError: none or others are."""
    found = find_text_weights()
    if found.revision != revision:
        said = f"the weights that read text here are {found.revision}, not {revision}"
        raise ScreenTextError(said, "Install the same rapidocr on all machines.")


def text_engines() -> dict[str, str]:
    """Versions of all that a text depends on besides its weights; of OpenCV whatever wheel brings it."""
    return {name: _version(name) for name in ENGINES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "other"


def _hash_of(paths: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
