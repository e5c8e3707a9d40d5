"""What compaction costs, and what reading gains: an index published in small batches, before and after.

    python bench/compact.py                       # 1,000 and 4,000 videos
    python bench/compact.py --batch 1

Each publish leaves one part a table. Reads open the catalog anew, as the shell does; CPU time of this
process, all threads, median. Videos have 50 scenes with texts of 40 to 80 words, 4 characters, 8 highlights
and 58 small pictures of 2 kB.
"""

import argparse
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import pyarrow as pa

from schemas.commit import Bundle, Commit, CommitState
from schemas.identity import VideoObject
from schemas.rows import Row
from schemas.tables import Character, Highlight, Keyframe, Scene, Video
from storage.index.commits.bundles import encode_bundle, flatten_bundles, read_bundle
from storage.index.index import open_index
from storage.index.layout import new_part_key
from storage.index.publishing.parts import write_part
from storage.index.publishing.snapshots import create_next, read_newest
from storage.index.tables.columns import columns_of
from storage.query.catalog import open_catalog
from storage.upkeep.compact import compact

R = TypeVar("R", bound=Row)

WORDS = [f"word{n}" for n in range(20_000)]
QUESTIONS = {
    "aggregate over all scenes": "SELECT setting, avg(end_ms - start_ms) FROM scenes_all GROUP BY 1",
    "the same, current rows only": "SELECT setting, avg(end_ms - start_ms) FROM scenes GROUP BY 1",
    "scenes of one video": "SELECT start_ms, title, summary FROM scenes WHERE video_id = $video_id",
    "pictures of one video": "SELECT sum(octet_length(image)) FROM keyframes WHERE video_id = $video_id",
}
_BLANKS = {"VARCHAR": "", "BIGINT": 0, "DOUBLE": 0.5, "BOOLEAN": True, "BLOB": b""}


def main() -> None:
    """One table, a column per number of videos."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, nargs="+", default=[1000, 4000])
    parser.add_argument("--batch", type=int, default=10, help="videos a publish")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    columns = {}
    for num_videos in options.videos:
        folder = Path(tempfile.mkdtemp(prefix="media-index-bench-compact-", dir=options.folder))
        columns[num_videos] = measure(str(folder / "index"), num_videos, options.batch, options.repeats)
        shutil.rmtree(folder)
    lines = list(next(iter(columns.values())))
    print(f"| publishes of {options.batch} | " + " | ".join(f"{n} videos" for n in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for line in lines:
        print(f"| {line} | " + " | ".join(column[line] for column in columns.values()) + " |")


def measure(url: str, num_videos: int, batch: int, repeats: int) -> dict[str, str]:
    """The table's lines for one size."""
    video_id = publish(url, num_videos, batch)
    before = {name: read(url, sql, video_id, repeats) for name, sql in QUESTIONS.items()}
    num_parts = num_parts_of(url)
    memory, cpu = peak(), time.process_time()
    done = compact(url, None, wait=print)
    cpu = time.process_time() - cpu
    assert done is not None
    after = {name: read(url, sql, video_id, repeats) for name, sql in QUESTIONS.items()}
    lines = {
        "parts before, after": f"{num_parts}, {num_parts_of(url)}",
        "compaction, CPU-ms a video": f"**{1000 * cpu / num_videos:.2f}**",
        "peak memory before, with compaction, MB": f"{memory:.0f}, {peak():.0f}",
    }
    for name in QUESTIONS:
        slow, fast = before[name], after[name]
        lines[f"{name}, CPU-ms"] = f"{slow:.0f} → {fast:.0f} (**{slow / fast:.0f}x**)"
    return lines


def publish(url: str, num_videos: int, batch: int) -> str:
    """What publishes of so many videos each leave, written at once; some video's id.

    The texts are those of a few drawn videos over and over: only names differ.
    """
    store = open_index(url, create=True).store
    random.seed(7)
    drawn = flatten_bundles([read_bundle(encode_bundle(draw(number)), "drawn") for number in range(batch)])
    places = {
        name: rows.column("video_id").dictionary_encode().combine_chunks() for name, rows in drawn.items()
    }
    parts: dict[str, list[str]] = {}
    for number in range(0, num_videos, batch):
        uris = [f"s3://library/{number + n:06}.mp4" for n in range(batch)]
        videos = sorted((VideoObject(uri, 1, 0, "etag") for uri in uris), key=lambda video: video.video_id)
        ids = pa.array([video.video_id for video in videos])
        keys = pa.array([video.analysis_key("recipe") for video in videos])
        for name, rows in drawn.items():
            if rows.num_rows:
                for column, values in (("video_id", ids), ("analysis_key", keys)):
                    place = rows.column_names.index(column)
                    rows = rows.set_column(place, column, values.take(places[name].indices))
                if name == "commits":
                    numbers = pa.repeat(pa.scalar(number // batch + 1, pa.int64()), rows.num_rows)
                    rows = rows.add_column(0, "snapshot", numbers)
                key = write_part(store, new_part_key(name, number // batch + 1), rows)
                parts.setdefault(name, []).append(key)
    create_next(store, read_newest(store), parts, {})
    return str(ids[0])


def read(url: str, sql: str, video_id: str, repeats: int) -> float:
    """CPU-ms of opening the index and one question."""

    def ask() -> None:
        with open_catalog(url) as catalog:
            rows = catalog.query(sql, {"video_id": video_id} if "$" in sql else None).rows
            assert rows

    return timed(ask, repeats)


def timed(action: Callable[[], None], repeats: int) -> float:
    """Median CPU-ms; the first one, which fills the page cache, is left out."""
    action()
    found = []
    for _ in range(repeats):
        began = time.process_time()
        action()
        found.append(1000 * (time.process_time() - began))
    return median(found)


def num_parts_of(url: str) -> int:
    """Files that the newest snapshot lists."""
    snapshot = read_newest(open_index(url).store)
    assert snapshot is not None
    return sum(len(keys) for keys in snapshot.parts.values())


def peak() -> float:
    """MB of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def draw(number: int) -> Bundle:
    """One video's rows, sized as a film's."""
    video = VideoObject(f"s3://library/{number:06}.mp4", 1, 0, "etag")
    ids = {
        "video_id": video.video_id,
        "object_rev": video.object_rev,
        "recipe_id": "recipe",
        "analysis_key": video.analysis_key("recipe"),
        "run_id": "run",
        "uri": video.uri,
    }
    scenes = range(50)
    return Bundle(
        commit=row(Commit, **ids, state=CommitState.ROWS),
        videos=(row(Video, **ids),),
        scenes=tuple(
            row(
                Scene,
                **ids,
                scene_index=n,
                start_ms=n * 9000,
                end_ms=(n + 1) * 9000,
                title=text(5, 9),
                summary=text(40, 80),
                setting=random.choice(["street", "house", "wood", "sea"]),
            )
            for n in scenes
        ),
        characters=tuple(row(Character, **ids, character_id=f"C{n}", label=text(1, 3)) for n in range(4)),
        highlights=tuple(row(Highlight, **ids, rank=n + 1, title=text(3, 6)) for n in range(8)),
        keyframes=tuple(
            row(Keyframe, **ids, table_name="scenes", row_index=n, image=random.randbytes(2000))
            for n in range(58)
        ),
    )


def text(low: int, high: int) -> str:
    """Words, the first ones more often."""
    return " ".join(WORDS[int(len(WORDS) * random.random() ** 3)] for _ in range(random.randint(low, high)))


def row(row_type: type[R], **values: Any) -> R:
    """A row with blanks in all other columns; not checked, which would take longer than all the rest."""
    blanks: dict[str, Any] = {
        column.name: _blank(column.sql_type, column.is_nullable) for column in columns_of(row_type)
    }
    names = blanks.keys()
    return row_type.model_construct(**(blanks | {k: v for k, v in values.items() if k in names}))


def _blank(sql_type: str, is_nullable: bool) -> object:
    if is_nullable:
        return None
    if sql_type.endswith("[]"):
        return []
    return datetime(2026, 11, 21, tzinfo=UTC) if sql_type == "TIMESTAMPTZ" else _BLANKS[sql_type]


if __name__ == "__main__":
    main()
