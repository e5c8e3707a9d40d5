"""What a line says: its picture, level and 48 pixels high, to letters and how sure they are."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videoxl2.screen_text.boxes import Box
from videoxl2.screen_text.sessions import as_input, load_session

_HEIGHT = 48
_LEAST_WIDTH, _STEP, _MOST_WIDTH = 320, 32, 3200
_COLUMN = 1.5  # times as high as wide


class Recogniser:
    """Reads lines with the weights in this file."""

    def __init__(self, path: Path) -> None:
        """Raises `ScreenTextError`."""
        self._session = load_session(path)
        told: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self._letters = ("", *told["character"].splitlines(), " ")

    def read(self, line_HW3: NDArray[np.uint8]) -> tuple[str, float]:
        """Text and mean probability of its letters; an empty text has none.

        `line_HW3` is RGB, level, `_HEIGHT` high.
        """
        width = min(line_HW3.shape[1], _MOST_WIDTH)
        padded = np.zeros((1, 3, _HEIGHT, max(_LEAST_WIDTH, -(-width // _STEP) * _STEP)), np.float32)
        padded[0, :, :, :width] = as_input(line_HW3[:, :width])
        (probability_TC,) = self._session.run(None, {"x": padded})[0]
        return self._text_of(probability_TC)

    def _text_of(self, probability_TC: NDArray[np.float32]) -> tuple[str, float]:
        """The likeliest letter of each step, repeats and blanks left out."""
        likeliest_T = probability_TC.argmax(1)
        is_new = np.append(True, likeliest_T[1:] != likeliest_T[:-1]) & (likeliest_T > 0)
        if not is_new.any():
            return "", 0.0
        text = "".join(self._letters[letter] for letter in likeliest_T[is_new])
        return text.strip(), float(probability_TC.max(1)[is_new].mean())


def cut_lines(rgb_HW3: NDArray[np.uint8], box: Box) -> list[NDArray[np.uint8]]:
    """The box out of a picture, level and as high as `Recogniser.read` takes it.

    Of a column two: as if it were written upwards and downwards.
    """
    if box.height < _COLUMN * box.width:
        return [_cut(rgb_HW3, box)]
    turns = (-np.pi / 2, np.pi / 2)
    lain = [Box(box.x, box.y, box.height, box.width, box.angle + turn, box.score) for turn in turns]
    return [_cut(rgb_HW3, one) for one in lain]


def _cut(rgb_HW3: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    width = max(1, round(box.width * _HEIGHT / max(1.0, box.height)))
    picture = Image.fromarray(rgb_HW3)
    if box.angle:
        corners = box.corners_42[[0, 3, 2, 1]].ravel().tolist()
        cut = picture.transform((width, _HEIGHT), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
    else:
        cut = picture.resize((width, _HEIGHT), Image.Resampling.BILINEAR, _within(box, *picture.size))
    return np.asarray(cut)


def _within(box: Box, width: int, height: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.outline
    left, top = min(max(0.0, left), width - 1.0), min(max(0.0, top), height - 1.0)
    return left, top, max(left + 1, min(right, width)), max(top + 1, min(bottom, height))
