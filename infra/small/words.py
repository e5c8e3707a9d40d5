"""The closed world of the drawn films: what can be in one, and the words for it."""

from typing import Literal, NamedTuple

TimeOfDay = Literal["day", "dusk", "night"]
Weather = Literal["clear", "rain", "snow", "indoors"]


class Setting(NamedTuple):
    """A place: how a sentence names it, and what stands there."""

    where: str
    objects: tuple[str, ...]
    is_indoors: bool = False


class Shape(NamedTuple):
    """What a character is drawn as."""

    kind: Literal["person", "animal", "other"]


class Action(NamedTuple):
    """What everybody in a scene does. `is_shared` takes two or more."""

    title: str
    mood: str
    is_shared: bool = False


class Event(NamedTuple):
    """What makes a highlight."""

    said: str
    kind: Literal["action", "emotion", "visual"]
    reason: str
    score: int
    object: str
    is_shared: bool = False


SETTINGS = {
    "park": Setting("in the park", ("tree", "bench")),
    "beach": Setting("at the beach", ("sea", "palm")),
    "street": Setting("in the street", ("house", "lamp")),
    "forest": Setting("in the forest", ("fir", "mushroom")),
    "desert": Setting("in the desert", ("cactus", "dune")),
    "harbour": Setting("at the harbour", ("boat", "pier")),
    "mountains": Setting("in the mountains", ("peak", "hut")),
    "kitchen": Setting("in the kitchen", ("stove", "window"), is_indoors=True),
}
TIMES: dict[TimeOfDay, str] = {"day": "", "dusk": " at dusk", "night": " at night"}  # as sentences say them
WEATHERS: dict[Weather, str] = {"clear": "", "rain": " in the rain", "snow": " in the snow", "indoors": ""}
SHAPES = {
    "man": Shape("person"),
    "woman": Shape("person"),
    "cat": Shape("animal"),
    "bird": Shape("animal"),
    "robot": Shape("other"),
}
COLOURS = ("red", "blue", "yellow", "green", "purple", "white")
ACCESSORIES = ("", "hat", "balloon", "umbrella")
ACTIONS = {
    "walking": Action("Walking", "calm"),
    "jumping": Action("Jumping", "happy"),
    "dancing": Action("Dancing", "cheerful"),
    "sleeping": Action("Sleeping", "quiet"),
    "meeting": Action("Meeting", "friendly", is_shared=True),
    "chasing": Action("Chasing", "tense", is_shared=True),
}
EVENTS = {
    "explosion": Event("an explosion", "visual", "An explosion fills the picture.", 90, "fire"),
    "goal": Event("a goal", "action", "The ball is in the net.", 80, "ball"),
    "embrace": Event("an embrace", "emotion", "They hold each other.", 70, "heart", is_shared=True),
}
EVENT_MOODS = {"explosion": "dramatic", "goal": "excited", "embrace": "warm"}
