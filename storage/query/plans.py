"""Planned videos in columns, about 200 bytes each, and the file that keeps them.

A plan file is one line of JSON and a Parquet file behind it. The line holds a digest of both, so a plan is
executed as it was made or not at all.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from schemas.failures import UsageError
from schemas.identity import Sidecar, VideoId, VideoObject
from schemas.plan import PlannedVideo, PlanSummary, Reason
from schemas.tables import SCHEMA_VERSION
from storage.index.batches import batches
from storage.index.tables.columns import check_version
from storage.query.catalog import Catalog

_BATCH = 10_000
Names = tuple[str, ...]
_SIDECAR = pa.struct(
    [
        ("name", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.decimal128(38)),
        ("etag", pa.string()),
        ("is_archived", pa.bool_()),
    ]
)
_SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.decimal128(38)),  # file systems hold times that 64 bits do not
        ("etag", pa.string()),
        ("version_id", pa.string()),
        ("video_id", pa.string()),
        ("analysis_key", pa.string()),
        ("reason", pa.string()),
        ("has_rows", pa.bool_()),
        ("tasks", pa.list_(pa.string())),
        ("signals", pa.list_(pa.string())),
        ("recipe_id", pa.string()),
        ("carried_key", pa.string()),
        ("carried_id", pa.string()),
        ("sidecars", pa.list_(_SIDECAR)),
    ]
)


_LISTED = ("uri", "size_bytes", "modified_ns", "etag", "version_id")  # fields of VideoObject
_PARTS = ("tasks", "signals")  # and of PlannedVideo
_PLANNED = ("analysis_key", "reason", "has_rows", *_PARTS, "recipe_id", "carried_key", "carried_id")


class PlannedVideos(Sequence[PlannedVideo]):
    """Videos of a plan, immutable; `table` has one row a video."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table.combine_chunks()

    @classmethod
    def of(cls, videos: Iterable[PlannedVideo]) -> "PlannedVideos":
        """Videos in their order, a batch of them as objects at a time."""
        found = [pa.RecordBatch.from_pydict(_to_columns(some), _SCHEMA) for some in batches(videos, _BATCH)]
        return cls(pa.Table.from_batches(found, _SCHEMA))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return next(_from_columns(self.table.slice(index % len(self), 1)))

    def __iter__(self) -> Iterator[PlannedVideo]:
        for batch in self.table.to_batches(_BATCH):
            yield from _from_columns(batch)

    def for_reasons(self, reasons: Collection[Reason]) -> "PlannedVideos":
        """Return the videos planned for one of these reasons."""
        return PlannedVideos(self.table.filter(_is_in(self.table.column("reason"), reasons)))

    def where(self, condition: str, catalog: Catalog) -> "PlannedVideos":
        """Return the videos for which the SQL condition is true. It speaks of `reason`, of what the listing
        says (`uri`, `size_bytes`, `modified_at`), and of the columns of `videos`, null for videos without a
        row there.

        UsageError: DuckDB refuses it.
        """
        self.show(catalog)
        rows = catalog.query(_WHERE.format(condition=condition)).rows
        return self.take([place for (place,) in rows])

    def show(self, catalog: Catalog, with_revisions: bool = False) -> None:
        """Show them to queries as `_planned`: these columns, `place` from 0, `object_rev` if asked."""
        table = self.table.append_column("place", pa.array(range(len(self)), pa.int64()))
        if with_revisions:
            revisions = [planned.video.object_rev for planned in self]
            table = table.append_column("object_rev", pa.array(revisions, pa.string()))
        catalog.connection.register("_planned", table)

    def sample(self, num_videos: int) -> "PlannedVideos":
        """Draw so many of them, in effect by lot: ids are hashes. The same ones for the same videos."""
        chosen = sorted(range(len(self)), key=self.video_ids.__getitem__)[:num_videos]
        return self.take(sorted(chosen))

    def first(self, num_videos: int) -> "PlannedVideos":
        """The first so many."""
        return PlannedVideos(self.table.slice(0, num_videos))

    def take(self, rows: Sequence[int]) -> "PlannedVideos":
        """Return the videos of those rows, in that order."""
        return PlannedVideos(self.table.take(pa.array(rows, pa.int64())))

    def without(self, video_ids: Iterable[VideoId]) -> "PlannedVideos":
        """All but these."""
        return PlannedVideos(self.table.filter(pc.invert(_is_in(self.table.column("video_id"), video_ids))))

    def count_reasons(self) -> Counter[Reason]:
        """Count the videos for each reason."""
        return Counter(map(Reason, self.table.column("reason").to_pylist()))

    @property
    def video_ids(self) -> list[VideoId]:
        """The ids of the planned videos, in the plan's order."""
        return list(self.table.column("video_id").to_pylist())

    @property
    def uris(self) -> list[str]:
        """The name of each."""
        return list(self.table.column("uri").to_pylist())

    @property
    def parts(self) -> list[tuple[Names | None, Names | None]]:
        """The tasks to ask and the signals to read of each; None means all."""
        columns = (map(_names, self.table.column(name).to_pylist()) for name in _PARTS)
        return list(zip(*columns, strict=True))

    @property
    def sizes(self) -> list[int]:
        """Bytes of each."""
        return list(self.table.column("size_bytes").to_pylist())


_WHERE = """
SELECT place FROM (
    SELECT p.place, p.reason, p.uri, p.size_bytes,
        make_timestamp(greatest(-62135596800000000, least(253402300799999999, -- the years 1 to 9999
            p.modified_ns::HUGEINT // 1000))::BIGINT)::TIMESTAMPTZ AS modified_at,
        v.* EXCLUDE (uri, size_bytes, modified_at)
    FROM _planned AS p LEFT JOIN videos AS v USING (video_id)
) WHERE ({condition}) ORDER BY place"""


def _is_in(column: pa.ChunkedArray, values: Iterable[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(list(values), pa.string()))


def encode_plan(summary: PlanSummary, videos: PlannedVideos) -> bytes:
    """The plan file."""
    sink = pa.BufferOutputStream()
    parquet.write_table(videos.table, sink, compression="zstd")
    body = bytes(sink.getvalue())
    head = {"schema_version": SCHEMA_VERSION, **summary.model_dump(mode="json")}
    head["digest"] = _digest(head, body)
    return json.dumps(head).encode() + b"\n" + body


def decode_plan(data: bytes, name: str) -> tuple[PlanSummary, PlannedVideos]:
    """Parse a plan's file. UsageError: no plan, or changed since it was made. PreflightError: of a newer
    version."""
    line, _, body = data.partition(b"\n")
    hint = "Make a new one with `media-index plan --save FILE`."
    try:
        head = json.loads(line)
        version, digest = int(head["schema_version"]), head.pop("digest")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UsageError(f"{name} is not a plan", hint) from None
    check_version(version, name)
    if digest != _digest(head, body):
        raise UsageError(f"plan {name} was changed after it was made", hint)
    videos = PlannedVideos(parquet.read_table(pa.BufferReader(body)))
    return PlanSummary.model_validate(head), videos


def _digest(head: dict[str, Any], body: bytes) -> str:
    return hashlib.sha256(json.dumps(head, sort_keys=True).encode() + body).hexdigest()


def _to_columns(planned: Sequence[PlannedVideo]) -> dict[str, list[Any]]:
    listed = {name: [getattr(one.video, name) for one in planned] for name in (*_LISTED, "video_id")}
    sidecars = [[asdict(sidecar) for sidecar in one.video.sidecars] or None for one in planned]
    rest = {name: [getattr(one, name) for one in planned] for name in _PLANNED}
    return listed | rest | {"sidecars": sidecars}


def _from_columns(rows: pa.RecordBatch | pa.Table) -> Iterator[PlannedVideo]:
    listed = zip(*(rows.column(name).to_pylist() for name in _LISTED), strict=True)
    planned = zip(*(rows.column(name).to_pylist() for name in _PLANNED), strict=True)
    for (uri, size, modified_ns, *tags), (key, reason, has_rows, tasks, signals, *carried), sidecars in zip(
        listed, planned, rows.column("sidecars").to_pylist(), strict=True
    ):
        beside = tuple(Sidecar(**(one | {"modified_ns": int(one["modified_ns"])})) for one in sidecars or ())
        etag, version_id = tags
        video = VideoObject(uri, size, int(modified_ns), etag, version_id, sidecars=beside)
        yield PlannedVideo(video, key, Reason(reason), has_rows, _names(tasks), _names(signals), *carried)


def _names(names: Iterable[str] | None) -> Names | None:
    return None if names is None else tuple(names)
