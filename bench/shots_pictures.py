"""Effects on single pictures of an edited film: mixes, camera moves, overlays, glitches, light.

A picture is `[H, W, 3]`, 8 bits a level. `share` runs from 0 to 1 over a transition or a shot.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]


def _through(level: float) -> Callable[[NDArray, NDArray, float], NDArray]:
    def mixed(old: NDArray, new: NDArray, share: float) -> NDArray:
        kept, picture = (1 - 2 * share, old) if share < 0.5 else (2 * share - 1, new)
        return picture * kept + level * (1 - kept)

    return mixed


MIXES: dict[str, Callable[[NDArray, NDArray, float], NDArray]] = {
    "dissolve": lambda old, new, share: old * (1 - share) + new * share,
    "black": _through(0.0),
    "white": _through(255.0),
}


def to_levels(picture: NDArray) -> Picture:
    """Return a picture with levels from 0 to 255."""
    return np.clip(picture, 0, 255).astype(np.uint8)


def difference(a: Picture, b: Picture) -> float:
    """Return the mean difference of two pictures in levels."""
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())


def seen_by_camera(picture: Picture, way: str, share: float, draw: random.Random) -> Picture:
    """Return what a camera sees that looks at a part of the picture."""
    height, width, _ = picture.shape
    zoom, x, y = 0.5, 0.25, 0.25  # size, left and top of the view, as shares of the picture
    if way == "whip":
        x = 0.5 / (1 + np.exp(-(share * 40 - 20) / 1.2))
    elif way == "pan":
        x, y = 0.5 * share, 0.25 * (1 - share)
    elif way == "slow":
        zoom, x, y = 0.8, 0.2 * share, 0.1
    elif way == "shake":
        x, y = 0.25 + draw.uniform(-0.04, 0.04), 0.25 + draw.uniform(-0.04, 0.04)
    else:
        zoom = 1 / (1 + min(1.0, max(0.0, (share - 0.3) * 4)))
        x = y = (1 - zoom) / 2
    box = (x * width, y * height, (x + zoom) * width, (y + zoom) * height)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR, box))


def with_inset(picture: Picture, inner: Picture) -> Picture:
    """Return the picture with a small one in its upper left corner."""
    height, width, _ = picture.shape
    small = np.asarray(Image.fromarray(inner).resize((width // 3, height // 3), Image.Resampling.BILINEAR))
    out = picture.copy()
    out[height // 10 :][: height // 3, width // 16 :][:, : width // 3] = small
    return out


def with_lower_third(picture: Picture) -> Picture:
    """Return the picture with a name on a blue bar."""
    height, width, _ = picture.shape
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    pen.rectangle((width // 20, int(height * 0.75), int(width * 0.6), int(height * 0.9)), (20, 40, 160))
    pen.text((width // 16, int(height * 0.79)), "Prof. Example, City Hall", "white", _font(height // 14))
    return np.asarray(image)


def drawn_slide(shape: tuple[int, ...], number: int, draw: random.Random) -> Picture:
    """Return a slide with a title and lines of drawn words."""
    height, width = shape[:2]
    image = Image.new("RGB", (width, height), (draw.choice([255, 245, 250]),) * 3)
    pen = ImageDraw.Draw(image)
    title = draw.choice(["Results", "Method", "Budget 2026", "Outlook", "Team"])
    pen.text((width // 12, height // 9), f"{title} {number}", (20, 30, 120), _font(height // 9))
    for line in range(draw.randint(2, 6)):
        words = (draw.choice(["value", "index", "shots", "cost", "cpu", "film", "line"]) for _ in range(9))
        text = "- " + " ".join(list(words)[: draw.randint(3, 6)])
        pen.text((width // 10, int(height * (0.32 + 0.1 * line))), text, "black", _font(height // 16))
    return np.asarray(image)


def glitched(picture: Picture, way: str, foreign: Picture, noise: np.random.Generator) -> Picture:
    """Return what stands in the place of one damaged picture."""
    if way == "foreign":
        return foreign
    if way == "shifted":
        return np.roll(picture, len(picture) // 2, 0)
    if way == "noise":
        return noise.integers(0, 255, picture.shape).astype(np.uint8)
    return np.full_like(picture, (0, 135, 0) if way == "green" else 0)


def with_bars(picture: Picture, share: float, axis: int) -> Picture:
    """Return the picture between black bars; axis 0 above and below, axis 1 left and right."""
    out = np.swapaxes(picture, 0, axis).copy()
    thick = int(len(out) * share)
    out[:thick] = out[len(out) - thick :] = 0
    return np.swapaxes(out, 0, axis)


def in_light(picture: Picture, way: str, share: float, draw: random.Random) -> Picture:
    """Return the picture under other light."""
    gain = {"drift": 0.6 + 0.8 * share, "jump": 1.0 if share < 0.5 else 0.45}.get(way, 1.0)
    if way == "flicker":
        gain = draw.uniform(0.75, 1.2)
    tint = np.array([1.0, 1 - 0.5 * share, 1 - 0.7 * share]) if way == "colour" else 1.0
    return to_levels(picture.astype(np.float32) * gain * tint)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, size))
