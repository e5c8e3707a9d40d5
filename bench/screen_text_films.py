"""Films with text in them, drawn from a seed, and what is written in them when."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT, RATE = 640, 360, 5
FONTS = Path("/usr/share/fonts/truetype")
_FONT = FONTS / "dejavu" / "DejaVuSans.ttf"
NAMES = (
    "Anna Keller",
    "Ben Okonkwo",
    "Chloé Dubois",
    "Jürgen Weiß",
    "María Núñez",
    "Olga Svobodová",
    "Tom O'Brien",
    "Li Na",
)
ROLES = (
    "Mayor of Springfield",
    "Director, City Works",
    "Rapporteuse générale",
    "Bürgermeister",
    "Alcaldesa",
    "Engineer",
)
SAID = (
    "We have to open the bridge before the winter.",
    "Nobody knows how high the river will rise.",
    "The council meets again on Tuesday at eight.",
    "That is 42 percent more than a year ago.",
    "Thank you all for coming tonight.",
    "I would like to add something to that.",
)
SCRIPTS = {
    "Latin": "Příliš žluťoučký kůň",
    "Greek": "Ελληνική Δημοκρατία",
    "Chinese": "今天的新闻报道",
    "Japanese": "ニュースの時間です",
    "Cyrillic": "Новости сегодня",
    "Korean": "오늘의 뉴스",
    "Arabic": "أخبار اليوم",
}


@dataclass(frozen=True)
class Written:
    """A line in the film, wholly to be seen in this time."""

    text: str
    start_ms: int
    end_ms: int


Draw = Callable[[ImageDraw.ImageDraw, int], None]


def make_film(name: str, path: Path, seconds: int) -> list[Written]:
    """Write it; returns what is written."""
    written, draw = FILMS[name](seconds)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(
            "libx264", rate=RATE, options={"preset": "veryfast", "threads": "1", "crf": "26"}
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, picture in enumerate(backgrounds(name, seconds * RATE)):
            draw(ImageDraw.Draw(picture), number * 1000 // RATE)
            file.mux(stream.encode(av.VideoFrame.from_image(picture)))
        file.mux(stream.encode())
    return written


def backgrounds(name: str, count: int) -> Iterator[Image.Image]:
    """A speaker before shelves; or, behind subtitles, a camera that never rests over rubble."""
    rng = np.random.default_rng(7)
    wall = textured(rng, (HEIGHT, WIDTH * 3), 3)
    head = Image.fromarray(textured(rng, (170, 120), 2))
    mask = Image.new("L", head.size)
    ImageDraw.Draw(mask).ellipse((0, 0, 119, 169), fill=255)
    for number in range(count):
        pan = number * 9 % (2 * WIDTH) if name == "subtitles" else 0
        picture = Image.fromarray(wall[:, pan : pan + WIDTH].copy())
        if name == "credits":
            picture = Image.new("RGB", (WIDTH, HEIGHT))
        elif name != "subtitles":
            sway = round(14 * np.sin(number / 4)), round(5 * np.sin(number / 2.3))
            picture.paste(head, (260 + sway[0], 90 + sway[1]), mask)
        noise = rng.normal(0, 3, (HEIGHT, WIDTH, 1))
        yield Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def textured(rng: np.random.Generator, shape: tuple[int, int], blur: int) -> Pixels:
    """Noise of several sizes in muted colours."""
    height, width = shape
    layers = []
    for cell, weight in ((64, 60), (16, 30), (4, 16)):
        small = rng.normal(0, weight, (height // cell + 2, width // cell + 2, 3))
        large = np.kron(small, np.ones((cell, cell, 1)))[:height, :width]
        layers.append(large)
    pixels = np.clip(110 + sum(layers), 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur)))


def font_of(size: int, path: Path = _FONT) -> ImageFont.FreeTypeFont:
    """A font of that size."""
    return ImageFont.truetype(str(path), size)


def talk(seconds: int) -> tuple[list[Written], Draw]:
    """Names of speakers for some seconds each, the channel's name all along."""
    draw_lots, written = random.Random("talk"), [Written("CITY CHANNEL 8", 0, seconds * 1000)]
    for start in range(4, seconds - 6, 13):
        who, what = draw_lots.choice(NAMES), draw_lots.choice(ROLES)
        written += [Written(text, start * 1000, (start + 5) * 1000) for text in (who, what)]

    def draw(on: ImageDraw.ImageDraw, ms: int) -> None:
        on.text((500, 14), "CITY CHANNEL 8", "white", font_of(14))
        shown = [one for one in written[1:] if one.start_ms <= ms < one.end_ms]
        if shown:
            on.rectangle((30, 276, 330, 336), fill=(20, 30, 70))
        for line, one in enumerate(shown):
            on.text((40, 280 + 28 * line), one.text, "white", font_of(22 - 5 * line))

    return written, draw


def subtitles(seconds: int) -> tuple[list[Written], Draw]:
    """White letters with a black rim, over what moves."""
    lines = [
        Written(SAID[n % len(SAID)], at * 1000 + 400, at * 1000 + 3200)
        for n, at in enumerate(range(1, seconds - 3, 4))
    ]

    def draw(on: ImageDraw.ImageDraw, ms: int) -> None:
        for one in lines:
            if one.start_ms <= ms < one.end_ms:
                on.text((320, 330), one.text, "white", font_of(20), "ms", stroke_width=2, stroke_fill="black")

    return lines, draw


def credits_roll(seconds: int) -> tuple[list[Written], Draw]:
    """Two columns that roll up, 36 pixels a second."""
    jobs = ("Camera", "Sound", "Editing", "Music", "Costumes", "Lights", "Producer", "Colour")
    texts = [
        (f"{jobs[n % len(jobs)]} {n // len(jobs) + 1}", f"{NAMES[n * 3 % len(NAMES)]} {n}")
        for n in range(seconds)
    ]
    speed, apart = 36, 40
    written = [
        Written(text, (n * apart + 24) * 1000 // speed, (HEIGHT + n * apart) * 1000 // speed)
        for n, pair in enumerate(texts)
        for text in pair
    ]

    def draw(on: ImageDraw.ImageDraw, ms: int) -> None:
        for n, (left, right) in enumerate(texts):
            y = HEIGHT + n * apart - ms * speed / 1000
            if -40 < y < HEIGHT:
                on.text((310, y), left, (200, 200, 200), font_of(18), "ra")
                on.text((330, y), right, "white", font_of(18), "la")

    return written, draw


def scripts(seconds: int) -> tuple[list[Written], Draw]:
    """A line of each script, four seconds long, where fonts for it are installed."""
    found = {name: path for name in SCRIPTS if (path := script_font(name)) is not None}
    lines = [(name, Written(SCRIPTS[name], n * 5000 + 400, n * 5000 + 4400)) for n, name in enumerate(found)]

    def draw(on: ImageDraw.ImageDraw, ms: int) -> None:
        for name, one in lines:
            if one.start_ms <= ms < one.end_ms:
                on.text((60, 290), one.text, "white", font_of(26, found[name]))

    return [one for _, one in lines if one.end_ms < seconds * 1000], draw


def script_font(name: str) -> Path | None:
    """A font with its letters."""
    if name in ("Latin", "Greek", "Cyrillic", "Arabic"):
        return _FONT
    return next(iter(sorted(FONTS.rglob("*wqy*.ttc")) + sorted(FONTS.parent.rglob("*CJK*.ttc"))), None)


FILMS: dict[str, Callable[[int], tuple[list[Written], Draw]]] = {
    "talk": talk,
    "subtitles": subtitles,
    "credits": credits_roll,
    "scripts": scripts,
}
