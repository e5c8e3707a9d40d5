"""What reading signals will take: seconds of a CPU, by the length of the videos and what is said in them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.planning.costs.lengths import Lengths
from jobs.planning.preflight import Preflight
from jobs.signals.signal import USUAL_LOOK, USUAL_TALK, Look, Signal, Talk, WatchingSignal, identity_of
from jobs.signals.watching import PASS_COSTS, own_share, shares_of
from schemas.recipe import RecipeRecord
from storage.query.catalog import Catalog
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

# How much there is to see and hear in a second of the videos that are known.
_LOOK = """
SELECT sum(ms * fps) / sum(ms), sum(ms * fps * pixels) / sum(ms) / 1e6, sum(ms * least(1, fps)) / sum(ms),
    sum(CASE WHEN len(audio_codecs) > 0 THEN ms ELSE 0 END) / sum(ms)
FROM (
    SELECT duration_ms AS ms, fps_num / fps_den AS fps, width * height AS pixels, audio_codecs
    FROM videos WHERE fps_den > 0
)"""


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
    """What the index tells: how much is said and seen, how much longer signals took than they say."""

    talk: Talk
    look: Look
    paces: Mapping[str, float]  # by identity


def estimate_signals(
    videos: PlannedVideos, lengths: Lengths, checked: Preflight, catalog: Catalog
) -> tuple[SignalEstimate, ...]:
    """Estimate each signal that any of the videos is planned for; unknown videos count as others do."""
    if not checked.recipe.signals:
        return ()
    history = _history(catalog, checked.recipe.signals, checked.index.recipe)
    wanted = [names for _, names in videos.parts]
    estimates = []
    paid: set[int] = set()  # videos whose pass another signal pays for
    for signal in checked.recipe.signals:
        rows = [row for row, names in enumerate(wanted) if names is None or signal.name in names]
        known_ms = lengths.ms[rows][~np.isnan(lengths.ms[rows])]
        if not len(known_ms):
            continue
        share = 0.0
        if isinstance(signal, WatchingSignal):
            share = own_share(signal) * len(set(rows) - paid) / len(rows)
            paid.update(rows)
        hours = float(known_ms.mean()) * len(rows) / 3_600_000
        usd = checked.settings.usd_per_cpu_hour
        look = _look_of(lengths, rows) or history.look
        estimates.append(_estimate(signal, len(rows), hours, share, look, history, usd))
    return tuple(estimates)


def _estimate(
    signal: Signal,
    num_videos: int,
    hours: float,
    pass_share: float,
    look: Look,
    history: _History,
    usd: float | None,
) -> SignalEstimate:
    """One signal, with the share of the videos whose pass it pays for."""
    costs, pace = signal.rough_costs, history.paces.get(identity_of(signal))
    whole_s = costs.seconds(num_videos, hours, history.talk, look)
    whole_s += pass_share * PASS_COSTS.seconds(num_videos, hours, look=look)
    cpu_hours = (pace or 1.0) * whole_s / 3600
    return SignalEstimate(
        signal.name,
        num_videos,
        hours,
        cpu_hours,
        None if usd is None else cpu_hours * usd,
        pace is None,
        round(history.talk.pieces(num_videos, hours)) if costs.piece_s else None,
    )


def _look_of(lengths: Lengths, rows: Sequence[int]) -> Look | None:
    """How much there is to see in a second of these videos; None where that is known of none of them."""
    known = [row for row in rows if not np.isnan(lengths.pictures[row])]
    seconds = float(lengths.ms[known].sum()) / 1000
    if not seconds:
        return None
    seen = (lengths.pictures, lengths.megapixels, lengths.sampled, lengths.sound_s)
    return Look(*(float(column[known].sum()) / seconds for column in seen))


def _history(
    catalog: Catalog, signals: tuple[Signal, ...], recipe: Callable[[str], RecipeRecord | None]
) -> _History:
    talk, look = _talk(catalog), _look(catalog)
    return _History(talk, look, _paces(catalog, signals, talk, look, recipe))


def _look(catalog: Catalog) -> Look:
    """As in the videos that are known; the usual one where there are none."""
    (means,) = catalog.query(_LOOK).rows
    return Look(*map(float, means)) if means[0] else USUAL_LOOK


def _talk(catalog: Catalog) -> Talk:
    """As in the videos that were listened to; the usual one where there are none."""
    ((count, hours, pieces),) = catalog.query(_HEARD).rows
    usual = USUAL_TALK.pieces(count, hours)
    return USUAL_TALK.times(float(pieces) / usual) if usual else USUAL_TALK


def _paces(
    catalog: Catalog,
    signals: tuple[Signal, ...],
    talk: Talk,
    look: Look,
    recipe: Callable[[str], RecipeRecord | None],
) -> dict[str, float]:
    """Of the signals that have been read as they are now."""
    took: defaultdict[str, float] = defaultdict(float)
    expected: defaultdict[str, float] = defaultdict(float)
    for recipe_id, name, count, hours, seconds in catalog.query(_TOLD).rows:
        record = recipe(recipe_id)
        read = record.signals if record else {}
        as_now = [one for one in signals if read.get(one.name) == identity_of(one)]
        for signal, share in zip(as_now, shares_of(as_now, count, hours, talk, look), strict=True):
            if signal.name == name:
                took[read[name]] += seconds
                expected[read[name]] += share
    return {identity: took[identity] / seconds for identity, seconds in expected.items() if seconds > 0}
