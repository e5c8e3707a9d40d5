"""Draw a few short films and encode them as ordinary video files: the demo's library.

    python infra/demo/make_films.py FOLDER

Figures walk, wave and meet in front of changing places, with hard cuts between them. Each film has its
own container, codec, size and frame rate, and a title in its metadata. Films already there are kept.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((96, 170, 240), (214, 236, 250)),
    "dusk": ((74, 60, 130), (250, 160, 90)),
    "night": ((8, 12, 40), (40, 52, 96)),
}
GROUNDS: dict[str, Colour] = {"park": (92, 160, 82), "beach": (232, 208, 150), "street": (110, 112, 120)}
RED, BLUE, YELLOW, WHITE = (208, 50, 48), (52, 92, 200), (244, 200, 60), (240, 240, 244)


@dataclass(frozen=True)
class Figure:
    """Somebody drawn: walks from `start` to `end` (shares of the picture's width) during its shot."""

    colour: Colour
    start: float
    end: float
    has_hat: bool = False
    is_waving: bool = False


@dataclass(frozen=True)
class Shot:
    """What is seen between two cuts."""

    place: str
    time_of_day: str
    seconds: float
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Film:
    """One file."""

    name: str
    title: str
    codec: str
    size: tuple[int, int]
    fps: Fraction
    shots: tuple[Shot, ...]


RED_MAN = Figure(RED, 0.05, 0.6, has_hat=True)
BLUE_WOMAN = Figure(BLUE, 0.95, 0.7, is_waving=True)
FILMS = (
    Film(
        "meeting in the park.mp4",
        "A red man with a hat meets a blue woman in the park",
        "libx264",
        (640, 360),
        Fraction(25),
        (
            Shot("park", "day", 4.0, (RED_MAN,)),
            Shot("park", "day", 5.0, (RED_MAN, BLUE_WOMAN)),
            Shot("street", "dusk", 4.0, (Figure(RED, 0.2, 0.8, has_hat=True), Figure(BLUE, 0.3, 0.9))),
        ),
    ),
    Film(
        "night walk.mkv",
        "A lone walker crosses the street at night",
        "libx264",
        (480, 270),
        Fraction(30000, 1001),
        (
            Shot("street", "night", 6.0, (Figure(YELLOW, -0.1, 0.7),)),
            Shot("beach", "night", 5.0, (Figure(YELLOW, 0.1, 0.5, is_waving=True),)),
        ),
    ),
    Film(
        "beach day ☀.webm",
        "Three friends race along the beach",
        "libvpx-vp9",
        (426, 240),
        Fraction(24),
        (
            Shot(
                "beach",
                "day",
                4.0,
                (Figure(RED, 0.0, 1.0), Figure(BLUE, -0.2, 0.9), Figure(WHITE, -0.3, 1.1)),
            ),
            Shot("beach", "dusk", 4.0, (Figure(WHITE, 0.5, 0.5, is_waving=True),)),
        ),
    ),
)


def draw_picture(shot: Shot, second: float, size: tuple[int, int]) -> Image.Image:
    """The shot as it looks `second` seconds after its start."""
    width, height = size
    horizon = round(height * 0.68)
    top, bottom = (np.array(colour, float) for colour in SKIES[shot.time_of_day])
    share = np.linspace(0, 1, height)[:, None]
    sky = (top * (1 - share) + bottom * share).astype(np.uint8)
    picture = Image.fromarray(np.repeat(sky[:, None, :], width, axis=1))
    pen = ImageDraw.Draw(picture)
    disc = height // 9
    across = round(width * (0.15 + 0.02 * second))
    pen.ellipse(
        (across, disc, across + disc, 2 * disc), fill=WHITE if shot.time_of_day == "night" else YELLOW
    )
    dim = 0.45 if shot.time_of_day == "night" else 1.0
    ground = GROUNDS[shot.place]
    pen.rectangle((0, horizon, width, height), fill=tuple(round(c * dim) for c in ground))
    for figure in shot.figures:
        at = figure.start + (figure.end - figure.start) * second / shot.seconds
        _draw_figure(pen, figure, round(at * width), round(height * 0.9), height * 0.4, second)
    return picture


def _draw_figure(
    pen: ImageDraw.ImageDraw, figure: Figure, x: int, feet: int, tall: float, second: float
) -> None:
    stroke = max(2, round(tall / 14))
    hip, neck = feet - 0.42 * tall, feet - 0.76 * tall
    step = math.sin(second * 2 * math.pi * 1.4) * tall * 0.16 * (figure.start != figure.end)
    for side in (-1, 1):
        pen.line((x, hip, x + side * step, feet), fill=figure.colour, width=stroke)
    pen.line((x, hip, x, neck), fill=figure.colour, width=round(stroke * 2.2))
    lift = math.sin(second * 9) * 0.12 - 0.25 if figure.is_waving else 0.22
    pen.line((x, neck + stroke, x + tall * 0.22, neck + lift * tall), fill=figure.colour, width=stroke)
    pen.line((x, neck + stroke, x - tall * 0.2, neck + 0.2 * tall), fill=figure.colour, width=stroke)
    head = tall * 0.11
    pen.ellipse((x - head, neck - 2 * head, x + head, neck), fill=(236, 200, 170))
    if figure.has_hat:
        pen.rectangle((x - 1.4 * head, neck - 2 * head, x + 1.4 * head, neck - 1.6 * head), fill=(30, 30, 30))
        pen.rectangle(
            (x - 0.8 * head, neck - 2.9 * head, x + 0.8 * head, neck - 1.8 * head), fill=(30, 30, 30)
        )


def encode(film: Film, folder: Path) -> Path:
    """Write the film; it appears under its name only when complete."""
    path = folder / film.name
    unfinished = path.with_name(f".unfinished-{path.name}")
    with av.open(str(unfinished), "w") as container:
        container.metadata["title"] = film.title
        stream = container.add_stream(film.codec, rate=film.fps)
        stream.width, stream.height = film.size
        stream.pix_fmt = "yuv420p"
        for picture in _pictures(film):
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    unfinished.replace(path)
    return path


def _pictures(film: Film) -> Iterator[Image.Image]:
    for shot in film.shots:
        for number in range(round(shot.seconds * film.fps)):
            yield draw_picture(shot, float(number / film.fps), film.size)


def make_films(folder: Path) -> None:
    """Make what is missing of the films in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for film in FILMS:
        if not (folder / film.name).exists():
            encode(film, folder)


if __name__ == "__main__":
    make_films(Path(sys.argv[1]))
