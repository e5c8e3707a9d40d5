"""What reading signals will take: seconds of a CPU, by the length of the videos and what is said in them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jobs.planning.costs import Numbers
from jobs.planning.preflight import Preflight
from jobs.signals.signal import USUAL_TALK, Costs, Signal, Talk, identity_of
from schemas.recipe import RecipeRecord
from storage.query.catalog import Catalog, open_catalog
from storage.query.plans import PlannedVideos

# What attempts took, signal by signal.
_TOLD = """
SELECT recipe_id, one.signal, count(*), sum(video_ms) / 3.6e6, sum(one.seconds)
FROM (SELECT recipe_id, video_ms, unnest(signals) AS one FROM attempts WHERE video_ms > 0)
GROUP BY recipe_id, one.signal"""
# Videos that were listened to, whatever heard them.
_HEARD = """
SELECT count(*), coalesce(sum(duration_ms) / 3.6e6, 0), coalesce(sum(num_pieces), 0)
FROM speech_tracks JOIN videos USING (video_id)"""


@dataclass(frozen=True)
class SignalEstimate:
    """One signal of a plan. `cpu_hours` are those of one core; `num_pieces` those of speech that it hears."""

    signal: str
    num_videos: int
    video_hours: float
    cpu_hours: float
    usd: float | None
    is_rough: bool = False  # it has not been read into this index: by what its module says
    num_pieces: int | None = None  # None: it hears nothing


@dataclass(frozen=True)
class _History:
    """What the index tells: how much is said, and how much longer signals took than their modules say."""

    talk: Talk
    paces: Mapping[str, float]  # by identity


def estimate_signals(
    videos: PlannedVideos, lengths_ms: Numbers, checked: Preflight
) -> tuple[SignalEstimate, ...]:
    """For each signal that any of the videos is planned for. Unknown lengths are taken to be like others."""
    if not checked.recipe.signals:
        return ()
    with open_catalog(checked.settings.index, checked.settings.endpoint_url, must_exist=False) as catalog:
        history = _history(catalog, checked.recipe.signals, checked.index.recipe)
    wanted = [names for _, names in videos.parts]
    estimates = []
    for signal in checked.recipe.signals:
        rows = [row for row, names in enumerate(wanted) if names is None or signal.name in names]
        known_ms = lengths_ms[rows][~np.isnan(lengths_ms[rows])]
        if len(known_ms):
            hours = float(known_ms.mean()) * len(rows) / 3_600_000
            estimates.append(_estimate(signal, len(rows), hours, history, checked.settings.usd_per_cpu_hour))
    return tuple(estimates)


def _estimate(
    signal: Signal, num_videos: int, hours: float, history: _History, usd: float | None
) -> SignalEstimate:
    costs, pace = signal.rough_costs, history.paces.get(identity_of(signal))
    cpu_hours = (pace or 1.0) * costs.seconds(num_videos, hours, history.talk) / 3600
    return SignalEstimate(
        signal.name,
        num_videos,
        hours,
        cpu_hours,
        None if usd is None else cpu_hours * usd,
        pace is None,
        round(history.talk.pieces(num_videos, hours)) if costs.piece_s else None,
    )


def _history(
    catalog: Catalog, signals: tuple[Signal, ...], recipe: Callable[[str], RecipeRecord | None]
) -> _History:
    talk = _talk(catalog)
    costs = {identity_of(signal): signal.rough_costs for signal in signals}
    return _History(talk, _paces(catalog, costs, talk, recipe))


def _talk(catalog: Catalog) -> Talk:
    """As in the videos that were listened to; the usual one where there are none."""
    ((count, hours, pieces),) = catalog.query(_HEARD).rows
    usual = USUAL_TALK.pieces(count, hours)
    return USUAL_TALK.times(float(pieces) / usual) if usual else USUAL_TALK


def _paces(
    catalog: Catalog,
    costs: Mapping[str, Costs],
    talk: Talk,
    recipe: Callable[[str], RecipeRecord | None],
) -> dict[str, float]:
    """Of the signals that have been read as they are now."""
    took: defaultdict[str, float] = defaultdict(float)
    expected: defaultdict[str, float] = defaultdict(float)
    for recipe_id, name, count, hours, seconds in catalog.query(_TOLD).rows:
        record = recipe(recipe_id)
        identity = record.signals.get(name, "") if record else ""
        if identity in costs:
            took[identity] += seconds
            expected[identity] += costs[identity].seconds(count, hours, talk)
    return {identity: took[identity] / seconds for identity, seconds in expected.items() if seconds > 0}
