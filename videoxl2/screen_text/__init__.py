"""Text on screen: what is written in the pictures, with its time and its place, on a CPU.

    lines = read_screen_text(path, probe(path))     # a pass of its own, a picture a second
    watcher = TextWatcher(probe(path))              # or shown by a pass over all pictures

    reading      one video
    instants     which pictures are looked at
    reader       from pictures to lines: look where something changed, read what is new
    gate         whether a picture is worth a look
    known_boxes  what has been read already
    rows         boxes that are one line
    lines        the same line in several pictures
    engine       RapidOCR: where lines are, and what a line says
    box          a box around a line
    weights      where they are, and what tells them apart
    looks        pictures as they are looked at

RapidOCR (on ONNX Runtime) is imported when something is read, and not before. Memory does not grow with the
film. Needs no torch.
"""

from videoxl2.screen_text.errors import ScreenTextError
from videoxl2.screen_text.reading import TextWatcher, read_screen_text
from videoxl2.screen_text.records import Line, Outline
from videoxl2.screen_text.weights import (
    MODEL_ID,
    NEEDED_MODULES,
    TextWeights,
    check_text_weights,
    find_text_weights,
    text_engines,
)

__all__ = [
    "MODEL_ID",
    "NEEDED_MODULES",
    "Line",
    "Outline",
    "ScreenTextError",
    "TextWatcher",
    "TextWeights",
    "check_text_weights",
    "find_text_weights",
    "read_screen_text",
    "text_engines",
]
