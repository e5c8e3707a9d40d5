"""A plan as people read it."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from jobs.planning.costs.signal_costs import SignalEstimate
from jobs.planning.estimate import Estimate
from jobs.planning.plan import Plan
from jobs.settings.config import Settings
from jobs.ui.words import hours, size
from jobs.weights import Weights
from schemas.plan import MISSING, STALE, UNTOUCHED, Reason
from storage.index.index import NOT_MADE
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.picture_size import USUAL_PICTURE

# What becomes of videos that no GPU's time is planned for.
_FREE = {
    Reason.COMMITTED: "analysed before, to be published",
    Reason.MOVED: "their rows follow them",
    Reason.DUPLICATE: "they get the rows of their twins",
    Reason.UNCHANGED: "nothing to do",
    Reason.QUARANTINED: "set aside until the object is replaced, or `media-index retry`",
    Reason.ARCHIVED: "in a cold storage class: restore them first",
    Reason.TOO_COSTLY: "refused: more than --max-cost-per-video allows",
    Reason.DELETED: "gone from the library: their rows become history",
    Reason.CLAIMED: "of these, another run at work has them",
}
_BY_BACKFILL = dict.fromkeys(STALE, "--stale") | dict.fromkeys(MISSING, "--missing")


_NAMED = 5  # refused videos


def plan_lines(plan: Plan) -> Iterator[str]:
    """One line per reason, what is left out, and what is in doubt."""
    planned = plan.videos.count_reasons()
    if not plan.summary.reasons.total():
        yield "     0 videos listed, nothing to do"
    for reason in Reason:
        if count := plan.summary.reasons[reason]:
            yield f"{count:>6} {reason}  {_becomes(reason, count, planned[reason])}".rstrip()
    for refused in plan.refused[:_NAMED]:
        yield f"       refused: {refused.uri}: {refused.why}"
    if len(plan.refused) > _NAMED:
        yield f"       and {len(plan.refused) - _NAMED} more; --json names all"
    if as_of := plan.summary.listed_as_of:
        age_h = (plan.summary.created_at - as_of).total_seconds() / 3600
        yield f"       as of {as_of:%Y-%m-%d %H:%M} UTC, {age_h:.0f} h ago, by the S3 Inventory"
    if plan.summary.num_ignored:
        yield f"{plan.summary.num_ignored:>6} other objects left out by the filters (plan --show-ignored)"
    if num_links := plan.summary.num_links_out:
        noun = "link leads" if num_links == 1 else "links lead"
        yield f"{num_links:>6} {noun} out of the library, not followed (--follow-links)"
    if plan.doubt:
        yield f"       {plan.doubt}"


def model_lines(weights: Weights | None, settings: Settings) -> Iterator[str]:
    """Say how the model is asked where that is not as usual; nothing without a model."""
    if weights is None:
        return
    if weights.options:
        yield f"       asked with {', '.join(f'{key}={value}' for key, value in weights.options)}"
    if settings.fps is None and weights.config.fps is not None:
        yield f"       {weights.config.fps} pictures a second, as its files say; --fps says otherwise"
    if settings.fps is not None and (line := pace_line(weights.config, settings.fps)):
        yield f"       {line}"
    if weights.config.chat.skips_thought:
        yield "       it would think first: it is told an empty thought, and answers at once"


def pace_line(config: ModelConfig, fps: Fraction) -> str | None:
    """Say which pictures a checkpoint is shown that takes one for a second; None: all of them, once."""
    pace = config.pace(1 / fps)
    if pace.every == pace.held == 1:
        return None
    how = f"one picture of {pace.every}" if pace.every > 1 else f"each picture {pace.held} times"
    return f"it takes a picture for {config.frame_s} s: of {fps} a second it is shown {how}"


def domain_lines(plan: Plan, weights: Weights | None) -> Iterator[str]:
    """Yield what a plan cannot know: which videos the model was not made for."""
    if weights and weights.domain and any(one.tasks != () for one in plan.videos):
        yield (
            f"       those that are unlike what {weights.model_id} understands are found when they are read, "
            "and set aside for it: signals only"
        )


def no_index_lines(plan: Plan, near: Sequence[str]) -> Iterator[str]:
    """Yield a warning where there is no index: without it the whole library would be paid for once more."""
    if plan.summary.index_id == NOT_MADE:
        yield "NO INDEX THERE YET: everything is new, and the run must say --new-index"
        if near:
            yield f"       did you mean the index {' or '.join(near)}?"


def plan_json(plan: Plan, estimate: Estimate) -> dict[str, Any]:
    """A plan for machines."""
    return {
        **plan.summary.model_dump(mode="json", exclude={"recipes"}),
        "index_exists": plan.summary.index_id != NOT_MADE,
        "planned": dict(plan.videos.count_reasons()),
        "doubt": plan.doubt,
        "refused": plan.refused,
        "estimate": estimate,
    }


def estimate_lines(estimate: Estimate) -> Iterator[str]:
    """Yield what the planned videos would take, likely and at worst."""
    if not estimate.num_videos:
        return
    length = f", about {hours(estimate.video_hours)}" if estimate.video_hours is not None else ""
    noun = "video" if estimate.num_videos == 1 else "videos"
    if estimate.num_frames:
        length += f", {estimate.num_frames:,} pictures"
    yield f"{estimate.num_videos:>6} {noun} to analyse, {size(estimate.video_bytes)}{length}"
    if estimate.num_guessed:
        yield f"       the length of {estimate.num_guessed} guessed by their size, or unknown"
    if estimate.num_shapeless:
        width, height = USUAL_PICTURE
        yield f"       width and height of {estimate.num_shapeless} not known yet: taken as {width}x{height}"
    yield from map(_signal_line, estimate.signals)
    if not estimate.num_frames and estimate.signals:
        if estimate.finish_hours:
            noun = "core" if estimate.num_cpus == 1 else "cores"
            with_ = f"{estimate.num_cpus} {noun}, start-up included"
            yield f"       done in about {hours(estimate.finish_hours[0])} with {with_}"
        return
    if estimate.actor_hours is None or estimate.finish_hours is None:
        yield "       no estimate: no attempt of this model is recorded yet; try `media-index run --limit 20`"
        return
    likely, worst = estimate.actor_hours
    soon, late = estimate.finish_hours
    source = f"p50 and p90 of {estimate.num_attempts} attempts"
    yield f"       {hours(likely)} to {hours(worst)} of {estimate.device} ({source})"
    if not estimate.num_alike:
        yield "       a guess: these questions were asked in none of them; try `media-index run --limit 20`"
    if not estimate.is_decoded_alike:
        yield "       a guess: none was decoded with this --kv, --weight-bits and --model-option"
    actors = f"{estimate.num_actors} of them, start-up included"
    yield f"       done in {hours(soon)} to {hours(late)} with {actors}"
    if estimate.usd is not None:
        yield f"       {estimate.usd[0]:,.2f} to {estimate.usd[1]:,.2f} USD"


def _signal_line(one: SignalEstimate) -> str:
    """Say what one signal takes: `captions of 3 videos, 1.2 h: about 4 s of a CPU core`."""
    noun = "video" if one.num_videos == 1 else "videos"
    usd = "" if one.usd is None else f", {one.usd:,.2f} USD"
    rough = " (roughly: it was not read into this index so far)" if one.is_rough else ""
    piece = "piece" if one.num_pieces == 1 else "pieces"
    pieces = "" if one.num_pieces is None else f", some {one.num_pieces:,} {piece} of speech"
    return (
        f"       {one.signal} of {one.num_videos} {noun}, {hours(one.video_hours)}{pieces}: "
        f"about {hours(one.cpu_hours)} of a CPU core{usd}{rough}"
    )


def _becomes(reason: Reason, count: int, num_planned: int) -> str:
    if reason in _FREE:
        return _FREE[reason]
    if num_planned:
        return "" if num_planned == count else f"{num_planned} of them now"
    if reason in _BY_BACKFILL:
        return f"not now: media-index backfill {_BY_BACKFILL[reason]}"
    return "not now" if reason in UNTOUCHED else ""
