"""Text of a video from pictures that are fed to it, in order of time."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.box import Box, cut_lines
from videoxl2.screen_text.engine import Engine
from videoxl2.screen_text.gate import WHOLE, Gate, Strip
from videoxl2.screen_text.known_boxes import KnownBoxes, Reading, gray_of
from videoxl2.screen_text.lines import Lines, letters_of
from videoxl2.screen_text.looks import Look, fitted
from videoxl2.screen_text.records import Line, Outline, Seen
from videoxl2.screen_text.rows import in_rows

_SMALL_FILM, _SMALL, _LARGE = (
    854,
    640,
    960,
)  # longer sides: of films in 480p, and of what lines are looked for in
_LONGEST_READ = 1920  # of what lines are read from
_MARGIN = 16  # pixels above and below what changed
_SIDE = 32  # sides of pictures in which lines are looked for are multiples of it
_LEAST_CONFIDENCE = 0.7


class TextReader:
    """Looks where the picture has changed, and reads what it has not read yet."""

    def __init__(self) -> None:
        """Raises `ScreenTextError`."""
        self._engine = Engine()
        self._gate, self._known, self._lines = Gate(), KnownBoxes(), Lines()
        self._seen: list[Seen] = []  # at the last look
        self.num_fed = self.num_looked = self.num_read = 0
        self.share_looked = 0.0  # pictures, parts of them counted as such

    def feed(self, look: Look, at_ms: int) -> list[Line]:
        """Take the picture on screen at `at_ms`, about one a second; returns lines that are over.

        Raises what the look raises.
        """
        strip = self._gate.strip_of(look)
        self.num_fed += 1
        if strip is None:
            return []
        self.num_looked += 1
        return self._lines.add(self.read(look, strip), at_ms)

    def finish(self, end_ms: int) -> list[Line]:
        """The lines that are there when the film ends, at `end_ms`."""
        return self._lines.finish(end_ms)

    def read(self, look: Look, strip: Strip = WHOLE) -> list[Seen]:
        """The lines of a picture, those outside the strip as before. Raises what the look raises."""
        longer = _SMALL if max(look.width, look.height) <= _SMALL_FILM else _LARGE
        width, height = fitted(look.width, look.height, longer, _SIDE)
        rgb_HW3 = look.rgb(width, height)
        top, bottom = self._rows(strip, height)
        boxes = [box.moved(top) for box in self._engine.find(rgb_HW3[top:bottom])]
        self.share_looked += (bottom - top) / height
        self._seen = [
            one
            for one in self._seen
            if not top < one.outline.bottom * height or not one.outline.top * height < bottom
        ]
        self._seen += in_rows(self._read_boxes(boxes, rgb_HW3, look), width / height)
        return self._seen

    def _rows(self, strip: Strip, height: int) -> tuple[int, int]:
        """Rows of a picture, multiples of `_SIDE`, that hold the strip and cut through no line."""
        top, bottom = strip.top * height - _MARGIN, strip.bottom * height + _MARGIN
        while True:
            first, stop = max(0, int(top // _SIDE) * _SIDE), min(height, -int(-bottom // _SIDE) * _SIDE)
            spans = [(one.outline.top * height, one.outline.bottom * height) for one in self._seen]
            cut = [(upper, lower) for upper, lower in spans if upper < stop and first < lower]
            top, bottom = (
                min([first, *(upper for upper, _ in cut)]),
                max([stop, *(lower for _, lower in cut)]),
            )
            if top >= first and bottom <= stop:
                return first, stop

    def _read_boxes(self, boxes: Sequence[Box], rgb_HW3: NDArray[np.uint8], look: Look) -> Iterator[Seen]:
        gray_HW = gray_of(rgb_HW3)
        height, width = gray_HW.shape
        large_HW3: NDArray[np.uint8] | None = None
        for box in boxes:
            reading = self._known.find(box, gray_HW)
            if reading is None:
                if large_HW3 is None:
                    large_HW3 = look.rgb(*fitted(look.width, look.height, _LONGEST_READ, 2))
                tall, wide, _ = large_HW3.shape
                reading = self._read(box.scaled(wide / width, tall / height), large_HW3)
                self._known.keep(box, gray_HW, reading)
            if is_text(reading):
                yield Seen(reading.text, reading.confidence, _outline(box, width, height))

    def _read(self, box: Box, rgb_HW3: NDArray[np.uint8]) -> Reading:
        self.num_read += 1
        readings = [Reading(*self._engine.read(line)) for line in cut_lines(rgb_HW3, box)]
        return max(readings, key=lambda one: one.confidence)


def is_text(reading: Reading) -> bool:
    """Whether it is worth a row: sure enough, and more than a letter that a picket fence may make."""
    letters = letters_of(reading.text)
    is_enough = len(letters) > 1 or any(ord(letter) >= 0x3040 for letter in letters)  # kana, ideographs
    return reading.confidence >= _LEAST_CONFIDENCE and is_enough


def _outline(box: Box, width: int, height: int) -> Outline:
    left, top, right, bottom = box.outline
    return Outline(
        *(min(1.0, max(0.0, edge)) for edge in (left / width, top / height, right / width, bottom / height))
    )
