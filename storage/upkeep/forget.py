"""Forgetting a video: no file of the index holds a row, a picture or the name of it afterwards.

The order makes repeating the command finish what a crash left: first a file that says what is being
forgotten, at the very end its removal. Nobody else is at work on the index meanwhile.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from pydantic import BaseModel

from schemas.failures import PreflightError, UsageError
from schemas.identity import VideoId, parse_video_id, video_id_of
from schemas.tables import SCHEMA_VERSION
from storage.index.json_files import read_json
from storage.index.layout import FORGETTING, PACKS, PARTS, PLANS, SERVING, bundles_of, forgetting_key
from storage.index.leases import Holder, holding
from storage.index.marker import open_for_writing
from storage.index.publishing.parts import open_part, write_parts
from storage.index.publishing.snapshots import (
    create_next,
    next_number,
    read_newest,
    read_snapshot,
    snapshot_keys,
)
from storage.index.views import EVER_KNOWN, write_views
from storage.library.walk import printable
from storage.objects.store import ObjectStore
from storage.query.built.build import remove_serving
from storage.query.built.database import serving_path
from storage.query.catalog import open_catalog

_COPIES = """
    SELECT DISTINCT uri FROM commits WHERE video_id <> $video_id
    AND content_rev IN (SELECT content_rev FROM commits_all WHERE video_id = $video_id) ORDER BY uri"""


class Forgotten(BaseModel):
    """The video that is meant, and other videos with the same bytes."""

    schema_version: int = SCHEMA_VERSION
    video_id: VideoId
    uri: str
    copies: tuple[str, ...] = ()


@dataclass
class Receipt:
    """The proof of what was removed, looked at afterwards. `rows` by table, as the index listed them."""

    video_id: VideoId
    uri: str
    rows: dict[str, int] = field(default_factory=dict)
    files_rewritten: int = 0
    files_deleted: int = 0
    copies: tuple[str, ...] = ()  # other videos of the index that have the same bytes
    index: str = ""
    forgotten_at: datetime | None = None
    files_verified: int = 0


def find_forgettable(url: str, endpoint_url: str | None, video: str) -> Forgotten:
    """The video that a person means: a whole URI, the end of one, or a `video_id`.

    Also one that is only history, in quarantine, or half forgotten. A whole URI needs not to be known.
    UsageError: none ends so, or several do. PreflightError: no index.
    """
    store, _ = open_for_writing(url, endpoint_url)
    video = printable(video)  # as the library lists a name that is not UTF-8
    known = {found.video_id: found for found in _half_forgotten(store)}
    with open_catalog(url, endpoint_url) as catalog:
        sql = f"SELECT DISTINCT video_id, uri FROM {EVER_KNOWN} WHERE ends_with(uri, $1) OR video_id = $1"
        for video_id, uri in catalog.query(sql, [video]).rows:
            copies = catalog.query(_COPIES, {"video_id": video_id}).rows
            known.setdefault(
                video_id, Forgotten(video_id=video_id, uri=uri, copies=tuple(row[0] for row in copies))
            )
    found = [each for each in known.values() if video in (each.uri, each.video_id)]
    found = found or [each for each in known.values() if each.uri.endswith(video)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{video} stands for {len(found)} videos", "Write its whole uri.")
    return _unknown(video)


def _unknown(video: str) -> Forgotten:
    """Known by name alone: what a whole URI or an id leads to can be looked for without any row."""
    if video.startswith(("/", "s3://")):
        return Forgotten(video_id=video_id_of(video), uri=video)
    if video_id := parse_video_id(video):
        return Forgotten(video_id=video_id, uri="")
    raise UsageError(f"{video} is not in the index", "Write its whole uri; nothing was changed.")


def _half_forgotten(store: ObjectStore) -> Iterator[Forgotten]:
    for key in store.list(FORGETTING):
        hint = "Delete that file, then forget the video by its whole uri."
        yield read_json(Forgotten, store.read(key), f"{store.url}/{key}", hint)


def forget(url: str, endpoint_url: str | None, video: Forgotten, wait: Callable[[Holder], None]) -> Receipt:
    """Remove everything about the video; repeating it finishes what was interrupted.

    LeaseHeldError: somebody is at work on the index. PreflightError: a part cannot be read, or a file
    still holds the video.
    """
    store, _ = open_for_writing(url, endpoint_url)
    receipt = Receipt(video.video_id, video.uri, copies=video.copies, index=store.url)
    with holding(store, "forget", wait) as check_lease:
        store.put_if_absent(forgetting_key(video.video_id), video.model_dump_json().encode())
        while not _rewrite(store, video.video_id, receipt, check_lease):
            pass
        check_lease()
        remove_serving(serving_path(url, endpoint_url))
        for key in [*_left_overs(store, video.video_id), *store.list(bundles_of(video.video_id))]:
            check_lease()
            store.delete(key)
            receipt.files_deleted += 1
        store.remove_folder(bundles_of(video.video_id))  # its name is the video's
        receipt.files_verified = _verify(store, video.video_id)
        store.delete(forgetting_key(video.video_id))
    receipt.forgotten_at = datetime.now(UTC)
    return receipt


def _rewrite(
    store: ObjectStore, video_id: VideoId, receipt: Receipt, check_lease: Callable[[], None]
) -> bool:
    """Switch to parts without the video. False: somebody else published first, so look again."""
    base = read_newest(store)
    if base is None:
        return True
    rows: dict[str, int] = {}
    added: dict[str, list[str]] = {}
    dropped: set[str] = set()
    for table, keys in base.parts.items():
        for key in keys:
            if num_rows := _count(store, key, video_id):
                check_lease()
                rows[table] = rows.get(table, 0) + num_rows
                with open_part(store, key) as file:
                    schema = file.schema_arrow
                rest = _without(store, key, video_id)
                added.setdefault(table, []).extend(write_parts(store, table, next_number(base), schema, rest))
                dropped.add(key)
    if not dropped:
        return True
    snapshot = create_next(store, base, added, {}, dropped)
    if snapshot is None:
        return False
    write_views(store, snapshot)
    receipt.rows = dict(sorted(rows.items()))
    receipt.files_rewritten = len(dropped)
    return True


def _count(store: ObjectStore, key: str, video_id: VideoId) -> int:
    """How many rows of the file are the video's; of a large sorted one little more than its end is read."""
    with open_part(store, key) as file:
        if "video_id" not in file.schema_arrow.names:
            return 0
        count = 0
        for group in range(file.num_row_groups):
            if _may_hold(file, group, video_id):
                ids = file.read_row_group(group, columns=["video_id"]).column(0)
                count += pc.sum(pc.equal(ids, video_id)).as_py() or 0
    return count


def _may_hold(file: parquet.ParquetFile, group: int, video_id: VideoId) -> bool:
    columns = (file.metadata.row_group(group).column(n) for n in range(file.metadata.num_columns))
    statistics = next(column.statistics for column in columns if column.path_in_schema == "video_id")
    return not (statistics and statistics.has_min_max) or statistics.min <= video_id <= statistics.max


def _without(store: ObjectStore, key: str, video_id: VideoId) -> Iterator[pa.Table]:
    with open_part(store, key) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            yield rows.filter(pc.invert(pc.fill_null(pc.equal(rows.column("video_id"), video_id), False)))


def _left_overs(store: ObjectStore, video_id: VideoId) -> Iterator[str]:
    """Files that no reader needs and that hold the video, snapshots before the parts they list."""
    newest = read_newest(store)
    listed = newest.files if newest else frozenset()
    unlisted = [key for key in store.list(PARTS) if key not in listed]
    parts = {key for key in unlisted if _is_unreadable(store, key) or _count(store, key, video_id)}
    for key in snapshot_keys(store):
        if parts & read_snapshot(store, key).files:
            yield key
    yield from sorted(parts)
    yield from _unlisted_packs(store)
    yield from store.list(SERVING)  # made from snapshots with it; a build makes the next one
    yield from (key for key in store.list(PLANS) if _names(store, key, video_id))
    yield from [found.key for found in store.list_pending()]  # of killed writers: nobody is at work


def _unlisted_packs(store: ObjectStore) -> list[str]:
    """Packs that the newest snapshot does not list, or with more than its parts: copies of what is gone."""
    newest = read_newest(store)
    kept = {pack.key for pack in newest.packs if pack.parts.keys() <= newest.files} if newest else set()
    return [key for key in store.list(PACKS) if key not in kept]


def _is_unreadable(store: ObjectStore, key: str) -> bool:
    try:
        open_part(store, key).close()
    except PreflightError:
        return True
    return False


def _names(store: ObjectStore, key: str, video_id: VideoId) -> bool:
    """Whether a plan has the video; also one that cannot be read, as its run is over."""
    try:
        _, _, body = store.read(key).partition(b"\n")  # behind the summary; its digest does not matter here
        plan = parquet.read_table(pa.BufferReader(body))
    except (pa.ArrowException, OSError):
        return True
    texts = (column for column in plan.columns if pa.types.is_string(column.type))
    return any(pc.any(pc.equal(column, video_id)).as_py() for column in texts)


def _verify(store: ObjectStore, video_id: VideoId) -> int:
    """How many files were looked at. PreflightError: one of them holds the video still."""
    num_files = 0
    packs = _unlisted_packs(store)
    for key in store.list(""):
        if key == forgetting_key(video_id):
            continue
        num_files += 1
        if (
            video_id in key
            or key in packs
            or (key.startswith(PARTS) and _count(store, key, video_id))
            or (key.startswith(PLANS) and _names(store, key, video_id))
        ):
            raise PreflightError(f"{store.url}/{key} still holds {video_id}", "Repeat the command.")
    return num_files
