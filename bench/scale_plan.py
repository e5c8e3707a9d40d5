"""Planning over drawn libraries and indexes."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from scale_measure import INDEX, LIBRARY, PARTS, apart, recipe, requests, rss_mb, serving


def draw_index(folder: str, num_videos: int) -> None:
    """As many commits as videos, of the drawn library and today's recipe, in PARTS parts."""
    from datetime import UTC, datetime

    import pyarrow as pa

    from schemas.identity import VideoObject
    from storage.index.index import open_index
    from storage.index.layout import new_part_key
    from storage.index.publishing.parts import write_part
    from storage.index.publishing.snapshots import create_next
    from storage.index.tables.arrow_tables import arrow_schema
    from storage.index.tables.columns import COLUMNS

    index = open_index(folder, create=True)
    index.declare_recipe(recipe().record)
    recipe_id, now = recipe().recipe_id, datetime.now(UTC)
    keys, step = [], -(-num_videos // PARTS)
    for number, first in enumerate(range(0, num_videos, step), start=1):
        rows = []
        for n in range(first, min(first + step, num_videos)):
            video = VideoObject(f"{LIBRARY}/videos/{n:08}.mp4", 10**9, 0, etag=f"{n:032x}")
            row = {
                "video_id": video.video_id,
                "object_rev": video.object_rev,
                "content_rev": video.content_rev,
            }
            rows.append(row | {"uri": video.uri, "analysis_key": video.analysis_key(recipe_id)})
        same = {"snapshot": number, "recipe_id": recipe_id, "state": "rows", "run_id": "run"}
        table = pa.Table.from_pylist(
            [row | same | {"created_at": now, "failure_class": None} for row in rows],
            arrow_schema(COLUMNS["commits"]),
        )
        keys.append(write_part(index.store, new_part_key("commits", number), table))
    create_next(index.store, index.snapshot(), {"commits": keys}, {})


def plan(url: str, index_url: str, endpoint: str | None) -> dict[str, Any]:
    from jobs.planning.reasons.reasons import examine
    from storage.index.index import open_index
    from storage.library.library import open_library
    from storage.library.selection import Selection

    index = open_index(index_url, endpoint, create=True)
    index.snapshot()
    loaded_mb = rss_mb()
    listing = open_library(LIBRARY, url).list_videos(Selection())
    found = examine(listing, index, recipe().record, is_local=False)
    num_visible = sum(1 for _ in index.visible_commits())
    return {"reasons": dict(found.reasons), "visible": num_visible, "MB with the index": round(loaded_mb)}


def bench_plan(options: argparse.Namespace) -> None:
    """Everything known, one in a hundred new, everything new."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("--keys", options.videos, "--latency-ms", options.latency_ms) as url,
    ):
        for name, num_known in (("all known", options.videos), ("1 % new", options.videos * 99 // 100)):
            if not options.only or options.only in name:
                index = str(Path(folder) / name)
                apart(draw_index, index, num_known)
                print(f"| {name} |", apart(plan, url, index, None), flush=True)
                print("requests", requests(url), flush=True)
    if not options.only or options.only in "all new":
        num_new = min(options.videos, 20_000)
        with serving("--keys", num_new) as url, serving() as store:
            print(f"| all {num_new} new |", apart(plan, url, INDEX, store), flush=True)
            print("requests to the index", requests(store), "to the library", requests(url), flush=True)
