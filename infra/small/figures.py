"""Who and what moves in a picture: characters in their poses, weather, highlights.

A figure stands at (x, feet); its lengths are shares of its height `tall`, itself a share of the picture's.
"""

import math
from random import Random

from backgrounds import Colour, Pen

COLOURS: dict[str, Colour] = {
    "red": (226, 44, 44),
    "blue": (40, 92, 230),
    "yellow": (255, 214, 36),
    "green": (40, 190, 70),
    "purple": (160, 60, 210),
    "white": (250, 250, 250),
}
_DARK, _SKIN, _WHITE = (34, 30, 40), (242, 204, 170), (255, 255, 255)


class Body:
    """A figure's own coordinates: (0, 0) at its feet, (0, 1) at the top of its head, mirrored by `faces`."""

    def __init__(self, pen: Pen, x: float, feet: float, tall: float, squash: float, faces: int) -> None:
        self.pen, self.x, self.feet, self.tall, self.squash, self.faces = pen, x, feet, tall, squash, faces
        self._across = tall * pen.height / pen.width

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x + self.faces * x * self._across, self.feet - y * self.tall * self.squash

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self.pen.oval(*self.at(x, y), rx * self.tall, ry * self.tall * self.squash, colour)

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self.pen.polygon([self.at(*p) for p in points], colour)

    def line(self, points: list[tuple[float, float]], colour: Colour, thick: float) -> None:
        self.pen.line([self.at(*p) for p in points], colour, thick * self.tall)

    def eyes(self, y: float, apart: float, size: float, is_asleep: bool) -> None:
        for x in (-apart / 2 + 0.03, apart / 2 + 0.03):
            if is_asleep:
                self.line([(x - size, y), (x + size, y)], _DARK, 0.025)
            else:
                self.oval(x, y, size, size, _DARK)


def draw_character(
    pen: Pen,
    shape: str,
    colour: str,
    accessory: str,
    at: tuple[float, float],
    pose: str,
    phase: float,
    faces: int,
) -> None:
    """Somebody whose feet are at `at`; `phase` turns with time, one unit a step."""
    squash = {"sleeping": 0.62, "jumping": 1.05}.get(pose, 1.0)
    body = Body(pen, *at, 0.4, squash, faces)
    swing = math.sin(phase * 2 * math.pi) * (0.16 if pose in ("walking", "chasing") else 0.05)
    if pose == "dancing":
        body.x += 0.02 * math.sin(phase * 2 * math.pi)
    lift = {"jumping": 0.22, "dancing": 0.2 * math.sin(phase * 2 * math.pi)}.get(pose, -0.12)
    _SHAPES[shape](body, COLOURS[colour], swing, lift, pose == "sleeping")
    top = {"man": 1.0, "woman": 1.0, "cat": 0.78, "bird": 0.76, "robot": 0.96}[shape]
    _draw_accessory(body, accessory, top)


def _man(body: Body, ink: Colour, swing: float, lift: float, is_asleep: bool) -> None:
    for side in (-1, 1):
        body.line([(side * 0.08, 0.4), (side * 0.1 + side * swing, 0.02)], _DARK, 0.11)
        body.line([(side * 0.16, 0.66), (side * 0.36, 0.6 + lift)], ink, 0.1)
    body.polygon([(-0.2, 0.36), (0.2, 0.36), (0.22, 0.74), (-0.22, 0.74)], _DARK)
    body.polygon([(-0.17, 0.38), (0.17, 0.38), (0.19, 0.72), (-0.19, 0.72)], ink)
    body.oval(0, 0.86, 0.15, 0.15, _SKIN)
    body.eyes(0.88, 0.12, 0.025, is_asleep)


def _woman(body: Body, ink: Colour, swing: float, lift: float, is_asleep: bool) -> None:
    for side in (-1, 1):
        body.line([(side * 0.07, 0.2), (side * 0.08 + side * swing, 0.02)], _SKIN, 0.07)
        body.line([(side * 0.1, 0.64), (side * 0.32, 0.58 + lift)], _SKIN, 0.08)
    body.oval(0, 0.84, 0.2, 0.19, (110, 62, 34))
    body.polygon([(-0.2, 0.6), (-0.2, 0.86), (-0.08, 0.86), (-0.08, 0.6)], (110, 62, 34))
    body.polygon([(-0.36, 0.14), (0.36, 0.14), (0.08, 0.75), (-0.08, 0.75)], _DARK)
    body.polygon([(-0.31, 0.16), (0.31, 0.16), (0.07, 0.72), (-0.07, 0.72)], ink)
    body.oval(0.03, 0.85, 0.14, 0.14, _SKIN)
    body.eyes(0.87, 0.12, 0.025, is_asleep)


def _cat(body: Body, ink: Colour, swing: float, lift: float, is_asleep: bool) -> None:
    body.line([(-0.34, 0.22), (-0.52, 0.4 + lift / 2), (-0.46, 0.56 + lift)], ink, 0.08)
    for x in (-0.24, -0.08, 0.1, 0.26):
        body.line([(x, 0.18), (x + swing * (1 if x > 0 else -1), 0.02)], ink, 0.09)
    body.oval(0, 0.27, 0.4, 0.19, _DARK)
    body.oval(0, 0.27, 0.38, 0.17, ink)
    for x in (0.2, 0.44):
        body.polygon([(x - 0.09, 0.6), (x, 0.8), (x + 0.09, 0.6)], _DARK)
        body.polygon([(x - 0.06, 0.6), (x, 0.75), (x + 0.06, 0.6)], ink)
    body.oval(0.32, 0.52, 0.22, 0.19, _DARK)
    body.oval(0.32, 0.52, 0.2, 0.17, ink)
    body.x += body.faces * 0.32 * body._across
    body.eyes(0.55, 0.16, 0.03, is_asleep)
    body.oval(0.05, 0.48, 0.025, 0.018, (255, 150, 160))
    body.x -= body.faces * 0.32 * body._across


def _bird(body: Body, ink: Colour, swing: float, lift: float, is_asleep: bool) -> None:
    orange = (255, 146, 40)
    for side in (-1, 1):
        body.line([(side * 0.08, 0.16), (side * 0.08 + side * swing, 0.02)], orange, 0.05)
    body.polygon([(-0.5, 0.5), (-0.28, 0.3), (-0.28, 0.46)], ink)
    body.oval(0, 0.38, 0.34, 0.27, _DARK)
    body.oval(0, 0.38, 0.32, 0.25, ink)
    body.polygon([(-0.22, 0.4), (0.12, 0.4), (-0.26, 0.5 + 1.1 * lift)], _DARK)
    body.polygon([(-0.19, 0.41), (0.08, 0.41), (-0.23, 0.49 + 1.0 * lift)], ink)
    body.oval(0.2, 0.62, 0.17, 0.16, _DARK)
    body.oval(0.2, 0.62, 0.15, 0.14, ink)
    body.polygon([(0.33, 0.66), (0.56, 0.6), (0.33, 0.55)], orange)
    body.oval(0.24, 0.66, 0.05, 0.05, _WHITE)
    body.oval(0.25, 0.66, 0.03, 0.006 if is_asleep else 0.03, _DARK)


def _robot(body: Body, ink: Colour, swing: float, lift: float, is_asleep: bool) -> None:
    grey = (120, 126, 138)
    for side in (-1, 1):
        body.line([(side * 0.13, 0.2), (side * 0.13 + side * swing / 2, 0.03)], grey, 0.13)
        body.line([(side * 0.26, 0.48), (side * 0.44, 0.42 + lift)], grey, 0.09)
    body.polygon([(-0.3, 0.14), (0.3, 0.14), (0.3, 0.58), (-0.3, 0.58)], _DARK)
    body.polygon([(-0.27, 0.17), (0.27, 0.17), (0.27, 0.55), (-0.27, 0.55)], ink)
    body.polygon([(-0.24, 0.6), (0.24, 0.6), (0.24, 0.9), (-0.24, 0.9)], _DARK)
    body.polygon([(-0.21, 0.63), (0.21, 0.63), (0.21, 0.87), (-0.21, 0.87)], ink)
    body.polygon([(-0.15, 0.7), (0.15, 0.7), (0.15, 0.82), (-0.15, 0.82)], (20, 24, 34))
    if not is_asleep:
        for x in (-0.07, 0.07):
            body.oval(x, 0.76, 0.035, 0.035, (120, 255, 220))
    body.line([(0, 0.9), (0, 1.0)], grey, 0.03)
    body.oval(0, 1.0, 0.04, 0.04, (255, 80, 80))
    body.oval(0, 0.36, 0.09, 0.09, grey)


_SHAPES = {"man": _man, "woman": _woman, "cat": _cat, "bird": _bird, "robot": _robot}


def _draw_accessory(body: Body, accessory: str, top: float) -> None:
    head = {0.78: 0.32, 0.76: 0.2}.get(top, 0.0)
    if accessory == "hat":
        body.polygon(
            [(head - 0.24, top), (head + 0.24, top), (head + 0.24, top - 0.06), (head - 0.24, top - 0.06)],
            _DARK,
        )
        body.polygon(
            [(head - 0.14, top), (head + 0.14, top), (head + 0.12, top + 0.2), (head - 0.12, top + 0.2)],
            _DARK,
        )
        body.polygon(
            [(head - 0.14, top), (head + 0.14, top), (head + 0.14, top + 0.05), (head - 0.14, top + 0.05)],
            (255, 120, 170),
        )
    elif accessory == "balloon":
        body.line([(-0.34, 0.5), (-0.42, 1.02)], _WHITE, 0.02)
        body.oval(-0.42, 1.18, 0.15, 0.18, (255, 120, 190))
        body.oval(-0.46, 1.24, 0.03, 0.04, (255, 220, 240))
    elif accessory == "umbrella":
        body.line([(0.36, 0.5), (0.36, 1.2)], (90, 60, 40), 0.03)
        arc = [
            (0.36 + 0.36 * math.cos(a), 1.08 + 0.24 * math.sin(a))
            for a in (n * math.pi / 8 for n in range(9))
        ]
        body.polygon(arc, (30, 170, 170))
        body.polygon([(0.24, 1.08), (0.48, 1.08), (0.36, 1.32)], (240, 250, 250))


# --- signs of what somebody does --------------------------------------------------------------------------


def draw_sign(pen: Pen, pose: str, x: float, y: float, second: float, faces: int) -> None:
    """What comics draw beside a figure: notes, Zs, lines of speed, a word. (x, y) is over the head."""
    if pose == "sleeping":
        for n in range(3):
            size, zx, zy = 0.035 + 0.012 * n, x + 0.03 * n, y - 0.07 * n + 0.008 * math.sin(3 * second + n)
            across = size * pen.height / pen.width
            pen.line([(zx, zy), (zx + across, zy), (zx, zy + size), (zx + across, zy + size)], _WHITE, 0.014)
    elif pose == "dancing":
        for n, side in enumerate((-0.05, 0.05)):
            nx, ny = x + side, y + 0.03 * math.sin(4 * second + 2 * n)
            pen.oval(nx, ny, 0.024, 0.018, _DARK)
            pen.line([(nx + 0.011, ny), (nx + 0.011, ny - 0.085), (nx + 0.03, ny - 0.06)], _DARK, 0.014)
    elif pose == "chasing":
        for n in range(4):
            ly = y + 0.1 + 0.075 * n
            start = x - faces * (0.11 + 0.02 * ((n + int(second * 6)) % 2))
            pen.line([(start, ly), (start - faces * 0.08, ly)], _WHITE, 0.014)
    elif pose == "meeting":
        pen.oval(x, y, 0.085, 0.055, _WHITE)
        pen.polygon([(x - 0.015, y + 0.04), (x + 0.015, y + 0.04), (x, y + 0.1)], _WHITE)
        for n in (-1, 0, 1):
            pen.oval(x + 0.022 * n, y, 0.011, 0.011, _DARK)


def draw_shadow(pen: Pen, x: float, feet: float) -> None:
    """On the ground under somebody who jumps."""
    pen.oval(x, feet, 0.1, 0.016, (60, 60, 60))


def draw_weather(pen: Pen, weather: str, second: float, seed: int) -> None:
    """Falling rain or snow."""
    draw = Random(seed)
    for _ in range(70 if weather == "rain" else 60):
        x, y, speed = draw.random(), draw.random(), draw.uniform(0.8, 1.2)
        if weather == "rain":
            fall = (y + second * 1.6 * speed) % 1.1 - 0.05
            pen.line([(x, fall), (x - 0.008, fall + 0.06)], (176, 200, 236), 0.007)
        else:
            fall = (y + second * 0.22 * speed) % 1.1 - 0.05
            pen.oval(x + 0.015 * math.sin(second + 9 * y), fall, 0.012, 0.012, _WHITE)


def draw_event(pen: Pen, kind: str, x: float, second: float) -> None:
    """The highlight, `second` seconds after it began."""
    grown = min(1.0, 0.35 + second * 2)
    pulse = grown * (1 + 0.08 * math.sin(second * 9))
    if kind == "explosion":
        for reach, colour in ((0.46, (255, 90, 20)), (0.33, (255, 170, 30)), (0.19, (255, 244, 170))):
            pen.polygon(_star(pen, x, 0.48, reach * pulse, 11, second), colour)
    elif kind == "goal":
        frame = (246, 246, 250)
        left, right = x - 0.19, x + 0.19
        for n in range(9):
            nx = left + (right - left) * n / 8
            pen.line([(nx, 0.36), (nx, 0.8)], (196, 200, 208), 0.006)
        for n in range(6):
            pen.line([(left, 0.36 + n * 0.088), (right, 0.36 + n * 0.088)], (196, 200, 208), 0.006)
        pen.line([(left, 0.8), (left, 0.36), (right, 0.36), (right, 0.8)], frame, 0.03)
        bx, by = x - 0.04 + 0.02 * math.sin(3 * second), 0.6
        pen.oval(bx, by, 0.095 * grown, 0.095 * grown, _DARK)
        pen.oval(bx, by, 0.085 * grown, 0.085 * grown, _WHITE)
        for a in range(5):
            angle = a * 2 * math.pi / 5 + second
            dx = 0.055 * math.cos(angle) * pen.height / pen.width
            pen.oval(bx + dx * grown, by + 0.055 * math.sin(angle) * grown, 0.018, 0.018, _DARK)
    else:
        size = 0.2 * pulse
        across = size * pen.height / pen.width
        for side in (-1, 1):
            pen.oval(x + side * across * 0.5, 0.26, size * 0.58, size * 0.56, (240, 40, 90))
        pen.polygon(
            [(x - across * 1.02, 0.3), (x + across * 1.02, 0.3), (x, 0.3 + size * 1.15)], (240, 40, 90)
        )


def _star(pen: Pen, x: float, y: float, reach: float, points: int, turn: float) -> list[tuple[float, float]]:
    corners = []
    for n in range(2 * points):
        angle = math.pi * n / points + 0.3 * turn
        radius = reach * (1 if n % 2 else 0.62)
        corners.append((x + radius * math.cos(angle) * pen.height / pen.width, y + radius * math.sin(angle)))
    return corners
