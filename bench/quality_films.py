"""Ground truth for bench/search_quality.py: drawn films like those of infra/small, only more of
them, and the rows that a model without a fault would write about them. No video is read, no model asked.

A row's truth is what its subjects have: one set of attributes per figure in it, e.g. {red, man, hat, runs,
beach, night, rain}. Attributes of two figures are never mixed.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from quality_words import ACCESSORIES, ACTIONS, COLOURS, EVENTS, SETTINGS, SHAPES, TIMES, WEATHERS, WORDS

from schemas.commit import Bundle, Commit
from schemas.identity import VideoObject
from schemas.rows import Row
from schemas.tables import Character, Highlight, Scene, Video
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index

R = TypeVar("R", bound=Row)

SCENE_MS = 5_000
_MOODS = ("calm", "cheerful", "lonely", "busy", "tense")
_SIZES = ("tall", "small", "slim", "broad")
_TIME_TOLD = 0.6  # share of scenes whose summary says the time of day, which has a column of its own

Subject = dict[str, str]  # kind of attribute -> attribute
RowKey = tuple[str, str, int | None, str]  # kind, URI, start, title: as a hit shows them


@dataclass(frozen=True)
class Truth:
    """What a row is about. A video holds the scenes of its subjects, but does not point to one."""

    key: RowKey
    subjects: tuple[Subject, ...]

    @property
    def is_video(self) -> bool:
        return self.key[0] == "videos"


def make_index(folder: Path, num_films: int) -> list[Truth]:
    """Write the films' rows into a new index; the same number gives the same rows."""
    draw = random.Random(7)
    index = open_index(str(folder), create=True)
    truths: list[Truth] = []
    pairs = []
    for number in range(num_films):
        bundle, truth = draw_film(draw, number)
        pairs.append((bundle.commit.video_id, bundle.commit.analysis_key))
        index.commit(*pairs[-1], encode_bundle(bundle))
        truths += truth
    index.publish(pairs)
    return truths


def draw_film(draw: random.Random, number: int) -> tuple[Bundle, list[Truth]]:
    """Two to four scenes of one to four figures, a highlight in about every second scene."""
    video = VideoObject(f"s3://films/{number:05}.mp4", size_bytes=1, modified_ns=0, etag=f"{number}")
    ids = {"video_id": video.video_id, "object_rev": video.object_rev, "recipe_id": "recipe"}
    ids["analysis_key"] = video.analysis_key("recipe")
    cast = _draw_cast(draw)
    shots = [_draw_shot(draw, cast) for _ in range(draw.randint(2, 4))]
    scenes = [_scene(draw, n, shot, cast) for n, shot in enumerate(shots)]
    characters = list(_characters(draw, cast, shots))
    highlights = list(_highlights(draw, shots))
    said = Video.model_construct(title=None, summary=_summary(shots), uri=video.uri)
    bundle = Bundle(
        commit=Commit.model_construct(
            _fields_set=None, **ids, uri=video.uri, content_rev=video.content_rev, state="rows"
        ),
        videos=_complete([said], ids),
        scenes=_complete(scenes, ids),
        characters=_complete(characters, ids),
        highlights=_complete(highlights, ids),
    )
    everybody = tuple(subject for shot in shots for subject in shot)
    truths = [Truth(("videos", video.uri, None, video.uri.rpartition("/")[2]), everybody)]
    for n, (scene, shot) in enumerate(zip(scenes, shots, strict=True)):
        truths.append(Truth(("scenes", video.uri, n * SCENE_MS, scene.title), tuple(shot)))
    for row, figure in zip(characters, cast, strict=True):
        truths.append(Truth(("characters", video.uri, row.first_seen_ms, row.label), (figure,)))
    for told in highlights:
        (actor,) = (s for s in shots[told.scene_index or 0] if "event" in s)
        truths.append(Truth(("highlights", video.uri, told.start_ms, told.title), (actor,)))
    return bundle, truths


def _complete(rows: Sequence[R], ids: dict[str, str]) -> tuple[R, ...]:
    """With lineage; columns that search does not read stay null."""
    return tuple(row.model_copy(update=ids) for row in rows)


def _draw_cast(draw: random.Random) -> list[Subject]:
    """One to four figures that differ in shape or colour."""
    looks = draw.sample([(colour, shape) for colour in COLOURS for shape in SHAPES], draw.randint(1, 4))
    cast: list[Subject] = [{"colour": colour, "shape": shape} for colour, shape in looks]
    for figure in cast:
        if draw.random() < 0.6:
            figure["accessory"] = draw.choice(ACCESSORIES)
    return cast


def _draw_shot(draw: random.Random, cast: list[Subject]) -> list[Subject]:
    """Everybody in it, each with an action; perhaps one of them does what makes a highlight."""
    place = {"setting": draw.choice(SETTINGS), "time": draw.choice(TIMES)}
    if place["setting"] not in ("kitchen", "library"):
        place["weather"] = draw.choice(WEATHERS)
    figures = draw.sample(cast, draw.randint(1, len(cast)))
    shot = [{**figure, "action": draw.choice(ACTIONS), **place} for figure in figures]
    if draw.random() < 0.5:
        draw.choice(shot)["event"] = draw.choice(EVENTS)
    return shot


def _scene(draw: random.Random, n: int, shot: list[Subject], cast: list[Subject]) -> Scene:
    first = shot[0]
    told: list[str] = [kind for kind in ("setting", "weather") if kind in first]
    if draw.random() < _TIME_TOLD:
        told.append("time")
    doing = [f"{_name(subject)} {WORDS[subject['action']].said}" for subject in shot]
    summary = f"{_opened(doing[0])} {_told(first, told)}"
    if doing[1:]:
        summary += f", while {' and '.join(doing[1:])}"
    for actor in (subject for subject in shot if "event" in subject):
        summary += f". Then the {actor['shape']} {WORDS[actor['event']].said}"
    titles = (
        f"{first['colour'].title()} {first['shape']} {_told(first, ['setting'])}",
        f"{_opened(WORDS[first['action']].bent)} {_told(first, ['setting'])}",
        f"{_opened(first['setting'])}, {WORDS[first['action']].bent}",
    )
    things = list(WORDS[first["setting"]].things)
    things += [subject["accessory"] for subject in shot if "accessory" in subject]
    return Scene.model_construct(
        scene_index=n,
        start_ms=n * SCENE_MS,
        end_ms=(n + 1) * SCENE_MS,
        is_grounded=True,
        title=draw.choice(titles),
        summary=f"{summary}.",
        setting=first["setting"],
        time_of_day=first["time"],
        mood=draw.choice(_MOODS),
        actions=list(dict.fromkeys(WORDS[subject["action"]].bent for subject in shot)),
        objects=list(dict.fromkeys(things)),
        tags=[first[kind] for kind in ("setting", "weather", "action") if kind in first],
        character_ids=[f"C{n}" for n, figure in enumerate(cast, start=1) if _is_in(figure, shot)],
    )


def _characters(draw: random.Random, cast: list[Subject], shots: list[list[Subject]]) -> Iterator[Character]:
    for n, figure in enumerate(cast, start=1):
        seen = [i for i, shot in enumerate(shots) if _is_in(figure, shot)]
        yield Character.model_construct(
            character_id=f"C{n}",
            label=_name(figure).removeprefix("a "),
            kind="person",
            description=f"{_opened(draw.choice(_SIZES))}, {figure['colour']} all over.",
            first_seen_ms=seen[0] * SCENE_MS if seen else None,
            last_seen_ms=(seen[-1] + 1) * SCENE_MS if seen else None,
        )


def _highlights(draw: random.Random, shots: list[list[Subject]]) -> Iterator[Highlight]:
    found = [(n, s) for n, shot in enumerate(shots) for s in shot if "event" in s]
    for rank, (n, actor) in enumerate(found, start=1):
        yield Highlight.model_construct(
            rank=rank,
            scene_index=n,
            start_ms=n * SCENE_MS + 2_000,
            end_ms=n * SCENE_MS + 4_000,
            is_grounded=True,
            title=f"The {actor['shape']} {WORDS[actor['event']].said}",
            kind="action",
            reason=f"{_opened(_name(actor))} {WORDS[actor['event']].said} {_told(actor, ['setting'])}.",
            score=draw.randrange(50, 100, 5),
        )


def _is_in(figure: Subject, shot: list[Subject]) -> bool:
    return any(figure.items() <= subject.items() for subject in shot)


def _summary(shots: list[list[Subject]]) -> str:
    """The first figure of the first scene and of the last one."""
    first, last = shots[0][0], shots[-1][0]
    begins = f"{_opened(_name(first))} {WORDS[first['action']].said} {_told(first, ['setting', 'time'])}"
    return f"{begins}; in the end {_name(last)} {WORDS[last['action']].said} {_told(last, ['setting'])}."


def _name(figure: Subject) -> str:
    """For example "a red man with a hat"."""
    look = f"a {figure['colour']} {figure['shape']}"
    return f"{look} {WORDS[figure['accessory']].said}" if "accessory" in figure else look


def _told(subject: Subject, kinds: Sequence[str]) -> str:
    return " ".join(WORDS[subject[kind]].said for kind in kinds)


def _opened(text: str) -> str:
    return text[0].upper() + text[1:]
