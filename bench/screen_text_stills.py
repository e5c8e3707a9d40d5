"""Stills with lines of text over what a camera may see, drawn from a seed, and what they say."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from screen_text_films import Pixels, font_of, textured

SIZES = ((640, 360), (1280, 720))
LETTERS = (12, 16, 22, 32)  # pixels
STYLES = ("plain", "outlined", "boxed", "turned")
TEXTS = (
    "The mayor opens the new bridge",
    "Breaking: 1,234 homes without power",
    "Jürgen Weiß, Bürgermeister",
    "© 2026 City Channel 8",
    "Où est la bibliothèque?",
    "Next meeting: Tuesday, 8 p.m.",
    "María Núñez · Alcaldesa",
    "Straße gesperrt bis 24.12.",
    "50 % off today only!",
    "Příliš žluťoučký kůň",
    "www.example.org/council",
    "CHAPTER IV: THE RETURN",
)


@dataclass(frozen=True)
class Still:
    """A picture and its lines from top to bottom."""

    size: tuple[int, int]
    letters: int
    style: str
    pixels: Pixels
    texts: list[str]


def stills() -> Iterator[Still]:
    """One for each size, height of letters and style, with three lines."""
    draw_lots, rng = random.Random("stills"), np.random.default_rng(3)
    for size in SIZES:
        for letters in LETTERS:
            for style in STYLES:
                texts = draw_lots.sample(TEXTS, 3)
                yield Still(size, letters, style, _drawn(rng, size, letters, style, texts), texts)


def _drawn(
    rng: np.random.Generator, size: tuple[int, int], letters: int, style: str, texts: list[str]
) -> Pixels:
    width, height = size
    picture = Image.fromarray(textured(rng, (height, width), 3))
    for number, text in enumerate(texts):
        place = (40 + 30 * number, height // 6 + number * height // 4)
        if style == "turned":
            _turned(picture, text, place, letters)
        else:
            _level(ImageDraw.Draw(picture), text, place, letters, style)
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=70)
    return np.asarray(Image.open(packed).convert("RGB"))


def _level(draw: ImageDraw.ImageDraw, text: str, place: tuple[int, int], letters: int, style: str) -> None:
    font = font_of(letters)
    if style == "boxed":
        left, top, right, bottom = draw.textbbox(place, text, font)
        draw.rectangle((left - 6, top - 5, right + 6, bottom + 5), fill=(20, 30, 70))
    rim = 2 if style == "outlined" else 0
    draw.text(place, text, "white", font, stroke_width=rim, stroke_fill="black")


def _turned(picture: Image.Image, text: str, place: tuple[int, int], letters: int) -> None:
    font = font_of(letters)
    _, _, right, bottom = map(round, font.getbbox(text))
    line = Image.new("RGBA", (right + 12, bottom + 12), (20, 30, 70, 255))
    ImageDraw.Draw(line).text((6, 6), text, "white", font)
    turned = line.rotate(8, Image.Resampling.BICUBIC, expand=True)
    picture.paste(turned, place, turned)
