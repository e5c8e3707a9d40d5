"""The verb `eval`: an index against a ground-truth file."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from jobs.answers.overlap import Span, iou
from jobs.reports.evaluation.metrics import (
    Matches,
    average_precision,
    inner_boundaries,
    match_boundaries,
    match_pairs,
    mean_best_iou,
)
from jobs.ui.find_video import find_video
from schemas.failures import UsageError
from schemas.truth import TrueCharacter, TrueVideo, Truth
from storage.query.catalog import Catalog
from storage.query.search import search

TOLERANCES_S = (0.5, 1.0, 2.0)
MIN_IOUS = (0.3, 0.5, 0.7)
NUM_HITS = 1000  # search hits among which the asked video's first one is looked for


@dataclass(frozen=True)
class Measure:
    """One line of the report. `over` counts what the value was averaged over."""

    name: str
    value: float
    over: str


@dataclass
class _Sums:
    """What adds up over videos."""

    boundaries: dict[float, Matches] = field(default_factory=lambda: dict.fromkeys(TOLERANCES_S, Matches()))
    characters: Matches = field(default_factory=Matches)
    scene_ious: list[float] = field(default_factory=list)
    hits_at_1: list[bool] = field(default_factory=list)
    precisions: list[float] = field(default_factory=list)
    moment_ious: list[float] = field(default_factory=list)


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
    sums = _Sums()
    for true in truth.videos:
        video_id = find_video(catalog, true.uri)
        _judge_scenes(sums, true, _spans(catalog, "scenes", video_id))
        _judge_highlights(sums, true, _spans(catalog, "highlights", video_id, order="rank"))
        _judge_characters(sums, true, catalog, video_id)
        _judge_moments(sums, true, catalog, video_id)
    return _measures(sums)


def _spans(catalog: Catalog, table: str, video_id: str, order: str = "start_ms") -> list[Span]:
    query = f"SELECT start_ms / 1000, end_ms / 1000 FROM {table} WHERE video_id = ? ORDER BY {order}"
    return [(start, end) for start, end in catalog.query(query, [video_id]).rows]


def _judge_scenes(sums: _Sums, true: TrueVideo, scenes: list[Span]) -> None:
    if true.scenes is None:
        return
    truth = [(s.start_s, s.end_s) for s in true.scenes]
    for tolerance_s in TOLERANCES_S:
        matches = match_boundaries(inner_boundaries(scenes), inner_boundaries(truth), tolerance_s)
        sums.boundaries[tolerance_s] += matches
    sums.scene_ious.append(mean_best_iou(scenes, truth))


def _judge_highlights(sums: _Sums, true: TrueVideo, ranked: list[Span]) -> None:
    if not true.highlights:
        return
    truth = [(h.start_s, h.end_s) for h in true.highlights]
    sums.hits_at_1.append(bool(ranked) and any(iou(ranked[0], span) > 0 for span in truth))
    sums.precisions.append(average_precision(ranked, truth, min_iou=0.5))


def _judge_characters(sums: _Sums, true: TrueVideo, catalog: Catalog, video_id: str) -> None:
    if true.characters is None:
        return
    query = "SELECT lower(label || ' ' || description) FROM characters WHERE video_id = ?"
    said = [str(text) for (text,) in catalog.query(query, [video_id]).rows]
    truth = true.characters

    def fits(ours: int, theirs: int) -> bool:
        return _is_character(said[ours], truth[theirs])

    sums.characters += match_pairs(fits, len(said), len(truth))


def _is_character(said: str, true: TrueCharacter) -> bool:
    return all(word.lower() in said for word in true.words)


def _judge_moments(sums: _Sums, true: TrueVideo, catalog: Catalog, video_id: str) -> None:
    for moment in true.moments:
        hits = search(catalog, moment.text, NUM_HITS)
        spans = (
            (hit.start_ms / 1000, hit.end_ms / 1000)
            for hit in hits
            if hit.video_id == video_id and hit.start_ms is not None and hit.end_ms is not None
        )
        best = next(spans, None)
        sums.moment_ious.append(iou(best, (moment.start_s, moment.end_s)) if best else 0.0)


def _measures(sums: _Sums) -> list[Measure]:
    measures = []
    if sums.scene_ious:
        over = f"{len(sums.scene_ious)} videos"
        for tolerance_s, matches in sums.boundaries.items():
            measures.append(Measure(f"scene boundary F1, ±{tolerance_s:g} s", matches.f1, over))
        measures.append(Measure("scene mIoU", _mean(sums.scene_ious), over))
    if sums.characters.num_true or sums.characters.num_predicted:
        over = f"{sums.characters.num_true} true, {sums.characters.num_predicted} found"
        measures.append(Measure("character F1", sums.characters.f1, over))
    if sums.hits_at_1:
        over = f"{len(sums.hits_at_1)} videos"
        measures.append(Measure("highlight hit@1", _mean(sums.hits_at_1), over))
        measures.append(Measure("highlight mAP, IoU 0.5", _mean(sums.precisions), over))
    if sums.moment_ious:
        over = f"{len(sums.moment_ious)} moments"
        for least in MIN_IOUS:
            hits = [value >= least for value in sums.moment_ious]
            measures.append(Measure(f"grounding R@1, IoU {least}", _mean(hits), over))
        measures.append(Measure("grounding mIoU", _mean(sums.moment_ious), over))
    return measures


def _mean(values: list[float] | list[bool]) -> float:
    return sum(values) / len(values)
