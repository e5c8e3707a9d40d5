"""Vacuum: remove files that no reader and no writer can need any more.

Age is judged by the store's clock, which dates the files, never by this machine's. What is not known to be
ours is left, and counted.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from schemas.failures import LeaseHeldError
from storage.index.batches import batches
from storage.index.layout import (
    BUNDLES,
    FORGETTING,
    LEASES,
    MARKER,
    PACKS,
    PARTS,
    PLANS,
    PROBES,
    RECIPES,
    SERVING,
    SNAPSHOTS,
    VIEWS,
)
from storage.index.leases import Holder, LeaseLog, holding, read_log
from storage.index.marker import open_for_writing
from storage.index.publishing.published import PublishedCommits
from storage.index.publishing.snapshots import read_newest, read_snapshot
from storage.objects.store import ObjectStore
from storage.objects.stored import StoredObject
from storage.query.built.database import SERVING_FILE

SAFE_AGE = timedelta(days=1)  # younger files may be in the hands of whoever holds a lease
_AT_ONCE = 16
_BATCH = 10_000

_ID, _NUMBER = "[0-9a-f]{16}", r"\d{10}"
_KINDS = {
    "snapshots": re.compile(rf"{SNAPSHOTS}{_NUMBER}\.json"),
    "parts": re.compile(rf"{PARTS}\w+/[\w-]+\.parquet"),
    "packs": re.compile(rf"{PACKS}{_NUMBER}-{_ID}\.pack"),
    "serving": re.compile(rf"{SERVING}{_NUMBER}-{_ID}-({_ID}|words)\.duckdb"),
    "bundles": re.compile(rf"{BUNDLES}[0-9a-f]{{2}}/{_ID}/{_ID}\.parquet"),
    "plans": re.compile(rf"{PLANS}[\w-]+\.plan"),
    "leases": re.compile(rf"{LEASES}{_NUMBER}\.json"),
    "probes": re.compile(rf"{PROBES}{_ID}"),
}
_UNFINISHED = "unfinished writes"
_OTHERS = (MARKER, VIEWS, SERVING_FILE, f".{SERVING_FILE}.lock")
_OTHER_FOLDERS = (RECIPES, FORGETTING)


@dataclass
class Files:
    """A number of files and their bytes."""

    num_files: int = 0
    num_bytes: int = 0


@dataclass
class Vacuum:
    """The files that were, or would be, removed by kind, and how many are left because nobody knows them."""

    removed: dict[str, Files] = field(
        default_factory=lambda: {kind: Files() for kind in (*_KINDS, _UNFINISHED)}
    )
    num_unknown: int = 0
    is_busy: bool = (
        False  # bundles that no commit names were left: a run at work may be about to publish them
    )


@dataclass
class _Candidates:
    """The listing by kind; of bundles only those that are old and that no commit names."""

    by_kind: dict[str, list[StoredObject]]
    num_unknown: int = 0


def vacuum(
    url: str,
    endpoint_url: str | None,
    wait: Callable[[Holder], None],
    older_than: timedelta = timedelta(days=7),
    dry_run: bool = False,
) -> Vacuum:
    """Remove what is older than that and needed by nobody; with `dry_run` only say what it would be.

    LeaseHeldError: another vacuum is at work, or the age is too small beside a run. PreflightError: no index.
    """
    store, _ = open_for_writing(url, endpoint_url)
    if dry_run:
        return _vacuum(store, older_than, lambda found: None)

    with holding(store, "vacuum", wait) as check_lease, ThreadPoolExecutor(_AT_ONCE) as pool:

        def remove(found: Iterable[StoredObject]) -> None:
            check_lease()
            list(pool.map(store.delete, [each.key for each in found]))

        return _vacuum(store, older_than, remove)


def _vacuum(
    store: ObjectStore, older_than: timedelta, remove: Callable[[Sequence[StoredObject]], None]
) -> Vacuum:
    at_work = [holder for holder in read_log(store).holders if holder.kind != "vacuum"]
    if at_work and older_than < SAFE_AGE:
        raise LeaseHeldError(
            f"{store.url}: {at_work[0].kind} {at_work[0].run_id} is at work, and what it writes is young",
            "Wait for it to end, or take --older-than 1d or more.",
        )
    limit = store.now() - older_than
    found = _candidates(store, limit, with_bundles=not at_work)
    done = Vacuum(num_unknown=found.num_unknown, is_busy=bool(at_work))
    for kind, unneeded in _unneeded(store, found.by_kind, limit, read_log(store)):
        remove(unneeded)
        done.removed[kind].num_files += len(unneeded)
        done.removed[kind].num_bytes += sum(each.size_bytes for each in unneeded)
    return done


def _candidates(store: ObjectStore, limit: datetime, with_bundles: bool) -> _Candidates:
    """One pass over the listing."""
    found = _Candidates({kind: [] for kind in (*_KINDS, _UNFINISHED)})
    published = PublishedCommits(store)
    published.refresh()

    def old_bundles() -> Iterator[StoredObject]:
        for each in store.list_objects(""):
            kind = _kind_of(each.key)
            if kind == "bundles":
                if with_bundles and each.modified_at < limit:
                    yield each
            elif kind is not None:
                found.by_kind[kind].append(each)
            elif each.key not in _OTHERS and not each.key.startswith(_OTHER_FOLDERS):
                found.num_unknown += 1

    for some in batches(old_bundles(), _BATCH):
        named = published.named({_analysis_key(each) for each in some})
        found.by_kind["bundles"] += [each for each in some if _analysis_key(each) not in named]
    found.by_kind[_UNFINISHED] = list(store.list_pending())
    return found


def _unneeded(
    store: ObjectStore, found: dict[str, list[StoredObject]], limit: datetime, log: LeaseLog
) -> Iterator[tuple[str, list[StoredObject]]]:
    """Snapshots before the parts they list: one that lists a missing part must never be seen.

    `log` is younger than the listing of plans: a run holds its lease before it writes one.
    """
    # A reader may have opened a snapshot until the moment at which the next one came.
    snapshots = found["snapshots"]
    over = [each for each, following in pairwise(snapshots) if following.modified_at < limit]
    yield "snapshots", over
    remaining = [each.key for each in snapshots[len(over) :]]
    for kind in ("parts", "packs"):
        yield kind, _unlisted(store, _old(found[kind], limit), remaining)
    newest = {_stem(each) for each in snapshots[-1:]}
    yield "serving", [each for each in _old(found["serving"], limit) if _number(each) not in newest]
    yield "bundles", found["bundles"]
    at_work = {holder.run_id for holder in log.holders} | {holder.claim for holder in log.holders}
    plans = [each for each in found["plans"] if not {each.key, _stem(each)} & at_work]
    yield "plans", _old(plans, limit)
    yield "leases", _old(found["leases"][:-1], limit)
    for kind in ("probes", _UNFINISHED):
        yield kind, _old(found[kind], limit)


def _unlisted(store: ObjectStore, files: list[StoredObject], snapshots: Sequence[str]) -> list[StoredObject]:
    """Those in none of these snapshots, nor in one that came since."""
    newest = read_newest(store)
    listed = newest.objects if newest else frozenset()
    files = [each for each in files if each.key not in listed]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for keys in batches(snapshots if files else (), _AT_ONCE):
            for snapshot in pool.map(lambda key: read_snapshot(store, key), keys):
                files = [each for each in files if each.key not in snapshot.objects]
    return files


def _kind_of(key: str) -> str | None:
    return next((kind for kind, name in _KINDS.items() if name.fullmatch(key)), None)


def _old(found: Iterable[StoredObject], limit: datetime) -> list[StoredObject]:
    return [each for each in found if each.modified_at < limit]


def _stem(found: StoredObject) -> str:
    return found.key.rpartition("/")[2].partition(".")[0]


_analysis_key = _stem  # of a bundle


def _number(found: StoredObject) -> str:
    """Of the snapshot that a serving file was made from."""
    return _stem(found).partition("-")[0]
