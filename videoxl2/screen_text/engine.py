"""RapidOCR on ONNX Runtime: where lines are, and what a line says. On one thread, loaded once."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.box import Box
from videoxl2.screen_text.errors import ScreenTextError

_HINT = "Install the extra again: pip install --force-reinstall rapidocr."
_NO_LIMIT = 100_000  # pixels: pictures come in the size in which lines are looked for
_HOW: dict[str, Any] = {
    "Global.log_level": "critical",  # a picture without text is no event
    "Global.use_vertical_padding": False,  # strips come with what is above and below
    "Global.max_side_len": _NO_LIMIT,
    "Det.limit_side_len": _NO_LIMIT,
    "Det.limit_type": "max",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class Engine:
    """Finds and reads lines; all that is found depends on the picture alone."""

    def __init__(self) -> None:
        """ScreenTextError: it cannot be loaded."""
        try:
            self._ocr = _loaded()
        except Exception as error:  # those of several libraries, which have no common base
            raise ScreenTextError(f"RapidOCR cannot be loaded: {error}", _HINT) from error

    def find(self, rgb_HW3: NDArray[np.uint8]) -> list[Box]:
        """Boxes in pixels of the picture, whose sides are multiples of 32; from top to bottom."""
        found = self._ask(rgb_HW3, finds=True)
        return [] if found.boxes is None else [Box.of_corners(np.asarray(one, float)) for one in found.boxes]

    def read(self, line_HW3: NDArray[np.uint8]) -> tuple[str, float]:
        """Text of a level line, and mean probability of its letters; an empty text has none."""
        found = self._ask(line_HW3, finds=False)
        return (str(found.txts[0]), float(found.scores[0])) if found.txts else ("", 0.0)

    def _ask(self, rgb_HW3: NDArray[np.uint8], finds: bool) -> Any:
        """All flags each time: RapidOCR keeps those that it was given once."""
        bgr_HW3 = np.ascontiguousarray(rgb_HW3[..., ::-1])
        return self._ocr(bgr_HW3, use_det=finds, use_cls=False, use_rec=not finds)


@cache
def _loaded() -> Any:
    import cv2
    import rapidocr

    cv2.setNumThreads(1)
    return rapidocr.RapidOCR(params=_HOW)
