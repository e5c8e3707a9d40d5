"""What a plan will take: by frames and tokens, from what attempts and runs so far took."""

from dataclasses import dataclass, replace

import numpy as np

from jobs.planning.costs.expected import expect
from jobs.planning.costs.lengths import Lengths
from jobs.planning.costs.signal_costs import SignalEstimate, estimate_signals
from jobs.planning.costs.signal_runs import read_signal_runs
from jobs.planning.plan import Plan
from jobs.planning.preflight import Preflight
from storage.query.catalog import open_catalog

Range = tuple[float, float]  # likely, and at worst: if each video took what one in ten does


@dataclass(frozen=True)
class Estimate:
    """The expected cost of a plan; None where nothing is known yet. Hours of an actor are those of all its
    GPUs, or of a CPU without."""

    num_videos: int
    video_bytes: int
    video_hours: float | None = None
    num_frames: int | None = None  # pictures that the model would see
    num_headers: int = 0  # read for it
    num_guessed: int = 0  # videos whose length is guessed by their size, or not known at all
    num_shapeless: int = 0  # videos whose width and height are not known, where these matter
    num_output_tokens: int | None = None  # that the model would write
    num_attempts: int = 0
    num_alike: int = 0  # of them: asked the same questions
    is_decoded_alike: bool = True  # none of them with another `--kv`, `--weight-bits` or `--model-option`
    device: str | None = None
    num_actors: int = 1
    actor_hours: Range | None = None
    finish_hours: Range | None = (
        None  # wall time from the command to its end; twice the likely without a model
    )
    num_cpus: int | None = None  # that read signals, where no model is asked
    usd: Range | None = None
    signals: tuple[SignalEstimate, ...] = ()


def estimate_of(plan: Plan, checked: Preflight) -> Estimate:
    """Estimate by the attempts that the index has recorded. Unknown lengths are taken to be like others."""
    base = Estimate(plan.summary.num_videos, plan.summary.video_bytes)
    if not len(plan.videos):
        return base
    expected = expect(plan.videos, checked, reads_headers=True)
    is_known = ~np.isnan(expected.lengths.ms)
    if not is_known.any():
        return base
    share = len(is_known) / is_known.sum()
    base = replace(
        _with_signals(base, plan, expected.lengths, checked),
        video_hours=float(expected.lengths.ms[is_known].sum() * share / 3_600_000),
        num_frames=round(float(expected.frames[is_known].sum() * share)),
        num_headers=expected.lengths.num_headers,
        num_guessed=int((~expected.lengths.is_certain).sum()),
        num_shapeless=int((~expected.shapes.is_known).sum()) if expected.shapes else 0,
    )
    if expected.history is None or expected.actor_s is None or expected.tokens is None:
        return base
    num_actors = checked.settings.num_models or expected.history.num_actors
    actor_s = expected.actor_s[is_known]
    likely, worst = (float(actor_s.sum() * share) * factor for factor in (1.0, expected.history.costs.worst))
    soon, late = (
        expected.history.idle_s + max(seconds / num_actors, float(actor_s.max()))
        for seconds in (likely, worst)
    )
    usd = checked.settings.usd_per_actor_hour
    return replace(
        base,
        num_output_tokens=round(float(expected.tokens[is_known].sum() * share)),
        num_attempts=expected.history.num_attempts,
        num_alike=expected.history.num_alike,
        is_decoded_alike=expected.history.is_decoded_alike,
        device=expected.history.device,
        num_actors=num_actors,
        actor_hours=(likely / 3600, worst / 3600),
        finish_hours=(soon / 3600, late / 3600),
        usd=None if usd is None else (likely / 3600 * usd, worst / 3600 * usd),
    )


def _with_signals(base: Estimate, plan: Plan, lengths: Lengths, checked: Preflight) -> Estimate:
    """Add what the signals take, and by when a run of them alone is done where there was one before."""
    with open_catalog(checked.settings.index, checked.settings.endpoint_url, must_exist=False) as catalog:
        signals = estimate_signals(plan.videos, lengths, checked, catalog)
        runs = None if checked.weights else read_signal_runs(catalog)
    if runs is None or not signals:
        return replace(base, signals=signals)
    signals_s = sum(one.cpu_hours for one in signals) * 3600
    done = runs.wall_s(base.num_videos, signals_s, signals_s * _largest_share(lengths)) / 3600
    return replace(base, signals=signals, finish_hours=(done, done), num_cpus=runs.num_cpus)


def _largest_share(lengths: Lengths) -> float:
    """The share of the video with most to see, else of the longest, in what is known of all of them."""
    seen = lengths.megapixels if np.isfinite(lengths.megapixels).any() else lengths.ms
    return float(np.nanmax(seen) / len(seen) / np.nanmean(seen))
