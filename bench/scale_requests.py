"""Cost of a question to an index on S3, after so many publishes: requests, bytes, CPU of the command.

With `--rows` the tables are large parts instead, once with the columns in runs, once by row groups, as
Parquet's writers leave them. Nothing is searched then: of so many rows that are not built, `search` asks for
`build`.
"""

import argparse
import importlib
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scale_measure import INDEX, apart, requests, serving

VIDEOS = 3  # of a publish, three scenes each
COMMAND = str(Path(sys.executable).with_name("media-index"))
VERBS = {
    "status": ["status"],
    "explain": ["explain", "s3://library/1-1.mp4"],
    "sql": ["sql", "select count(*) from scenes"],
    "search": ["search", "heron"],
}
BLANKS = {
    "VARCHAR": "",
    "BIGINT": 1,
    "DOUBLE": 0.5,
    "BOOLEAN": True,
    "TIMESTAMPTZ": datetime(2026, 1, 1, tzinfo=UTC),
}
LARGE_VERBS = {
    "status": ["status"],
    "explain": ["explain", "s3://library/wanted.mp4"],
    "sql": VERBS["sql"],
    "sql, of one video": ["sql", "select title, summary from scenes where video_id < '0001'"],
}


def bench_requests(options: argparse.Namespace) -> None:
    """Print a row for each verb and number of publishes, or of rows."""
    if options.rows:
        _bench_large(options.rows)
        return
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


def _bench_large(num_rows: int) -> None:
    """Videos, scenes and commits of so many rows each, in parts as compaction writes them."""
    print("| columns lie | command | GET | HEAD | LIST | kB | CPU s |\n|---|---|---|---|---|---|---|")
    for name in ("in runs", "by row groups"):
        with serving() as url:
            apart(_write_large, url, num_rows, name == "in runs")
            for verb, words in LARGE_VERBS.items():
                found, cpu = _ask(url, words)
                counts = " | ".join(f"{found[kind]}" for kind in ("GET", "HEAD", "LIST"))
                print(
                    f"| {name} | `{verb}` | {counts} | {found['bytes'] / 1e3:.0f} | {cpu:.1f} |", flush=True
                )


def _write_large(url: str, num_rows: int, in_runs: bool) -> None:
    import pyarrow as pa

    from storage.index.index import open_index
    from storage.index.publishing import parts
    from storage.index.publishing.snapshots import create_next
    from storage.index.tables.arrow_tables import arrow_schema
    from storage.index.tables.columns import COLUMNS

    if not in_runs:
        setattr(parts, "with_columns_together", bytes)  # noqa: B010 - what the parts are held against
    index = open_index(INDEX, url, create=True)
    drawn = _drawn_columns(num_rows)
    written: dict[str, list[str]] = {}
    for table in ("commits", "videos", "scenes"):
        schema = arrow_schema(COLUMNS[table])
        blanks = {
            column.name: BLANKS.get(column.sql_type, [])
            for column in COLUMNS[table]
            if not column.is_nullable
        }
        values = {name: [blank] * num_rows for name, blank in blanks.items()} | drawn
        arrays = [
            pa.array(values[field.name], field.type)
            if field.name in values
            else pa.nulls(num_rows, field.type)
            for field in schema
        ]
        rows = [pa.Table.from_arrays(arrays, schema=schema)]
        written[table] = list(parts.write_parts(index.store, table, 1, schema, rows))
    create_next(index.store, index.snapshot(), written, {})


def _drawn_columns(num_rows: int) -> dict[str, list[Any]]:
    """Columns of all three tables, a scene a video, sorted by video as compaction sorts them; the rest is
    null."""
    draw = random.Random(5)
    words = [f"word{n}" for n in range(20_000)]

    def texts(num_words: int) -> list[str]:
        return [
            " ".join(words[int(20_000 * draw.random() ** 3)] for _ in range(num_words))
            for _ in range(num_rows)
        ]

    ids = sorted(f"{draw.getrandbits(64):016x}" for _ in range(num_rows))
    keys = [f"{draw.getrandbits(128):032x}" for _ in range(num_rows)]
    uris = [f"s3://library/{n:07}.mp4" for n in range(num_rows)]
    uris[0] = "s3://library/wanted.mp4"
    same = {"recipe_id": "recipe", "run_id": "run", "state": "rows", "model_id": "m", "kv": "dense"}
    numbers = {"snapshot": 1, "scene_index": 0, "start_ms": 0, "duration_ms": 60_000, "size_bytes": 10**8}
    return {
        **{name: [value] * num_rows for name, value in (same | numbers).items()},
        "video_id": ids,
        "analysis_key": keys,
        "object_rev": keys,
        "content_rev": keys,
        "uri": uris,
        "end_ms": [draw.randrange(60_000) for _ in range(num_rows)],
        "title": texts(5),
        "summary": texts(40),
        "created_at": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(num_rows)],
    }


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
