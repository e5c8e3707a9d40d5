"""Processes apart, the stand-in for S3, and what the benches of scale have in common."""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

LIBRARY, INDEX = "s3://library", "s3://catalog/index"
PARTS = 400  # as many publishes
os.environ |= {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)]),  # for Ray's workers
}


@contextmanager
def serving(*arguments: object) -> Iterator[str]:
    """The stand-in in a process of its own; its URL."""
    command = [sys.executable, str(Path(__file__).with_name("s3_server.py")), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def requests(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/requests") as answer:
        return dict(json.loads(answer.read()))


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def apart(work: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Run it in a new process: what it returns, wall and CPU seconds, and by how much memory grew at most."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work, arguments).result()


def _measured(work: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    import storage.library.library  # noqa: F401 - what is imported is not what is measured

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments)
    return {
        "result": result,
        "wall s": round(time.perf_counter() - wall, 1),
        "CPU s": round(time.process_time() - cpu, 2),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3 - before),
    }


def recipe() -> Any:
    from jobs.prompts.pack import load_packs
    from jobs.prompts.recipe import Recipe

    return Recipe("nothing", "revision", "float32", Fraction(1), 1000, load_packs())
