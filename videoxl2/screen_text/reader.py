"""Text of a video from pictures that are fed to it, in order of time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.boxes import Box
from videoxl2.screen_text.detector import SIDE, Detector
from videoxl2.screen_text.gate import Gate
from videoxl2.screen_text.known_boxes import KnownBoxes, Reading
from videoxl2.screen_text.lines import Lines, letters_of
from videoxl2.screen_text.looks import Look, fitted
from videoxl2.screen_text.recogniser import Recogniser, cut_lines
from videoxl2.screen_text.records import Line, Outline, Seen
from videoxl2.screen_text.weights import TextWeights

STEP_MS = 1000  # between two pictures that are fed
_SMALL_FILM, _SMALL, _LARGE = (
    854,
    640,
    960,
)  # longer sides: of films in 480p, and of what lines are looked for in
_LONGEST_READ = 1920  # of what lines are read from
_LEAST_CONFIDENCE = 0.7


class TextReader:
    """Looks where the picture has changed, and reads what it has not read yet."""

    def __init__(self, weights: TextWeights) -> None:
        """Raises `ScreenTextError`."""
        self._detector = Detector(weights.detector)
        self._recogniser = Recogniser(weights.recogniser)
        self._gate, self._known, self._lines = Gate(), KnownBoxes(), Lines()
        self.num_fed = self.num_looked = self.num_read = 0

    def feed(self, look: Look, at_ms: int) -> list[Line]:
        """Take the picture on screen at `at_ms`, about one a second; returns lines that are over.

        Raises what the look raises.
        """
        is_open = self._gate.opens(look)
        self.num_fed += 1
        if not is_open:
            return []
        self.num_looked += 1
        return self._lines.add(list(self._seen(look)), at_ms)

    def finish(self, end_ms: int) -> list[Line]:
        """The lines that are there when the film ends, at `end_ms`."""
        return self._lines.finish(end_ms)

    def _seen(self, look: Look) -> Iterator[Seen]:
        longer = _SMALL if max(look.width, look.height) <= _SMALL_FILM else _LARGE
        width, height = fitted(look.width, look.height, longer, SIDE)
        rgb_HW3 = look.rgb(width, height)
        large_HW3: NDArray[np.uint8] | None = None
        for box in self._detector.find(rgb_HW3):
            reading = self._known.find(box, rgb_HW3)
            if reading is None:
                if large_HW3 is None:
                    large_HW3 = look.rgb(*fitted(look.width, look.height, _LONGEST_READ, 2))
                reading = self._read(box, rgb_HW3, large_HW3)
            if is_text(reading):
                yield Seen(reading.text, reading.confidence, _outline(box, width, height))

    def _read(self, box: Box, rgb_HW3: NDArray[np.uint8], large_HW3: NDArray[np.uint8]) -> Reading:
        self.num_read += 1
        (tall, wide), (height, width) = large_HW3.shape[:2], rgb_HW3.shape[:2]
        cut = cut_lines(large_HW3, box.scaled(wide / width, tall / height))
        readings = [Reading(*self._recogniser.read(line)) for line in cut]
        reading = max(readings, key=lambda one: one.confidence)
        self._known.keep(box, rgb_HW3, reading)
        return reading


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
