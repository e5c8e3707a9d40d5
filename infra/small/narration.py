"""What is true of a film, in the words of the answers that the model gives, and as a ground-truth file.

Answers speak of the pictures that were sampled: a scene begins at the first picture that shows it. The
ground truth speaks of the film itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storyboard import Character, Film, Scene
from words import ACTIONS, COLOURS, EVENT_MOODS, EVENTS, SETTINGS, SHAPES, TIMES, WEATHERS

from jobs.prompts.stamps import tenths
from schemas.answers import CharacterAnswer, HighlightAnswer, SceneAnswer, SummaryAnswer
from schemas.truth import TrueCharacter, TrueSpan, TrueVideo


@dataclass(frozen=True)
class Seen:
    """A film as it was sampled: the pictures' times, and a window."""

    film: Film
    times_ms: tuple[int, ...]
    first_ms: int
    last_ms: int

    def pictures_ms(self) -> list[int]:
        """The pictures that answers about the window can tell from its end."""
        first, last = tenths(self.first_ms), tenths(self.last_ms)
        return [ms for ms in self.times_ms if first <= tenths(ms) < last]

    def scenes(self) -> list[tuple[Scene, int, int]]:
        """The scenes that a picture of the window shows, each from its first picture to the next one's."""
        pictures_ms = self.pictures_ms()
        numbers = [self.film.scene_at(ms / 1000) for ms in pictures_ms]
        starts = [n for n in range(len(numbers)) if not n or numbers[n] != numbers[n - 1]]
        ends_ms = [*(pictures_ms[n] for n in starts[1:]), self.last_ms]
        return [
            (self.film.scenes[numbers[n]], pictures_ms[n] if n else self.first_ms, end_ms)
            for n, end_ms in zip(starts, ends_ms, strict=True)
        ]


def summary_answer(film: Film) -> SummaryAnswer:
    """Who, where from and where to, and the best moment."""
    first, last = film.scenes[0], film.scenes[-1]
    text = f"A film about the {_listed(c.label for c in roster(film))}."
    text += f" It begins {SETTINGS[first.setting].where}{TIMES[first.time_of_day]}"
    if last is not first:
        text += f" and ends {SETTINGS[last.setting].where}{TIMES[last.time_of_day]}"
    best = max((s.event for s in film.scenes if s.event), key=lambda e: EVENTS[e.kind].score, default=None)
    text += f". Its high point is {EVENTS[best.kind].said}." if best else "."
    return SummaryAnswer(summary=text)


def roster(film: Film) -> list[Character]:
    """Everybody, in the order of their first scenes, of one scene in the order of `SHAPES`."""
    first = {p.character: n for n, s in reversed(list(enumerate(film.scenes))) for p in s.cast}
    return sorted(first, key=lambda c: (first[c], list(SHAPES).index(c.shape)))


def character_answers(film: Film) -> list[CharacterAnswer]:
    """Everybody, with what they wear."""
    return [
        CharacterAnswer(
            label=who.label,
            kind=SHAPES[who.shape].kind,
            description=f"A {who.label} {_worn(who)}.",
        )
        for who in roster(film)
    ]


def _worn(who: Character) -> str:
    if not who.accessory:
        return "with nothing"
    return f"with {'an' if who.accessory[0] in 'aeiou' else 'a'} {who.accessory}"


def scene_answers(seen: Seen) -> list[SceneAnswer]:
    """The window's scenes, without a gap."""
    order = roster(seen.film)
    return [_scene_answer(scene, start, end, order) for scene, start, end in seen.scenes()]


def _scene_answer(scene: Scene, start_ms: int, end_ms: int, order: Sequence[Character]) -> SceneAnswer:
    here = [who.label for who in order if any(p.character == who for p in scene.cast)]
    where, event = SETTINGS[scene.setting].where, scene.event
    outside = TIMES[scene.time_of_day] + WEATHERS[scene.weather]
    summary = f"The {_listed(here)} {'is' if len(here) == 1 else 'are'} {scene.action} {where}{outside}."
    if event:
        summary += f" There is {EVENTS[event.kind].said}."
    return SceneAnswer(
        start_ms=start_ms,
        end_ms=end_ms,
        title=f"{ACTIONS[scene.action].title} {where}",
        summary=summary,
        setting=scene.setting,
        time_of_day=scene.time_of_day,
        mood=EVENT_MOODS[event.kind] if event else ACTIONS[scene.action].mood,
        actions=[scene.action],
        objects=[*SETTINGS[scene.setting].objects, *([EVENTS[event.kind].object] if event else [])],
        tags=[scene.setting, scene.action, scene.weather],
        characters=here,
    )


def highlight_answers(seen: Seen) -> list[HighlightAnswer]:
    """The events that a picture of the window shows, best first, five at most."""
    found = []
    for scene, _, _ in seen.scenes():
        event, pictures_ms = scene.event, seen.pictures_ms()
        shown = [n for n, ms in enumerate(pictures_ms) if event and event.start_s <= ms / 1000 < event.end_s]
        if event and shown:
            told = EVENTS[event.kind]
            after_ms = pictures_ms[shown[-1] + 1 :]
            found.append(
                HighlightAnswer(
                    start_ms=pictures_ms[shown[0]],
                    end_ms=after_ms[0] if after_ms else seen.last_ms,
                    title=f"{event.kind.capitalize()} {SETTINGS[scene.setting].where}",
                    kind=told.kind,
                    reason=told.reason,
                    score=told.score,
                )
            )
    found.sort(key=lambda answer: (-answer.score, answer.start_ms))
    return found[:5]


def true_video(film: Film, uri: str) -> TrueVideo:
    """For `media-index eval`."""
    events = [s.event for s in film.scenes if s.event]
    return TrueVideo(
        uri=uri,
        scenes=tuple(TrueSpan(start_s=s.start_s, end_s=s.end_s) for s in film.scenes),
        characters=tuple(
            TrueCharacter(words=tuple(filter(None, (c.colour, c.shape, c.accessory)))) for c in film.cast
        ),
        highlights=tuple(TrueSpan(start_s=e.start_s, end_s=e.end_s) for e in events),
    )


def title_of(film: Film) -> str:
    """For the file's metadata: who, and where most of it plays."""
    longest = max(film.scenes, key=lambda s: s.end_s - s.start_s)
    doing = ACTIONS[longest.action].title.lower()
    return (
        f"The {_listed(p.character.label for p in longest.cast)}, {doing} {SETTINGS[longest.setting].where}"
    )


def _listed(labels: Iterable[str]) -> str:
    return " and the ".join(labels)


def every_phrase() -> set[str]:
    """All that answers are pieced together from, as it stands within a line: the tokenizer's phrases."""
    labels = {f"{colour} {shape}" for shape in SHAPES for colour in COLOURS}
    phrases = {f" {label}" for label in labels} | {
        " and the",
        " The",
        ".",
        ";",
        " is",
        " are",
        " A",
        " with nothing",
    }
    phrases |= {" A film about the", ". It begins", " and ends", ". Its high point is", " There is", " none"}
    for setting, place in SETTINGS.items():
        phrases |= {f" {setting}", f" {place.where}", *(f" {thing}" for thing in place.objects)}
    for name, action in ACTIONS.items():
        phrases |= {f" {name}", f" {action.title}", f" {action.mood}"}
    for kind, event in EVENTS.items():
        phrases |= {
            f" {kind}",
            f" {kind.capitalize()}",
            f" {event.said}",
            f" {event.object}",
            f" {event.kind}",
        }
        phrases |= {f" {event.reason.removesuffix('.')}", f" {EVENT_MOODS[kind]}", f" {event.score}"}
    phrases |= {" with a hat", " with a balloon", " with an umbrella"}
    phrases |= {f" {shape.kind}" for shape in SHAPES.values()}
    phrases |= {f" {word}" for word in (*TIMES, *WEATHERS)}
    return (phrases | set(TIMES.values()) | set(WEATHERS.values())) - {""}
