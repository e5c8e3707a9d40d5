"""How many requests a question to an index on S3 costs, and what packs of small parts are worth."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from storage.index.publishing import packs
from storage.index.publishing.snapshots import Snapshot, read_newest
from storage.query.catalog import open_catalog
from storage.s3.client import s3_client
from storage.upkeep import compact as compaction
from storage.upkeep.forget import find_forgettable, forget
from storage.upkeep.vacuum import vacuum

TABLES = ("videos", "scenes", "characters", "highlights", "failures")


@pytest.fixture
def bucket_place(s3_bucket, s3_endpoint, index_place):
    """An empty prefix of a bucket."""
    return index_place(f"s3://{s3_bucket}/an index/ü+%20", s3_endpoint)


@contextmanager
def _counted(endpoint: str) -> Iterator[Counter[str]]:
    """Requests by method."""
    requests: Counter[str] = Counter()

    def count(request: Any, **_: object) -> None:
        requests[request.method] += 1

    events = s3_client(endpoint).meta.events
    events.register("before-send.s3", count)
    try:
        yield requests
    finally:
        events.unregister("before-send.s3", count)


def _ask(place, *sql: str) -> Counter[str]:
    with _counted(place.endpoint_url) as requests, open_catalog(place.url, place.endpoint_url) as catalog:
        for query in sql:
            catalog.query(query)
    return requests


def _publish(place, make_bundle: Callable[..., Any], numbers: range) -> None:
    place.publish(*(make_bundle(uri=f"s3://library/{n}.mp4", titles=("One", "Two")) for n in numbers))


def _newest(place) -> Snapshot:
    found = read_newest(place.store())
    assert found is not None
    return found


def test_requests_stay_the_same_however_often_was_published(bucket_place, make_bundle):
    """As many after 13 publishes as after 3, where all is in one pack: every table once, and two thrice."""
    counts = []
    for numbers in (range(3), range(3, 13)):
        _publish(bucket_place, make_bundle, numbers)
        assert len(_newest(bucket_place).packs) == 1
        everything = _ask(bucket_place, *(f"SELECT count(*) FROM {table}" for table in TABLES))
        again = _ask(bucket_place, *["SELECT count(*) FROM scenes JOIN videos USING (analysis_key)"] * 3)
        counts.append((everything, again))
    assert counts[0] == counts[1]
    assert all(each["HEAD"] == 0 and each.total() <= 10 for each in counts[0])


def test_packs_are_few_and_hold_every_small_part(bucket_place, make_bundle):
    """Each is more than twice as large as the next."""
    _publish(bucket_place, make_bundle, range(11))
    newest = _newest(bucket_place)
    assert {key for pack in newest.packs for key in pack.parts} == newest.files
    sizes = [pack.size_bytes for pack in newest.packs]
    assert all(larger > 2 * smaller for larger, smaller in pairwise(sizes))
    assert len(sizes) <= 4


def test_rows_are_the_same_with_packs_and_without(bucket_place, make_bundle, monkeypatch):
    """Whole parts, ends of parts, and packs that are gone or cut short."""
    monkeypatch.setattr(packs, "WHOLE_BYTES", 9_000)  # of videos, the footer alone is longer than that
    monkeypatch.setattr(packs, "TAIL_BYTES", 6_000)
    _publish(bucket_place, make_bundle, range(5))
    store, newest = bucket_place.store(), _newest(bucket_place)
    held = {key: size for pack in newest.packs for key, size in pack.parts.items()}
    assert {newest.size_of(key) == size for key, size in held.items()} == {True, False}
    with_packs = bucket_place.contents()
    assert len(with_packs["scenes"]) == 10
    first, *others = [pack.key for pack in newest.packs]
    data = store.read(first)
    for key in (first, *others):
        store.delete(key)
    assert bucket_place.contents() == with_packs
    store.put_if_absent(first, data[: len(data) // 2])
    assert bucket_place.contents() == with_packs


def test_an_index_without_packs_is_read_and_gets_them(bucket_place, make_bundle, monkeypatch):
    """As one that an older media-index wrote."""
    monkeypatch.setattr("storage.index.publishing.snapshots.repack", lambda *_: ())
    _publish(bucket_place, make_bundle, range(2))
    assert not _newest(bucket_place).packs
    monkeypatch.undo()
    _publish(bucket_place, make_bundle, range(2, 3))
    assert len(_newest(bucket_place).packs) == 1
    assert len(bucket_place.contents()["scenes"]) == 6


def test_what_is_forgotten_is_in_no_pack(bucket_place, make_bundle):
    """The other videos' parts stay packed, and a vacuum leaves what is listed."""
    _publish(bucket_place, make_bundle, range(4))
    before = _newest(bucket_place)
    place = bucket_place.url, bucket_place.endpoint_url
    forget(*place, find_forgettable(*place, "2.mp4"), lambda holder: None)
    newest, store = _newest(bucket_place), bucket_place.store()
    assert set(store.list("packs/")) == {pack.key for pack in newest.packs}
    assert newest.files == {key for pack in newest.packs for key in pack.parts}
    assert not {pack.key for pack in before.packs} & {pack.key for pack in newest.packs}
    assert len(bucket_place.contents()["videos"]) == 3
    vacuum(*place, lambda holder: None)
    assert set(store.list("packs/")) == {pack.key for pack in newest.packs}


def test_a_table_with_many_small_parts_is_due_until_they_are_merged(disk, make_bundle):
    """And what was merged before is left out until it is no longer much larger than the rest."""
    _publish(disk, make_bundle, range(6))
    before = disk.contents()
    assert compaction.is_due(_newest(disk), 5)
    assert not compaction.is_due(_newest(disk), 6)
    assert not compaction.is_due(_newest(disk), 0)
    assert compaction.compact(disk.url, None, print, at_ease=True) is not None
    assert not compaction.is_due(_newest(disk), 1)
    assert disk.contents() == before


def test_much_larger_parts_wait():
    """1 and 2 and 3 go together, and 5 that follow; not what is five times as large as all of them."""
    assert compaction.of_a_kind({"a": 60, "b": 3, "c": 1, "d": 2, "e": 5}) == {"b": 3, "c": 1, "d": 2, "e": 5}
