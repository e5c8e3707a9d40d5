"""A part that is missing or damaged: the error says what to do, and doing it brings every row back."""

import pytest

from schemas.failures import PreflightError
from schemas.identity import VideoId
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.publishing.snapshots import read_newest
from storage.upkeep.repair import repair

HISTORY = "SELECT analysis_key, state, content_rev FROM commits_all WHERE state <> 'deleted' ORDER BY ALL"


def _repair(place):
    return repair(place.url, place.endpoint_url, wait=print)


def _damage(place, table, how, which=slice(None)) -> list[str]:
    """Spoil parts of a table, and remove the packs, which have copies of them."""
    store = place.store()
    newest = read_newest(store)
    keys = list(newest.files_of(table)[which])
    for pack in newest.packs:
        store.delete(pack.key)
    for key in keys:
        data = store.read(key)
        store.delete(key)
        if how != "missing":
            spoiled = data[: len(data) // 2] if how == "truncated" else data[:4] + b"\0" * 40 + data[44:]
            store.put_if_absent(key, spoiled)
    return keys


def test_a_sound_index_is_left_alone(filled_disk):
    """No snapshot is made."""
    before = read_newest(filled_disk.store())
    assert _repair(filled_disk) is None
    assert read_newest(filled_disk.store()) == before


@pytest.mark.parametrize("table", ["scenes", "sightings"])
def test_missing_parts_come_back_from_the_bundles(filled, table):
    """The reader's error names the remedy; after it all is as it was, history too."""
    before = filled.contents()
    keys = _damage(filled, table, "missing", slice(0, 3))
    with pytest.raises(PreflightError) as raised:
        filled.query(f"SELECT count(*) FROM {table}")
    assert "compact --index" in raised.value.hint
    assert "--repair" in raised.value.hint
    done = _repair(filled)
    assert set(done.damaged) == set(keys)
    assert (done.incomplete_tables, done.lost_bundles) == ((), ())
    assert filled.contents() == before
    assert _repair(filled) is None


@pytest.mark.parametrize("how", ["truncated", "overwritten"])
@pytest.mark.parametrize("table", ["videos", "failures", "keyframes"])
def test_damaged_parts_come_back_too(filled_disk, table, how):
    """Whatever happened to the bytes."""
    before = filled_disk.contents()
    _damage(filled_disk, table, how)
    done = _repair(filled_disk)
    assert done.rows.keys() == {table}
    assert filled_disk.contents() == before


def test_commits_come_back_from_the_listing_of_bundles(filled_disk):
    """Which revision is current too; marks are said to be lost, and come back with the next run."""
    before = filled_disk.contents()
    history = filled_disk.query(HISTORY)
    _damage(filled_disk, "commits", "missing")
    with pytest.raises(PreflightError, match="missing") as raised:
        open_index(filled_disk.url).current_commits([VideoId("x")])
    assert "--repair" in raised.value.hint
    done = _repair(filled_disk)
    assert done.incomplete_tables == ("commits",)
    assert filled_disk.query(HISTORY) == history
    after = filled_disk.contents()
    for table in ("scenes_all", "videos_all", "keyframes_all", "failures_all", "runs"):
        assert after[table] == before[table]


def test_of_two_revisions_the_later_one_is_current_after_a_repair(disk, make_bundle, make_row):
    """Also if only one of their commits was lost: the time at which they were made decides."""
    for lost in (0, 1):
        place = type(disk)(f"{disk.url}-{lost}", None)
        old, new = (make_bundle(revision=str(n), titles=(f"Revision {n}",)) for n in range(2))
        later = new.commit.created_at.replace(year=2027)
        new = new.model_copy(update={"commit": new.commit.model_copy(update={"created_at": later})})
        place.publish(old, new)
        _damage(place, "commits", "missing", slice(lost, lost + 1))
        _repair(place)
        assert place.query("SELECT title FROM scenes") == [("Revision 1",)]
        assert place.query("SELECT count(*) FROM commits_all") == [(2,)]


def test_a_bundle_that_nobody_published_becomes_visible_with_its_rows(filled_disk, make_bundle):
    """It is settled work; without commits it cannot be told from the others."""
    late = make_bundle(uri="s3://library/late.mp4", titles=("Late",))
    pair = late.commit.video_id, late.commit.analysis_key
    open_index(filled_disk.url).commit(*pair, encode_bundle(late))
    _damage(filled_disk, "commits", "missing")
    _repair(filled_disk)
    assert filled_disk.query("SELECT count(*) FROM scenes WHERE title = 'Late'") == [(1,)]
    assert filled_disk.query("SELECT count(*) - count(DISTINCT analysis_key) FROM videos_all") == [(0,)]


def test_what_no_bundle_holds_is_said_to_be_lost(filled_disk):
    """Runs and unsettled videos are in no bundle; the index can be read again all the same."""
    _damage(filled_disk, "runs", "truncated", slice(0, 1))
    _damage(filled_disk, "unfinished", "missing")
    done = _repair(filled_disk)
    assert done.incomplete_tables == ("runs", "unfinished")
    assert len(filled_disk.query("FROM runs")) == 1
    assert _repair(filled_disk) is None


def test_a_bundle_that_is_gone_too_is_named(filled_disk):
    """Its rows cannot come back; the others do."""
    store = filled_disk.store()
    bundle = next(iter(store.list("bundles/")))
    store.delete(bundle)
    _damage(filled_disk, "scenes", "missing")
    done = _repair(filled_disk)
    assert done.lost_bundles == (bundle,)
    assert filled_disk.query("SELECT count(*) FROM scenes_all") != [(0,)]
