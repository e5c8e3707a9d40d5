"""Vacuum removes what nobody can need, judged by the store's clock: on a disk and on S3."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.failures import LeaseHeldError
from storage.index import leases
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.layout import bundle_key
from storage.index.publishing.snapshots import read_newest
from storage.objects.store import open_store
from storage.query.catalog import open_catalog
from storage.query.lost_parts import ChangedUnderneath, again_if_changed
from storage.upkeep.compact import compact
from storage.upkeep.vacuum import vacuum

WEEK = timedelta(days=7)


def _vacuum(place, older_than=WEEK, dry_run=False):
    return vacuum(place.url, place.endpoint_url, print, older_than, dry_run)


def _keys(place) -> set[str]:
    return set(place.store().list(""))


def _age(place, keys, days: float) -> None:
    """Make files older than they are."""
    then = time.time() - days * 86400
    for key in keys:
        os.utime(Path(place.url) / key, (then, then))


def test_after_a_compaction_the_old_parts_go_and_readers_see_the_same(filled):
    """With them the old snapshots; bundles stay, as every row can be made anew from them.

    Who had opened an old snapshot is told so, and reads the same from the newest.
    """
    early = open_catalog(filled.url, filled.endpoint_url)
    compact(filled.url, filled.endpoint_url, wait=print)
    if filled.endpoint_url:
        time.sleep(2.1)  # its clock has whole seconds
    before, bundles = filled.contents(), {k for k in _keys(filled) if k.startswith("bundles/")}
    planned = _vacuum(filled, timedelta(0), dry_run=True)
    done = _vacuum(filled, timedelta(0))
    assert {k: v for k, v in planned.removed.items() if k != "leases"} == {
        k: v for k, v in done.removed.items() if k != "leases"
    }
    with early, pytest.raises(ChangedUnderneath):
        early.query("SELECT title FROM scenes")
    assert again_if_changed(filled.contents) == before
    assert done.removed["parts"].num_files > 20
    assert done.removed["parts"].num_bytes > 20_000
    assert done.removed["bundles"].num_files == 0
    assert filled.contents() == before
    snapshot = read_newest(filled.store())
    listed = {key for keys in snapshot.parts.values() for key in keys}
    assert {key for key in _keys(filled) if key.startswith("tables/")} == listed
    assert {key for key in _keys(filled) if key.startswith("snapshots/")} == {
        f"snapshots/{snapshot.number:010}.json"
    }
    assert {key for key in _keys(filled) if key.startswith("bundles/")} == bundles


def test_what_is_young_stays(filled):
    """A reader may have it open, a writer may be about to list it."""
    compact(filled.url, filled.endpoint_url, wait=print)
    before = _keys(filled)
    assert {kind: files.num_files for kind, files in _vacuum(filled).removed.items() if files.num_files} == {}
    assert {key for key in before if not key.startswith("leases/")} <= _keys(filled)


def test_a_snapshot_stays_as_long_as_a_reader_may_have_opened_it(filled_disk):
    """It may be read until its successor came, so the successor's age counts, not its own."""
    compact(filled_disk.url, None, wait=print)
    snapshots = sorted(key for key in _keys(filled_disk) if key.startswith("snapshots/"))
    _age(filled_disk, _keys(filled_disk) - {snapshots[-1]}, days=30)
    done = _vacuum(filled_disk)
    assert done.removed["parts"].num_files == 0
    assert {key for key in _keys(filled_disk) if key.startswith("snapshots/")} == set(snapshots[-2:])
    _age(filled_disk, snapshots[-1:], days=8)
    assert _vacuum(filled_disk).removed["parts"].num_files > 20


def test_bundles_go_only_where_no_commit_names_them(filled_disk, make_bundle):
    """One that a dead run left and that no run came back for; superseded ones are history."""
    orphan = make_bundle(uri="s3://library/orphan.mp4")
    pair = orphan.commit.video_id, orphan.commit.analysis_key
    open_index(filled_disk.url).commit(*pair, encode_bundle(orphan))
    before = _keys(filled_disk)
    assert _vacuum(filled_disk).removed["bundles"].num_files == 0
    _age(filled_disk, before, days=8)
    assert _vacuum(filled_disk).removed["bundles"].num_files == 1
    assert {k for k in before - _keys(filled_disk) if k.startswith("bundles/")} == {bundle_key(*pair)}


def test_beside_a_run_its_bundles_and_young_files_are_safe(filled_disk, make_bundle, monkeypatch):
    """It may publish any bundle that is there, however old."""
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)
    orphan = make_bundle(uri="s3://library/orphan.mp4")
    pair = orphan.commit.video_id, orphan.commit.analysis_key
    open_index(filled_disk.url).commit(*pair, encode_bundle(orphan))
    _age(filled_disk, _keys(filled_disk), days=8)
    with leases.holding(filled_disk.store(), "run", print):
        done = _vacuum(filled_disk)
        assert done.is_busy
        assert done.removed["bundles"].num_files == 0
        with pytest.raises(LeaseHeldError, match="at work"):
            _vacuum(filled_disk, timedelta(hours=1))


def test_plans_leases_and_half_written_files_go_when_nobody_uses_them(filled_disk):
    """The plan of a run that holds a lease stays, whatever its age, and so does the newest lease file."""
    store = filled_disk.store()
    root = Path(filled_disk.url)
    leases.acquire(store, "backfill", "alive", wait=print)
    for number in range(3):
        leases.acquire(store, "run", f"r{number}", wait=print).release()
    for run_id in ("alive", "over"):
        store.put_if_absent(f"plans/{run_id}.plan", b"plan")
    (root / "tables" / ".pending-0123456789abcdef").write_bytes(b"half")
    store.put_if_absent("probes/0123456789abcdef", b"")
    everything = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    _age(filled_disk, everything, days=8)
    done = _vacuum(filled_disk)
    assert {k for k in _keys(filled_disk) if k.startswith("plans/")} == {"plans/alive.plan"}
    assert leases.read_log(store).of("backfill").run_id == "alive"
    assert done.removed["leases"].num_files >= 5
    assert done.removed["unfinished writes"].num_files == 1
    assert done.removed["probes"].num_files == 1
    assert list(root.rglob(".pending-*")) == []


def test_files_that_are_not_ours_are_left_and_counted(filled_disk):
    """As are those that have another use than being listed."""
    root = Path(filled_disk.url)
    for name in ("notes.txt", "tables/scenes/mine.csv", "bundles/readme", "snapshots/latest.json"):
        (root / name).write_text("x")
    for name in ("serving.duckdb", ".serving.duckdb.lock", "recipes/0123.json"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    everything = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    _age(filled_disk, everything, days=30)
    done = _vacuum(filled_disk)
    assert done.num_unknown == 4
    left = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    gone = everything - left
    assert all(key.startswith("snapshots/00") for key in gone), gone


def test_age_is_judged_by_the_clock_that_dates_the_files(place, scripted_s3):
    """A machine whose own clock is wrong removes nothing by mistake."""
    store = place.store()
    store.put_if_absent("probe", b"")
    (probe,) = store.list_objects("probe" if place.endpoint_url else "")
    assert abs(store.now() - probe.modified_at) < timedelta(seconds=60)
    listing = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    script = scripted_s3(
        {"status": 200, "body": listing, "headers": {"Date": "Wed, 01 Jan 2031 08:00:00 GMT"}}
    )
    ahead = open_store("s3://bucket/index", script.url).now()
    assert f"{ahead:%Y-%m-%d %H}" == "2031-01-01 08"
