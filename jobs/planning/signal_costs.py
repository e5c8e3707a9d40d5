"""What reading signals will take: seconds of a CPU, by the length of the videos."""

from dataclasses import dataclass

import numpy as np

from jobs.planning.costs import Numbers
from jobs.planning.preflight import Preflight
from jobs.signals.known import known_signals
from jobs.signals.signal import Signal, identity_of
from storage.query.catalog import open_catalog
from storage.query.plans import PlannedVideos

# Attempts that read signals, by what their recipe was.
_TOLD = """
SELECT recipe_id, count(*), sum(video_ms) / 3.6e6, sum(signal_seconds) FROM attempts
WHERE signal_seconds > 0 AND video_ms > 0 AND plan_reason IN ('new', 'changed', 'retry')
GROUP BY recipe_id"""


@dataclass(frozen=True)
class SignalEstimate:
    """One signal of a plan. `cpu_hours` are those of one core."""

    signal: str
    num_videos: int
    video_hours: float
    cpu_hours: float
    usd: float | None
    is_rough: bool = False  # no signal has been read into this index: by what its module says


def estimate_signals(
    videos: PlannedVideos, lengths_ms: Numbers, checked: Preflight
) -> tuple[SignalEstimate, ...]:
    """Estimate each signal that a video is planned for. Unknown lengths are taken to be like others."""
    if not checked.recipe.signals:
        return ()
    pace, usd = _pace(checked), checked.settings.usd_per_cpu_hour
    wanted = [names for _, names in videos.parts]
    estimates = []
    for signal in checked.recipe.signals:
        rows = [row for row, names in enumerate(wanted) if names is None or signal.name in names]
        known_ms = lengths_ms[rows][~np.isnan(lengths_ms[rows])]
        if not len(known_ms):
            continue
        hours = float(known_ms.mean()) * len(rows) / 3_600_000
        cpu_hours = (pace or 1.0) * signal.rough_costs.seconds(len(rows), hours) / 3600
        price = None if usd is None else cpu_hours * usd
        estimates.append(SignalEstimate(signal.name, len(rows), hours, cpu_hours, price, pace is None))
    return tuple(estimates)


def _pace(checked: Preflight) -> float | None:
    """How much longer signals took here so far than their modules say; None: none has been read."""
    with open_catalog(checked.settings.index, checked.settings.endpoint_url, must_exist=False) as catalog:
        rows = catalog.query(_TOLD).rows
    told = [(_signals_of(checked, recipe_id), *numbers) for recipe_id, *numbers in rows]
    expected = sum(
        one.rough_costs.seconds(count, hours) for signals, count, hours, _ in told for one in signals
    )
    took = sum(seconds for signals, *_, seconds in told if signals)
    return float(took / expected) if expected else None


def _signals_of(checked: Preflight, recipe_id: str) -> tuple[Signal, ...]:
    """What a recipe read; nothing where one is among it that is not known, or that other weights read."""
    record = checked.index.recipe(recipe_id)
    named = {signal.name: signal for signal in known_signals()}
    asked = {signal.name: signal for signal in checked.recipe.signals}
    found = [
        named.get(name) or (asked[name] if name in asked and identity_of(asked[name]) == identity else None)
        for name, identity in (record.signals if record else {}).items()
    ]
    return () if None in found else tuple(signal for signal in found if signal is not None)
