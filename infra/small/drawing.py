"""A storyboard's picture at any instant, in any size: the same code for the films and for training."""

import math
from dataclasses import dataclass
from random import Random

from backgrounds import Pen, background
from figures import draw_character, draw_event, draw_shadow, draw_sign, draw_weather
from PIL import Image
from storyboard import DISSOLVE_S, Film, Scene

_FEET, _OVER = 0.93, 0.44  # shares of the height: the ground, and a head over its feet
_MARGIN = 0.14  # of the width, kept free at both sides
_WALK_S = 1.2  # that coming and leaving take
_DIM = {
    "day": (1.0, 1.0, 1.0),
    "dusk": (0.96, 0.86, 0.84),
    "night": (0.74, 0.76, 0.86),
}  # figures stay bright


def draw_picture(film: Film, second: float, size: tuple[int, int], smooth: int = 1) -> Image.Image:
    """What is seen `second` seconds after the film's start; drawn `smooth` times larger, then reduced."""
    large = (size[0] * smooth, size[1] * smooth)
    number = film.scene_at(second)
    scene = film.scenes[number]
    picture = _draw_scene(scene, second, large)
    if number and scene.dissolves and second < scene.start_s + DISSOLVE_S / 2:
        picture = _mixed(film.scenes[number - 1], scene, picture, second, large)
    elif number + 1 < len(film.scenes):
        coming = film.scenes[number + 1]
        if coming.dissolves and second >= coming.start_s - DISSOLVE_S / 2:
            picture = _mixed(scene, coming, picture, second, large)
    return picture.reduce(smooth) if smooth > 1 else picture


def _mixed(
    before: Scene, after: Scene, drawn: Image.Image, second: float, size: tuple[int, int]
) -> Image.Image:
    """A dissolve, around the instant where one scene gives way to the next; `drawn` is one of the two."""
    share = (second - after.start_s) / DISSOLVE_S + 0.5
    other = before if second >= after.start_s else after
    also = _draw_scene(other, second, size)
    return Image.blend(also, drawn, share) if other is before else Image.blend(drawn, also, share)


def _draw_scene(scene: Scene, second: float, size: tuple[int, int]) -> Image.Image:
    picture = background(scene.setting, scene.time_of_day, scene.weather, scene.seed, size).copy()
    pen = Pen(picture, _DIM[scene.time_of_day])
    event = scene.event if scene.event and scene.event.start_s <= second < scene.event.end_s else None
    if event and event.kind == "goal":
        draw_event(Pen(picture), event.kind, event.place, second - event.start_s)
    for number, presence in enumerate(scene.cast):
        if presence.enter_s <= second < presence.leave_s:
            _draw_presence(pen, scene, number, second)
    if event and event.kind != "goal":
        draw_event(Pen(picture), event.kind, event.place, second - event.start_s)
    if scene.weather in ("rain", "snow"):
        draw_weather(Pen(picture, _DIM[scene.time_of_day]), scene.weather, second, scene.seed)
    return picture


@dataclass(frozen=True)
class Standing:
    """Where somebody is in the picture, which way they face, and how far they are into a step."""

    x: float
    feet: float
    faces: int
    phase: float


def stand(scene: Scene, number: int, second: float) -> Standing:
    """Of the `number`-th of a scene's cast, while there."""
    presence = scene.cast[number]
    draw = Random(scene.seed + number)
    tempo, start = draw.uniform(0.85, 1.15), draw.random()
    since = second - scene.start_s
    x, faces = _place(scene, number, presence.place, since, start)
    if presence.enter_s > scene.start_s and second < presence.enter_s + _WALK_S:
        x, faces = _between(-0.15, x, (second - presence.enter_s) / _WALK_S), 1
    if presence.leave_s < scene.end_s and second > presence.leave_s - _WALK_S:
        x, faces = _between(x, 1.15, (second - presence.leave_s + _WALK_S) / _WALK_S), 1
    phase = start + since * tempo * (2.2 if scene.action == "chasing" else 1.2)
    feet = _FEET + 0.02 * (number % 2)
    if scene.action == "jumping":
        feet -= 0.1 + 0.2 * abs(math.sin(math.pi * phase))
    return Standing(x, feet, faces, phase)


def _draw_presence(pen: Pen, scene: Scene, number: int, second: float) -> None:
    who, at = scene.cast[number].character, stand(scene, number, second)
    if scene.action == "jumping":
        draw_shadow(pen, at.x, _FEET + 0.01 + 0.02 * (number % 2))
    draw_character(
        pen, who.shape, who.colour, who.accessory, (at.x, at.feet), scene.action, at.phase, at.faces
    )
    if scene.action == "meeting" and number != int((second - scene.start_s) / 1.5) % len(scene.cast):
        return  # they speak in turn
    over = at.feet - _OVER - (0.1 if who.accessory else 0.03)
    draw_sign(pen, scene.action, at.x, over, second, at.faces)


def _place(scene: Scene, number: int, place: float, since: float, start: float) -> tuple[float, int]:
    """Where somebody is across the picture, and which way they face."""
    room = 1 - 2 * _MARGIN
    if scene.action == "meeting":  # from both sides to the middle
        apart = 0.26 + 0.3 * max(0.0, 1 - since / 2.5)
        offset = (number - (len(scene.cast) - 1) / 2) * apart
        return 0.5 + offset, 1 if offset < 0 else -1
    if scene.action == "chasing":  # one behind the other, to and fro
        return _to_and_fro(since * 0.32 + start_of(scene) + 0.24 * number)
    if scene.action == "walking":
        return _to_and_fro(since * 0.11 + start + place)
    return _MARGIN + room * place, 1 if start < 0.5 else -1


def start_of(scene: Scene) -> float:
    """Where a chase begins: the same for all in it."""
    return Random(scene.seed).random()


def _to_and_fro(way: float) -> tuple[float, int]:
    turn = way % 2
    share, faces = (turn, 1) if turn < 1 else (2 - turn, -1)
    return _MARGIN + (1 - 2 * _MARGIN) * share, faces


def _between(first: float, last: float, share: float) -> float:
    return first + (last - first) * min(1.0, max(0.0, share))
