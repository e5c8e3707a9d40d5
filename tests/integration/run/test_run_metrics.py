"""A run's metrics on the endpoint that Prometheus scrapes: a real node of a real local Ray."""

import re
import time
import urllib.request
from collections import Counter

import pytest
import ray

from jobs.cluster.joining import join_cluster
from jobs.driver.telling.metrics import COUNTERS, GAUGES, Meters
from jobs.driver.telling.tally import Tally
from schemas.usage import Usage

pytest.importorskip("opentelemetry.exporter.prometheus", reason="pip install 'media-index[metrics]'")

SAMPLE = re.compile(r"ray_media_index_(\w+)\{(.*)\} (\S+)")
RAYS_OWN = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId"}  # and otel_scope_…


def scrape(url: str) -> dict[tuple[str, ...], float]:
    """Values by name and our own labels' values."""
    found = {}
    with urllib.request.urlopen(url, timeout=10) as answer:
        for name, labels, value in SAMPLE.findall(answer.read().decode()):
            pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            ours = [pairs[key] for key in pairs if key not in RAYS_OWN and not key.startswith("otel_")]
            found[name, *ours] = float(value)
    return found


def test_the_nodes_endpoint_shows_the_runs_metrics(no_ray):
    """Every metric that is documented, with the run's totals; counters count up, gauges follow."""
    tally = Tally(num_indexed=3, num_partial=1, num_quarantined=1, num_elsewhere=1)
    tally.committed = Usage(video_ms=90_000, num_frames=90, num_prompt_tokens=400, num_output_tokens=200)
    tally.spent = Usage(prefill_seconds=4.0, wait_seconds=1.5, generate_seconds=10.0)
    tally.tries = Counter({"none": 4, "media": 1})
    with join_cluster("local"):
        (node,) = ray.nodes()
        url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
        meters = Meters()
        meters.show(tally, 7, {"busy": 2}, 0)
        tally.num_indexed += 2
        meters.show(tally, 5, {"busy": 1, "idle": 1}, 2)
        found: dict[tuple[str, ...], float] = {}
        give_up = time.monotonic() + 90
        while found.get(("videos_total", "indexed")) != 5 and time.monotonic() < give_up:
            time.sleep(1)
            try:
                found = scrape(url)
            except OSError:  # the agent is not up yet
                continue
    assert {name for name, *_ in found} == COUNTERS.keys() | GAUGES.keys()
    assert found == {
        ("videos_total", "indexed"): 5,
        ("videos_total", "partial"): 1,
        ("videos_total", "quarantined"): 1,
        ("videos_total", "elsewhere"): 1,
        ("video_seconds_total",): 90,
        ("frames_total",): 90,
        ("tokens_total", "prompt"): 400,
        ("tokens_total", "output"): 200,
        ("gpu_busy_seconds_total",): 12.5,
        ("frame_wait_seconds_total",): 1.5,
        ("attempts_total", "none"): 4,
        ("attempts_total", "media"): 1,
        ("queue_depth",): 5,
        ("nodes_left_out",): 2,
        ("actors", "waiting"): 0,
        ("actors", "loading"): 0,
        ("actors", "idle"): 1,
        ("actors", "busy"): 1,
    }
