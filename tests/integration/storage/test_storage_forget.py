"""A forgotten video leaves no trace in the index, whatever state it was in: on a disk and on S3."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.failures import LeaseHeldError, UsageError
from schemas.identity import VideoObject
from storage.index import leases
from storage.objects.local import LocalStore
from storage.query.built.build import build_serving
from storage.upkeep.compact import compact
from storage.upkeep.forget import find_forgettable, forget
from storage.upkeep.vacuum import vacuum

URI = "s3://library/0.mp4"  # has history: two revisions


def _forget(place, video=URI):
    found = find_forgettable(place.url, place.endpoint_url, video)
    return forget(place.url, place.endpoint_url, found, wait=print)


def _holders(place, video_id: str) -> list[str]:
    """Files of the index that hold the id in their name or anywhere in their columns; independent of ours."""
    store, found = place.store(), []
    for key in store.list(""):
        data = store.read(key)
        if key.endswith(".parquet"):
            data += repr(parquet.read_table(pa.BufferReader(data)).to_pydict()).encode()
        if video_id.encode() in data or video_id in key:
            found.append(key)
    return found


def test_nothing_of_the_video_is_left_and_nothing_else_is_gone(filled):
    """Rows, history, bundles, older snapshots with their parts; other videos' rows stay as they were."""
    video_id = VideoObject(URI, 0, 0).video_id
    before = filled.contents()
    assert len(_holders(filled, video_id)) > 10
    receipt = _forget(filled, "0.mp4")
    assert (receipt.uri, receipt.video_id) == (URI, video_id)
    assert receipt.rows["scenes"] == 4
    assert receipt.rows["commits"] == 2
    assert receipt.files_verified > 10
    assert _holders(filled, video_id) == []
    after = filled.contents()
    for table, rows in before.items():
        assert after[table] == [row for row in rows if video_id not in repr(row) and URI not in repr(row)]


@pytest.mark.parametrize("video", ["s3://library/broken.mp4", "s3://library/5.mp4", "s3://library/2.mp4"])
def test_videos_in_quarantine_deleted_or_with_a_packs_rows_are_found(filled_disk, video):
    """What no current view shows is personal too."""
    receipt = _forget(filled_disk, video.rpartition("/")[2])
    assert receipt.uri == video
    assert receipt.rows["commits"] >= 1
    assert _holders(filled_disk, receipt.video_id) == []


def test_repeating_it_is_harmless(filled_disk):
    """A whole URI, or the id, need not be known: nothing is held of it, and that was looked at."""
    first = _forget(filled_disk)
    before = filled_disk.contents()
    for video in (URI, first.video_id):
        again = _forget(filled_disk, video)
        assert (again.rows, again.files_deleted) == ({}, 0)
        assert again.files_verified > 10
    assert filled_disk.contents() == before
    with pytest.raises(UsageError, match="not in the index"):
        _forget(filled_disk, "0.mp4")
    with pytest.raises(UsageError, match="stands for"):
        _forget(filled_disk, ".mp4")


def test_copies_of_the_same_bytes_are_named(filled_disk, make_bundle):
    """They are other videos; whether they go too is for a person to say."""
    for name in ("one", "two", "three"):
        filled_disk.publish(make_bundle(uri=f"s3://library/{name}.mkv", revision="same bytes"))
    copies = ("s3://library/three.mkv", "s3://library/two.mkv")
    assert _forget(filled_disk, "one.mkv").copies == copies


def test_not_while_somebody_is_at_work(filled_disk, monkeypatch):
    """A run or a compaction could write the rows once more."""
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)
    before = filled_disk.contents()
    with leases.holding(filled_disk.store(), "run", print), pytest.raises(LeaseHeldError, match="run"):
        _forget(filled_disk)
    assert filled_disk.contents() == before
    assert _forget(filled_disk).rows


def test_the_serving_file_goes_too(filled_disk):
    """It holds rows; what a killed builder left of one as well."""
    root = Path(filled_disk.url)
    build_serving(filled_disk.url, words_only=True)
    (root / ".pending-serving.duckdb").write_bytes(b"rows")
    _forget(filled_disk)
    assert not (root / "serving.duckdb").exists()
    assert not (root / ".pending-serving.duckdb").exists()


def test_left_overs_that_name_it_go_too(filled_disk, make_bundle):
    """Parts that no snapshot lists, plans of runs that are over, half-written files."""
    store = filled_disk.store()
    compact(filled_disk.url, None, wait=print)
    video_id = VideoObject(URI, 0, 0).video_id
    plan = pa.BufferOutputStream()
    parquet.write_table(pa.table({"video_id": [video_id]}), plan)
    store.put_if_absent("plans/over.plan", b"{}\n" + bytes(plan.getvalue()))
    store.put_if_absent("plans/broken.plan", b"PAR1")
    pending = Path(filled_disk.url) / "tables" / "scenes" / ".pending-0123456789abcdef"
    pending.write_bytes(b"half a part")
    _forget(filled_disk)
    assert _holders(filled_disk, video_id) == []
    assert not pending.exists()


def test_plain_duckdb_reads_views_that_are_right_afterwards(filled_disk, monkeypatch):
    """views.sql is of the new snapshot."""
    _forget(filled_disk)
    monkeypatch.chdir(filled_disk.url)
    with duckdb.connect() as connection:
        connection.execute(Path("views.sql").read_text())
        assert connection.execute("SELECT count(*) FROM videos WHERE uri = ?", [URI]).fetchall() == [(0,)]


def test_a_forgotten_video_comes_back_only_by_a_new_commit(filled_disk, make_bundle):
    """Repairs and vacuums find nothing of it; the next run indexes it again."""
    _forget(filled_disk)
    assert vacuum(filled_disk.url, None, print, timedelta(0)).num_unknown == 0
    filled_disk.publish(make_bundle(uri=URI, revision="etag2"))
    assert filled_disk.query(f"SELECT count(*) FROM videos WHERE uri = '{URI}'") == [(1,)]
    assert isinstance(filled_disk.store(), LocalStore)
