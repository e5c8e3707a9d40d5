"""Places to play in: a sky, a ground and what stands there, in any size, at any time of day."""

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
HORIZON = 0.62  # share of the height

_SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((88, 168, 242), (218, 238, 252)),
    "dusk": ((96, 52, 130), (255, 158, 84)),
    "night": ((6, 10, 38), (36, 46, 98)),
}
_LIGHT = {"day": (1.0, 1.0, 1.0), "dusk": (0.92, 0.66, 0.6), "night": (0.34, 0.38, 0.58)}
_GROUNDS: dict[str, Colour] = {
    "park": (104, 186, 84),
    "beach": (240, 218, 160),
    "street": (112, 114, 124),
    "forest": (52, 96, 52),
    "desert": (226, 160, 84),
    "harbour": (38, 108, 168),
    "mountains": (206, 214, 226),
    "kitchen": (196, 150, 110),
}


class Pen:
    """Draws in shares of the picture: x of its width, y of its height, lengths of its height."""

    def __init__(self, picture: Image.Image, light: tuple[float, float, float] = (1, 1, 1)) -> None:
        self._pen = ImageDraw.Draw(picture)
        self.width, self.height = picture.size
        self.light = light

    def at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.width, y * self.height

    def ink(self, colour: Colour) -> Colour:
        r, g, b = (round(c * share) for c, share in zip(colour, self.light, strict=True))
        return r, g, b

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self._pen.polygon([self.at(*p) for p in points], fill=self.ink(colour))

    def box(self, x: float, y: float, x2: float, y2: float, colour: Colour) -> None:
        self._pen.rectangle((*self.at(x, y), *self.at(x2, y2)), fill=self.ink(colour))

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Around (x, y); both radii are shares of the height."""
        cx, cy = self.at(x, y)
        rx, ry = rx * self.height, ry * self.height
        self._pen.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=self.ink(colour))

    def line(self, points: list[tuple[float, float]], colour: Colour, thick: float) -> None:
        stroke = max(1, round(thick * self.height))
        self._pen.line([self.at(*p) for p in points], fill=self.ink(colour), width=stroke, joint="curve")


@lru_cache(maxsize=8)
def background(setting: str, time_of_day: str, weather: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """The place without anybody in it. A shared picture: copy before drawing on it."""
    picture = _sky(time_of_day, weather, size)
    pen, draw = Pen(picture), Random(seed)
    if setting != "kitchen":
        _draw_lights(pen, draw, time_of_day, weather)
    pen.light = _LIGHT[time_of_day]
    ground = _GROUNDS[setting]
    if weather == "snow" and setting != "harbour":
        ground = (236, 240, 248) if setting != "mountains" else (250, 250, 255)
    if setting in ("mountains", "kitchen", "street", "forest"):
        _BEHIND[setting](pen, draw)
    pen.box(0, HORIZON, 1, 1, ground)
    if setting in _BEHIND and setting not in ("mountains", "kitchen", "street", "forest"):
        _BEHIND[setting](pen, draw)
    if setting == "kitchen":
        _kitchen(pen, time_of_day)
    return picture


def _sky(time_of_day: str, weather: str, size: tuple[int, int]) -> Image.Image:
    top, bottom = (np.array(c, float) for c in _SKIES[time_of_day])
    if weather in ("rain", "snow"):
        grey = np.full(3, {"day": 150.0, "dusk": 110.0, "night": 44.0}[time_of_day])
        top, bottom = top * 0.35 + grey * 0.65, bottom * 0.5 + grey * 0.5
    share = np.linspace(0, 1 / HORIZON, size[1]).clip(0, 1)[:, None]
    column = (top * (1 - share) + bottom * share).astype(np.uint8)
    return Image.fromarray(np.repeat(column[:, None, :], size[0], axis=1))


def _draw_lights(pen: Pen, draw: Random, time_of_day: str, weather: str) -> None:
    x = draw.uniform(0.1, 0.9)
    if weather in ("rain", "snow"):
        grey = {"day": (120, 126, 138), "dusk": (92, 72, 92), "night": (26, 28, 44)}[time_of_day]
        for _ in range(7):
            pen.oval(draw.random(), draw.uniform(0.02, 0.16), draw.uniform(0.12, 0.2), 0.07, grey)
        return
    if time_of_day == "night":
        for _ in range(40):
            pen.oval(draw.random(), draw.uniform(0, 0.5), 0.005, 0.005, (250, 250, 220))
        pen.oval(x, 0.16, 0.08, 0.08, (246, 244, 214))
        pen.oval(x + 0.02, 0.14, 0.065, 0.065, (14, 18, 50))
    elif time_of_day == "dusk":
        pen.oval(x, HORIZON - 0.06, 0.15, 0.15, (255, 120, 60))
    else:
        pen.oval(x, 0.15, 0.085, 0.085, (255, 226, 90))
        for _ in range(3):
            cx, cy = draw.random(), draw.uniform(0.08, 0.3)
            for dx in (-0.05, 0, 0.05):
                pen.oval(cx + dx, cy + abs(dx) / 3, 0.06, 0.04, (255, 255, 255))


def _park(pen: Pen, draw: Random) -> None:
    pen.polygon([(0.3, 1), (0.45, HORIZON), (0.52, HORIZON), (0.7, 1)], (222, 204, 160))
    for x in (draw.uniform(0.04, 0.2), draw.uniform(0.78, 0.95)):
        pen.box(x - 0.012, 0.42, x + 0.012, 0.68, (116, 76, 42))
        for dx, dy in ((-0.04, 0.02), (0.04, 0.02), (0, -0.06)):
            pen.oval(x + dx, 0.36 + dy, 0.12, 0.11, (58, 146, 62))
    x = draw.uniform(0.3, 0.6)
    pen.box(x, 0.6, x + 0.14, 0.625, (150, 92, 50))
    pen.box(x, 0.65, x + 0.14, 0.67, (150, 92, 50))
    for leg in (x + 0.01, x + 0.12):
        pen.box(leg, 0.67, leg + 0.01, 0.71, (90, 60, 40))


def _beach(pen: Pen, draw: Random) -> None:
    pen.box(0, HORIZON - 0.12, 1, HORIZON + 0.06, (36, 150, 200))
    for n in range(12):
        pen.oval(n / 11, HORIZON + 0.06, 0.09, 0.015, (240, 250, 255))
    x = draw.choice((0.08, 0.9))
    pen.line([(x, 0.75), (x + 0.01, 0.5), (x + 0.03, 0.3)], (138, 96, 56), 0.03)
    for dx, dy in ((-0.12, 0.02), (-0.09, -0.07), (0.09, -0.07), (0.12, 0.03)):
        pen.line(
            [(x + 0.03, 0.3), (x + 0.03 + dx / 2, 0.26 + dy / 2), (x + 0.03 + dx, 0.32 + dy)],
            (40, 140, 70),
            0.03,
        )


def _street(pen: Pen, draw: Random) -> None:
    x, walls = -0.02, [(196, 92, 76), (218, 186, 132), (120, 140, 168), (170, 120, 150), (150, 172, 140)]
    while x < 1:
        width, top, wall = draw.uniform(0.13, 0.2), draw.uniform(0.16, 0.34), draw.choice(walls)
        pen.box(x, top, x + width, HORIZON, wall)
        for row in range(3):
            for column in range(2):
                wx, wy = x + 0.03 + column * width * 0.48, top + 0.05 + row * 0.1
                pen.box(
                    wx, wy, wx + 0.03, wy + 0.05, (255, 240, 170) if draw.random() < 0.7 else (60, 70, 90)
                )
        x += width
    pen.box(0, HORIZON, 1, HORIZON + 0.05, (176, 172, 166))


def _street_front(pen: Pen, draw: Random) -> None:
    pen.box(0, HORIZON, 1, HORIZON + 0.05, (186, 182, 176))
    for n in range(6):
        pen.box(n / 6 + 0.03, 0.8, n / 6 + 0.11, 0.825, (244, 240, 220))
    x = draw.uniform(0.1, 0.9)
    pen.box(x, 0.3, x + 0.008, 0.68, (60, 62, 70))
    pen.oval(x + 0.004, 0.29, 0.03, 0.03, (255, 244, 180))


def _forest(pen: Pen, draw: Random) -> None:
    for depth, green in ((0.0, (34, 82, 52)), (0.05, (26, 104, 58)), (0.1, (40, 126, 66))):
        for _ in range(8):
            x, top = draw.uniform(-0.02, 1.02), draw.uniform(0.08, 0.26) + depth
            base = HORIZON + depth * 0.6
            for part in (0.0, 0.3, 0.55):
                y = top + (base - top) * part
                reach = 0.03 + 0.05 * part
                pen.polygon([(x, y), (x - reach, y + 0.2), (x + reach, y + 0.2)], green)


def _forest_front(pen: Pen, draw: Random) -> None:
    for _ in range(3):
        x = draw.random()
        pen.box(x - 0.006, 0.68, x + 0.006, 0.72, (244, 232, 214))
        pen.oval(x, 0.68, 0.035, 0.022, (206, 50, 44))


def _desert(pen: Pen, draw: Random) -> None:
    for _ in range(3):
        x, rise = draw.random(), draw.uniform(0.06, 0.14)
        pen.polygon([(x - 0.35, HORIZON), (x, HORIZON - rise), (x + 0.35, HORIZON)], (236, 178, 104))
    for x in (draw.uniform(0.05, 0.3), draw.uniform(0.7, 0.95)):
        green = (56, 132, 76)
        pen.line([(x, 0.72), (x, 0.4)], green, 0.05)
        pen.line([(x, 0.58), (x - 0.04, 0.58), (x - 0.04, 0.48)], green, 0.035)
        pen.line([(x, 0.54), (x + 0.04, 0.54), (x + 0.04, 0.44)], green, 0.035)


def _harbour(pen: Pen, draw: Random) -> None:
    for _ in range(14):
        x, y = draw.random(), draw.uniform(HORIZON + 0.01, 0.78)
        pen.box(x, y, x + 0.05, y + 0.008, (110, 170, 214))
    pen.box(0, 0.8, 1, 1, (148, 104, 66))
    for n in range(14):
        pen.box(n / 14, 0.8, n / 14 + 0.004, 1, (104, 70, 44))
    x = draw.uniform(0.15, 0.75)
    pen.polygon([(x - 0.1, 0.64), (x + 0.12, 0.64), (x + 0.08, 0.73), (x - 0.06, 0.73)], (200, 60, 50))
    pen.box(x, 0.3, x + 0.008, 0.64, (90, 64, 44))
    pen.polygon([(x + 0.015, 0.32), (x + 0.11, 0.6), (x + 0.015, 0.6)], (250, 250, 244))


def _mountains(pen: Pen, draw: Random) -> None:
    for _ in range(4):
        x, top, reach = draw.random(), draw.uniform(0.1, 0.3), draw.uniform(0.2, 0.3)
        pen.polygon([(x - reach, HORIZON), (x, top), (x + reach, HORIZON)], (112, 118, 140))
        cap = 0.35
        pen.polygon(
            [
                (x - reach * cap, top + (HORIZON - top) * cap),
                (x, top),
                (x + reach * cap, top + (HORIZON - top) * cap),
            ],
            (250, 252, 255),
        )


def _mountains_front(pen: Pen, draw: Random) -> None:
    x = draw.uniform(0.08, 0.8)
    pen.box(x, 0.56, x + 0.11, 0.68, (124, 84, 52))
    pen.polygon([(x - 0.02, 0.57), (x + 0.055, 0.47), (x + 0.13, 0.57)], (168, 60, 46))
    pen.box(x + 0.04, 0.61, x + 0.065, 0.68, (70, 46, 30))


def _kitchen_wall(pen: Pen, draw: Random) -> None:
    pen.box(0, 0, 1, HORIZON, (240, 226, 186))
    for n in range(1, 12):
        pen.box(n / 12, 0.34, n / 12 + 0.003, HORIZON, (206, 186, 150))
    for y in (0.34, 0.43, 0.52):
        pen.box(0, y, 1, y + 0.006, (206, 186, 150))


def _kitchen(pen: Pen, time_of_day: str) -> None:
    light, pen.light = pen.light, (1, 1, 1)
    pen.box(0.36, 0.06, 0.64, 0.34, (250, 250, 250))
    pen.box(0.375, 0.085, 0.625, 0.315, _SKIES[time_of_day][0 if time_of_day != "dusk" else 1])
    pen.box(0.495, 0.085, 0.505, 0.315, (250, 250, 250))
    pen.light = light
    pen.box(0.03, 0.44, 0.24, 0.74, (226, 230, 236))
    pen.box(0.05, 0.54, 0.22, 0.7, (60, 64, 74))
    for x in (0.08, 0.19):
        pen.oval(x, 0.44, 0.035, 0.014, (40, 40, 46))
    pen.box(0.72, 0.08, 0.98, 0.28, (170, 116, 76))
    pen.box(0.848, 0.08, 0.852, 0.28, (110, 70, 44))


_BEHIND = {
    "park": _park,
    "beach": _beach,
    "desert": _desert,
    "harbour": _harbour,
    "street": _street,
    "forest": _forest,
    "mountains": _mountains,
    "kitchen": _kitchen_wall,
}
