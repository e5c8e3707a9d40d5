"""What happens in a drawn film, as pure data drawn from a seed. Times are seconds from the film's start.

Nobody is drawn or encoded here: `drawing` makes pictures of a storyboard, `narration` the words that are true
of it.
"""

import random
from dataclasses import dataclass
from typing import Literal

from words import ACCESSORIES, ACTIONS, COLOURS, EVENTS, SETTINGS, SHAPES, TIMES, TimeOfDay, Weather

Part = Literal["train", "validation", "test"]
# A film's number within its part is added, so no film of one part is ever one of another.
FIRST_SEED: dict[Part, int] = {"train": 0, "validation": 1_000_000_000, "test": 2_000_000_000}

LONGEST_S = 600.0
SHORTEST_SCENE_S = 4.0
DISSOLVE_S = 0.8
EVENT_S = (3.2, 4.5)  # seen in three sampled pictures at least, at one a second
_STAY_S = 3.2  # that somebody who comes late or leaves early is seen at least


@dataclass(frozen=True)
class Character:
    """Somebody; no two of a film have the same shape or colour."""

    shape: str
    colour: str
    accessory: str  # or ""

    @property
    def label(self) -> str:
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Presence:
    """A character in a scene, from when to when, and where in the picture it keeps (share of the width)."""

    character: Character
    enter_s: float
    leave_s: float
    place: float


@dataclass(frozen=True)
class Event:
    """A highlight: explosion, goal or embrace."""

    kind: str
    start_s: float
    end_s: float
    place: float


@dataclass(frozen=True)
class Scene:
    """One shot: a place, and what everybody there does. `dissolves` says how it opens."""

    start_s: float
    end_s: float
    setting: str
    time_of_day: TimeOfDay
    weather: Weather
    action: str
    cast: tuple[Presence, ...]
    event: Event | None
    dissolves: bool
    seed: int  # of details that no word speaks of


@dataclass(frozen=True)
class Film:
    """Scenes without gap. Neighbouring scenes play in different settings."""

    seed: int
    cast: tuple[Character, ...]
    scenes: tuple[Scene, ...]

    @property
    def duration_s(self) -> float:
        return self.scenes[-1].end_s

    def scene_at(self, second: float) -> int:
        """The number of the scene at an instant; the last one's at the end and beyond."""
        return next((n for n, s in enumerate(self.scenes) if second < s.end_s), len(self.scenes) - 1)


def draw_film(part: Part, number: int, duration_s: float | None = None) -> Film:
    """The film of that number; the same for ever. Without a duration mostly short, now and then minutes."""
    seed = FIRST_SEED[part] + number
    draw = random.Random(seed)
    lengths = _draw_lengths(draw, duration_s or _draw_duration(draw))
    cast = _draw_cast(draw, len(lengths))
    scenes: list[Scene] = []
    start = 0.0
    for length in lengths:
        end = round(start + length, 2)
        scenes.append(_draw_scene(draw, cast, scenes, start, end))
        start = end
    appearing = {p.character for scene in scenes for p in scene.cast}
    return Film(seed, tuple(c for c in cast if c in appearing), tuple(scenes))


def _draw_duration(draw: random.Random) -> float:
    share = draw.random()
    if share < 0.8:
        return draw.uniform(10, 40)
    return draw.uniform(40, 100) if share < 0.97 else draw.uniform(100, LONGEST_S)


def _draw_lengths(draw: random.Random, duration_s: float) -> list[float]:
    """Of the scenes: about ten seconds each, in a short film less."""
    if duration_s < 20:
        number = draw.randint(1, max(1, min(4, int(duration_s / (SHORTEST_SCENE_S + 1)))))
    else:
        number = max(2, round(duration_s / draw.uniform(8.6, 12)))
    weights = [draw.uniform(0.7, 1.3) for _ in range(number)]
    lengths = [max(SHORTEST_SCENE_S, duration_s * w / sum(weights)) for w in weights]
    return [round(length, 2) for length in lengths]


def _draw_cast(draw: random.Random, num_scenes: int) -> list[Character]:
    most = min(4, 1 + num_scenes)
    number = draw.randint(1, most)
    shapes, colours = draw.sample(list(SHAPES), number), draw.sample(COLOURS, number)
    return [Character(s, c, draw.choice(ACCESSORIES)) for s, c in zip(shapes, colours, strict=True)]


def _draw_scene(
    draw: random.Random, cast: list[Character], before: list[Scene], start_s: float, end_s: float
) -> Scene:
    setting = draw.choice([s for s in SETTINGS if not before or s != before[-1].setting])
    weathers: list[Weather] = ["clear", "clear", "rain", "snow"]
    weather: Weather = "indoors" if SETTINGS[setting].is_indoors else draw.choice(weathers)
    here = draw.sample(cast, draw.randint(1, min(3, len(cast))))
    action = draw.choice([a for a, told in ACTIONS.items() if len(here) > 1 or not told.is_shared])
    places = [(n + 0.5) / len(here) for n in range(len(here))]
    presences = tuple(
        _draw_presence(draw, who, start_s, end_s, place, ACTIONS[action].is_shared)
        for who, place in zip(here, places, strict=True)
    )
    event = None
    if draw.random() < 0.22 and end_s - start_s > EVENT_S[1] + 1.5:
        event = _draw_event(draw, start_s, end_s, len(here) > 1)
    return Scene(
        start_s=start_s,
        end_s=end_s,
        setting=setting,
        time_of_day=draw.choice(list(TIMES)),
        weather=weather,
        action=action,
        cast=presences,
        event=event,
        dissolves=bool(before) and draw.random() < 0.25,
        seed=draw.randrange(2**31),
    )


def _draw_presence(
    draw: random.Random, who: Character, start_s: float, end_s: float, place: float, stays: bool
) -> Presence:
    """Most are there for the whole scene; some come late, some leave early."""
    enter, leave, spare = start_s, end_s, end_s - start_s - 2 * _STAY_S
    share = draw.random()
    if spare > 0 and not stays:
        if share < 0.2:
            enter += draw.uniform(1, 1 + spare / 2)
        elif share < 0.4:
            leave -= draw.uniform(1, 1 + spare / 2)
    return Presence(who, round(enter, 2), round(leave, 2), place)


def _draw_event(draw: random.Random, start_s: float, end_s: float, has_several: bool) -> Event:
    kind = draw.choice([kind for kind, told in EVENTS.items() if has_several or not told.is_shared])
    length = draw.uniform(*EVENT_S)
    begin = draw.uniform(start_s + 0.6, end_s - length - 0.6)
    return Event(kind, round(begin, 2), round(begin + length, 2), draw.uniform(0.3, 0.7))
