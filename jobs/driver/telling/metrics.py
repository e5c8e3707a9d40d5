"""A run's figures as Prometheus metrics of Ray, set by the driver alone. No label names a video.

The metrics endpoint of the driver's node shows them as `ray_media_index_…`, where `ray[default]` is there;
without it there is no such endpoint.
"""

from collections.abc import Mapping

from ray.util.metrics import Counter, Gauge

from jobs.driver.telling.tally import Tally

# The same in docs/operations.md, which a test compares.
COUNTERS = {
    "videos_total": ("Videos that this run is done with, by outcome", ("outcome",)),
    "video_seconds_total": ("Duration of the videos that were indexed", ()),
    "frames_total": ("Pictures the model saw of them", ()),
    "tokens_total": ("Text tokens given to the model (prompt) and written by it (output)", ("kind",)),
    "gpu_busy_seconds_total": (
        "Seconds of model compute: prefill without the wait for pictures, and decoding",
        (),
    ),
    "frame_wait_seconds_total": ("Seconds in which models waited for pictures", ()),
    "attempts_total": ("Tries that ended, by failure class; none: without a failure", ("failure_class",)),
}
GAUGES = {
    "queue_depth": ("Videos that wait for an actor", ()),
    "actors": ("Model actors that wait for a machine, or are loading, idle or busy", ("state",)),
    "nodes_left_out": ("Nodes of the cluster that lack what the run needs, and get no work", ()),
}
STATES = ("waiting", "loading", "idle", "busy")

_Series = tuple[str, str]  # a metric and its label's value


class Meters:
    """Counters follow the run's totals, so nothing is counted in two places."""

    def __init__(self) -> None:
        self._counters = {name: Counter(f"media_index_{name}", *spec) for name, spec in COUNTERS.items()}
        self._gauges = {name: Gauge(f"media_index_{name}", *spec) for name, spec in GAUGES.items()}
        self._told: dict[_Series, float] = {}

    def show(self, tally: Tally, queue_depth: int, actors: Mapping[str, int], num_left_out: int) -> None:
        """Bring every metric up to date."""
        for (name, label), total in _totals(tally).items():
            more = total - self._told.get((name, label), 0.0)
            if more > 0:
                self._counters[name].inc(more, _tags(COUNTERS[name][1], label))
                self._told[name, label] = total
        self._gauges["queue_depth"].set(queue_depth)
        self._gauges["nodes_left_out"].set(num_left_out)
        for state in STATES:
            self._gauges["actors"].set(actors.get(state, 0), {"state": state})


def _tags(keys: tuple[str, ...], label: str) -> dict[str, str]:
    return {keys[0]: label} if keys else {}


def _totals(tally: Tally) -> dict[_Series, float]:
    return {
        ("videos_total", "indexed"): tally.num_indexed,
        ("videos_total", "partial"): tally.num_partial,
        ("videos_total", "quarantined"): tally.num_quarantined,
        ("videos_total", "elsewhere"): tally.num_elsewhere,
        ("videos_total", "next_run"): len(tally.unfinished),
        ("video_seconds_total", ""): (tally.committed.video_ms or 0) / 1000,
        ("frames_total", ""): tally.committed.num_frames or 0,
        ("tokens_total", "prompt"): tally.committed.num_prompt_tokens or 0,
        ("tokens_total", "output"): tally.committed.num_output_tokens or 0,
        ("gpu_busy_seconds_total", ""): tally.spent.busy_seconds,
        ("frame_wait_seconds_total", ""): tally.spent.wait_seconds or 0.0,
        **{("attempts_total", str(name)): count for name, count in tally.tries.items()},
    }
