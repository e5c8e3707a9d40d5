"""What an index, or an answer, says of drawn films, held against their storyboards.

Boundaries count as found within one sampled picture. A scene's words are judged at the middle of each true
scene, so a missed boundary costs the words of what it hides. Average precision is summed, not interpolated:
the precision at each true highlight found, over how many are true; its mean is over films that have one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from narration import true_video
from storyboard import Film

from jobs.answers.analysis import Analysis
from jobs.answers.overlap import Span, iou
from jobs.reports.evaluation.metrics import (
    Matches,
    average_precision,
    inner_boundaries,
    match_boundaries,
    match_pairs,
)
from schemas.answers import CharacterAnswer, HighlightAnswer, SceneAnswer
from storage.query.catalog import Catalog

_TENTH = 0.051  # s, to which stamps are rounded
_MIN_IOU = 0.5  # of a highlight with a true one, to count as found by average precision


@dataclass(frozen=True)
class ToldScene:
    """A scene as it was described; times in seconds."""

    start_s: float
    end_s: float
    setting: str
    time_of_day: str
    actions: tuple[str, ...]
    characters: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """All that was said of one film; `characters` are label and description, highlights the best first."""

    scenes: tuple[ToldScene, ...]
    characters: tuple[str, ...]
    highlights: tuple[Span, ...]

    @classmethod
    def of_index(cls, catalog: Catalog, video_id: str) -> Told:
        """What the rows say."""

        def rows(query: str) -> Sequence[tuple[object, ...]]:
            return catalog.query(query, [video_id]).rows

        scenes = rows(
            "SELECT start_ms / 1000, end_ms / 1000, setting, time_of_day, actions,"
            " (SELECT list(label) FROM characters c WHERE c.video_id = s.video_id"
            " AND list_contains(s.character_ids, c.character_id))"
            " FROM scenes s WHERE video_id = ? ORDER BY start_ms"
        )
        characters = rows("SELECT lower(label || ' ' || description) FROM characters WHERE video_id = ?")
        moments = rows(
            "SELECT start_ms / 1000, end_ms / 1000 FROM highlights WHERE video_id = ? ORDER BY rank"
        )
        return cls(
            tuple(ToldScene(a, b, s, t, tuple(d or ()), tuple(c or ())) for a, b, s, t, d, c in scenes),  # type: ignore[arg-type]
            tuple(str(text) for (text,) in characters),
            tuple((a, b) for a, b in moments),  # type: ignore[misc]
        )

    @classmethod
    def of_analysis(cls, analysis: Analysis) -> Told:
        """What the model said, before boundaries move to cuts."""
        said = [record.answer for answer in analysis.answers for record in answer.records or ()]
        best_first = sorted((a for a in said if isinstance(a, HighlightAnswer)), key=lambda a: -a.score)
        return cls(
            tuple(
                ToldScene(
                    a.start_ms / 1000,
                    a.end_ms / 1000,
                    a.setting,
                    a.time_of_day,
                    tuple(a.actions),
                    tuple(a.characters),
                )
                for a in said
                if isinstance(a, SceneAnswer)
            ),
            tuple(f"{a.label} {a.description}".lower() for a in said if isinstance(a, CharacterAnswer)),
            tuple((a.start_ms / 1000, a.end_ms / 1000) for a in best_first),
        )

    def scene_at(self, second: float) -> ToldScene | None:
        return next((s for s in self.scenes if s.start_s <= second < s.end_s), None)


@dataclass
class Score:
    """Adds up over films."""

    boundaries: Matches = field(default_factory=Matches)
    characters: Matches = field(default_factory=Matches)
    appearances: Matches = field(default_factory=Matches)
    settings: list[bool] = field(default_factory=list)
    times_of_day: list[bool] = field(default_factory=list)
    actions: list[bool] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)
    precisions: list[float] = field(default_factory=list)
    silences: list[bool] = field(default_factory=list)
    num_films: int = 0

    def add(self, film: Film, told: Told, picture_s: float = 1.0) -> None:
        """Judge one film; `picture_s` lies between two pictures that were shown."""
        self.num_films += 1
        ours, theirs = _boundaries(told), [scene.start_s for scene in film.scenes[1:]]
        self.boundaries += match_boundaries(ours, theirs, picture_s + _TENTH)
        for scene in film.scenes:
            found = told.scene_at((scene.start_s + scene.end_s) / 2)
            self.settings.append(found is not None and found.setting == scene.setting)
            self.times_of_day.append(found is not None and found.time_of_day == scene.time_of_day)
            self.actions.append(found is not None and scene.action in found.actions)
            here = {p.character.label for p in scene.cast}
            named = set(found.characters) if found else set()
            self.appearances += Matches(len(here & named), len(named), len(here))
        true = true_video(film, "")
        who = true.characters or ()

        def fits(n: int, m: int) -> bool:
            return all(word in told.characters[n] for word in who[m].words)

        self.characters += match_pairs(fits, len(told.characters), len(who))
        spans = [(h.start_s, h.end_s) for h in true.highlights or ()]
        if spans:
            self.hits.append(bool(told.highlights) and any(iou(told.highlights[0], s) > 0 for s in spans))
            self.precisions.append(average_precision(told.highlights, spans, _MIN_IOU))
        else:
            self.silences.append(not told.highlights)

    def measures(self) -> dict[str, float]:
        """By name, in the order of the model card's table."""
        return {
            "scene boundary F1": self.boundaries.f1,
            "setting": _mean(self.settings),
            "time of day": _mean(self.times_of_day),
            "action": _mean(self.actions),
            "character F1": self.characters.f1,
            "characters by scene F1": self.appearances.f1,
            "highlight hit@1": _mean(self.hits),
            "highlight mAP(0.5)": _mean(self.precisions),
            "no highlight told so": _mean(self.silences),
        }


def _boundaries(told: Told) -> list[float]:
    return inner_boundaries((s.start_s, s.end_s) for s in told.scenes)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0


def table(rows: Iterable[tuple[str, Score]]) -> str:
    """In Markdown, one line a score."""
    rows = list(rows)
    names = list(Score().measures())
    lines = [f"| | films | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for name, score in rows:
        cells = [f"{value:.3f}" for value in score.measures().values()]
        lines.append(f"| {name} | {score.num_films} | {' | '.join(cells)} |")
    return "\n".join(lines)
