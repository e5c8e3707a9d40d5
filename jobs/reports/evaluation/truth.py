"""The verb `eval`: an index against a ground-truth file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from jobs.answers.overlap import Span, iou
from jobs.reports.evaluation.metrics import (
    MIN_IOUS,
    Matches,
    average_precision,
    inner_boundaries,
    match_boundaries,
    match_pairs,
    mean_best_iou,
)
from jobs.reports.evaluation.tallies import Measure, Tally, f1_of, mean_of
from jobs.ui.find_video import find_video
from schemas.failures import UsageError
from schemas.truth import TrueCharacter, TrueVideo, Truth
from storage.query.catalog import Catalog
from storage.query.search import search

TOLERANCES_S = (0.5, 1.0, 2.0)
NUM_HITS = 1000  # search hits among which the asked video's first one is looked for


@dataclass
class _Judged:
    """How right one video's rows are; None and empty: the truth says nothing of it."""

    boundaries: dict[float, Matches] | None = None
    scene_iou: float | None = None
    characters: Matches | None = None
    hit_at_1: bool | None = None
    precision: float | None = None
    moment_ious: tuple[float, ...] = ()


def read_truth(file: Path) -> Truth:
    """The checked file. Raises `UsageError` naming the first thing that is wrong."""
    try:
        return Truth.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"ground truth {file}: {error.strerror}", "Check the path.") from None
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "file"
        raise UsageError(
            f"ground truth {file}, {where}: {problem['msg']}", "See docs/evaluation.md."
        ) from None


def evaluate(catalog: Catalog, truth: Truth) -> list[Measure]:
    """All measures that the truth knows something about. Raises `UsageError` for a video not in the index."""
    return [tally.measure() for tally in tally_index(catalog, truth)]


def tally_index(catalog: Catalog, truth: Truth) -> list[Tally]:
    """The measures by video, in the truth's order. Raises `UsageError` for a video not in the index."""
    return _tallies([_judge(catalog, true) for true in truth.videos])


def _judge(catalog: Catalog, true: TrueVideo) -> _Judged:
    video_id = find_video(catalog, true.uri)
    judged = _Judged()
    _judge_scenes(judged, true, _spans(catalog, "scenes", video_id))
    _judge_highlights(judged, true, _spans(catalog, "highlights", video_id, order="rank"))
    _judge_characters(judged, true, catalog, video_id)
    judged.moment_ious = tuple(_moment_ious(true, catalog, video_id))
    return judged


def _spans(catalog: Catalog, table: str, video_id: str, order: str = "start_ms") -> list[Span]:
    query = f"SELECT start_ms / 1000, end_ms / 1000 FROM {table} WHERE video_id = ? ORDER BY {order}"
    return [(start, end) for start, end in catalog.query(query, [video_id]).rows]


def _judge_scenes(judged: _Judged, true: TrueVideo, scenes: list[Span]) -> None:
    if true.scenes is None:
        return
    truth = [(s.start_s, s.end_s) for s in true.scenes]
    ours, theirs = inner_boundaries(scenes), inner_boundaries(truth)
    judged.boundaries = {t: match_boundaries(ours, theirs, t) for t in TOLERANCES_S}
    judged.scene_iou = mean_best_iou(scenes, truth)


def _judge_highlights(judged: _Judged, true: TrueVideo, ranked: list[Span]) -> None:
    if not true.highlights:
        return
    truth = [(h.start_s, h.end_s) for h in true.highlights]
    judged.hit_at_1 = bool(ranked) and any(iou(ranked[0], span) > 0 for span in truth)
    judged.precision = average_precision(ranked, truth, min_iou=0.5)


def _judge_characters(judged: _Judged, true: TrueVideo, catalog: Catalog, video_id: str) -> None:
    if true.characters is None:
        return
    query = "SELECT lower(label || ' ' || description) FROM characters WHERE video_id = ?"
    said = [str(text) for (text,) in catalog.query(query, [video_id]).rows]
    truth = true.characters

    def fits(ours: int, theirs: int) -> bool:
        return _is_character(said[ours], truth[theirs])

    judged.characters = match_pairs(fits, len(said), len(truth))


def _is_character(said: str, true: TrueCharacter) -> bool:
    return all(word.lower() in said for word in true.words)


def _moment_ious(true: TrueVideo, catalog: Catalog, video_id: str) -> Iterator[float]:
    for moment in true.moments:
        hits = search(catalog, moment.text, NUM_HITS)
        spans = (
            (hit.start_ms / 1000, hit.end_ms / 1000)
            for hit in hits
            if hit.video_id == video_id and hit.start_ms is not None and hit.end_ms is not None
        )
        best = next(spans, None)
        yield iou(best, (moment.start_s, moment.end_s)) if best else 0.0


def _tallies(judged: Sequence[_Judged]) -> list[Tally]:
    found: list[Tally] = []
    if any(one.boundaries for one in judged):
        over = f"{sum(one.boundaries is not None for one in judged)} videos"
        for tolerance_s in TOLERANCES_S:
            matches = [(one.boundaries or {}).get(tolerance_s, Matches()) for one in judged]
            found.append(_f1(f"scene boundary F1, ±{tolerance_s:g} s", matches, over))
        found.append(_mean("scene mIoU", [_given(one.scene_iou) for one in judged], over))
    characters = [one.characters or Matches() for one in judged]
    num_true, num_found = sum(m.num_true for m in characters), sum(m.num_predicted for m in characters)
    if num_true or num_found:
        found.append(_f1("character F1", characters, f"{num_true} true, {num_found} found"))
    if num_hits := sum(one.hit_at_1 is not None for one in judged):
        over = f"{num_hits} videos"
        found.append(_mean("highlight hit@1", [_given(one.hit_at_1) for one in judged], over))
        found.append(_mean("highlight mAP, IoU 0.5", [_given(one.precision) for one in judged], over))
    if num_moments := sum(len(one.moment_ious) for one in judged):
        over = f"{num_moments} moments"
        for least in MIN_IOUS:
            hits = [[float(value >= least) for value in one.moment_ious] for one in judged]
            found.append(_mean(f"grounding R@1, IoU {least}", hits, over))
        found.append(_mean("grounding mIoU", [one.moment_ious for one in judged], over))
    return found


def _given(value: float | None) -> tuple[float, ...]:
    return () if value is None else (float(value),)


def _mean(name: str, values: Sequence[Sequence[float]], over: str) -> Tally:
    return Tally(name, np.array([(sum(some), len(some)) for some in values], np.float64), mean_of, over)


def _f1(name: str, matches: Sequence[Matches], over: str) -> Tally:
    counts = [(m.num_matched, m.num_predicted, m.num_true) for m in matches]
    return Tally(name, np.array(counts, np.float64), f1_of, over)
