"""Pictures with text that tests draw, and how readers of text look at them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]


class ArrayLook:
    """Looks at an array `[H, W, 3]`."""

    def __init__(self, rgb_HW3: Pixels) -> None:
        self._picture = Image.fromarray(rgb_HW3)
        self.width, self.height = self._picture.size

    def gray(self, width: int, height: int) -> Pixels:
        return np.asarray(self._picture.convert("L").resize((width, height)))

    def rgb(self, width: int, height: int) -> Pixels:
        return np.asarray(self._picture.resize((width, height)))


def draw_text(rgb_HW3: Pixels, text: str, at: tuple[int, int], size: int = 24) -> Pixels:
    """A copy with white text, in the one font that Pillow brings along."""
    picture = Image.fromarray(rgb_HW3)
    ImageDraw.Draw(picture).text(at, text, "white", ImageFont.load_default(size))
    return np.asarray(picture)


def write_pictures(
    path: Path, pictures: list[Pixels], rate: int, aspect: Fraction = Fraction(1), rotation: int = 0
) -> Path:
    """A film of these pictures, all of one size.

    `aspect` is a pixel's width over its height, `rotation` in degrees.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        stream.pix_fmt, stream.options = "yuv420p", {"preset": "ultrafast", "threads": "1"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
