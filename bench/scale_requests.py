"""Cost of a question to an index on S3, after so many publishes: requests, bytes, CPU of the command."""

import argparse
import importlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from scale_measure import INDEX, requests, serving

VIDEOS = 3  # of a publish, three scenes each
COMMAND = str(Path(sys.executable).with_name("media-index"))
VERBS = {
    "status": ["status"],
    "explain": ["explain", "s3://library/1-1.mp4"],
    "sql": ["sql", "select count(*) from scenes"],
    "search": ["search", "heron"],
}


def bench_requests(options: argparse.Namespace) -> None:
    """Print a row for each verb and number of publishes."""
    print(
        "| publishes | files | command | GET | HEAD | LIST | kB | CPU s |\n|---|---|---|---|---|---|---|---|"
    )
    with serving() as url:
        first = 0
        for last in options.publishes:
            num_files = _fill(url, range(first, last))
            first = last
            for verb, words in VERBS.items():
                found, cpu = _ask(url, words)
                counts = " | ".join(f"{found[kind]}" for kind in ("GET", "HEAD", "LIST"))
                print(
                    f"| {last} | {num_files} | `{verb}` | {counts} | {found['bytes'] / 1e3:.0f} | {cpu:.1f} |"
                )


def _fill(url: str, numbers: range) -> int:
    """Publish so many times; the number of files that count then."""
    from storage.index.commits.bundles import encode_bundle
    from storage.index.index import open_index

    index = open_index(INDEX, url, create=True)
    for number in numbers:
        bundles = [_bundle(f"s3://library/{number}-{n}.mp4") for n in range(VIDEOS)]
        pairs = [(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles]
        for pair, bundle in zip(pairs, bundles, strict=True):
            index.commit(*pair, encode_bundle(bundle))
        index.publish(pairs)
    snapshot = index.snapshot()
    return len(snapshot.files) if snapshot else 0


def _bundle(uri: str) -> Any:
    """The rows of the tests, with the same values in every column that does not matter."""
    sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / folder) for folder in ("", "support")]
    rows_of = importlib.import_module("conftest")._bundle
    return rows_of(uri=uri, titles=("A heron", "It waits", "It flies"))


def _ask(url: str, words: list[str]) -> tuple[Counter[str], float]:
    before = Counter(requests(url))
    command = [COMMAND, *words, "--index", INDEX, "--endpoint-url", url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, command)
    return Counter(requests(url)) - before, usage.ru_utime + usage.ru_stime
