"""Cost of the PUT of a commit to its process: by boto3's client, by obstore, and as media-index sends it."""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from scale_measure import apart, serving

BUNDLE = bytes(28_000)  # as large as that of a minute of film
ROUND = 100


def bench_put(options: argparse.Namespace) -> None:
    """CPU and wall milliseconds a request, in turns: one after the other, and with a pause before each."""
    for pause_s in (0.0, 0.005):
        with serving("--keys", 1) as url:
            print(
                f"pause of {pause_s * 1e3:.0f} ms:", apart(in_turns, url, options.videos, pause_s), flush=True
            )


def in_turns(url: str, num_videos: int, pause_s: float) -> dict[str, Any]:
    """CPU seconds of the whole process, so that a client's own threads count."""
    ways = _ways(url)
    cpu, wall = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0)
    for first in range(-ROUND, num_videos, ROUND):  # the first round is not counted
        for name, put in ways.items():
            for n in range(ROUND):
                time.sleep(pause_s)
                begun, at = time.process_time(), time.perf_counter()
                put(f"{name}/{first + n}")
                cpu[name] += (time.process_time() - begun) * (first >= 0)
                wall[name] += (time.perf_counter() - at) * (first >= 0)
    return {n: f"{cpu[n] / num_videos * 1e3:.2f} CPU, {wall[n] / num_videos * 1e3:.2f} wall" for n in ways}


def _ways(url: str) -> dict[str, Callable[[str], object]]:
    from storage.s3.client import s3_client
    from storage.s3.put import conditional_put

    client, plain = s3_client(url), conditional_put(url, "catalog")
    assert plain
    ways: dict[str, Callable[[str], object]] = {
        "boto3": lambda key: client.put_object(Bucket="catalog", Key=key, Body=BUNDLE, IfNoneMatch="*"),
        "media-index": lambda key: plain(key, BUNDLE),
    }
    if find_spec("obstore"):
        import obstore
        from obstore.store import S3Store

        options = {"allow_http": True}
        store = S3Store("catalog", endpoint=url, client_options=options, virtual_hosted_style_request=False)
        ways["obstore"] = lambda key: obstore.put(store, key, BUNDLE, mode="create")
    return ways
