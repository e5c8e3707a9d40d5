"""What the PUT of a commit costs its process: by boto3's client, and as media-index sends it."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from scale_measure import apart, serving

BUNDLE = bytes(28_000)  # as large as that of a minute of film
ROUND = 100


def bench_put(options: argparse.Namespace) -> None:
    """CPU milliseconds a request, in turns: one after the other, and with a pause before each as in a run."""
    for pause_s in (0.0, 0.005):
        with serving("--keys", 1) as url:
            print(f"pause of {pause_s * 1e3:.0f} ms:", apart(both, url, options.videos, pause_s), flush=True)


def both(url: str, num_videos: int, pause_s: float) -> dict[str, Any]:
    """Of the thread that asks."""
    from storage.s3.client import s3_client
    from storage.s3.put import conditional_put

    client, plain = s3_client(url), conditional_put(url, "catalog")
    assert plain

    ways: dict[str, Callable[[str], object]] = {
        "boto3": lambda key: client.put_object(Bucket="catalog", Key=key, Body=BUNDLE, IfNoneMatch="*"),
        "plain": lambda key: plain(key, BUNDLE),
    }
    spent = dict.fromkeys(ways, 0.0)
    for first in range(-ROUND, num_videos, ROUND):  # the first round is not counted
        for name, put in ways.items():
            for n in range(ROUND):
                time.sleep(pause_s)
                begun = time.thread_time()
                put(f"{name}/{first + n}")
                spent[name] += (time.thread_time() - begun) * (first >= 0)
    milliseconds = {name: round(s / num_videos * 1e3, 3) for name, s in spent.items()}
    return milliseconds | {"ratio": round(spent["boto3"] / spent["plain"], 2)}
