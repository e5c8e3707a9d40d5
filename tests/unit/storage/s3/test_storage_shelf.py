"""What is read of an object is kept, and serves whatever is in it."""

import pytest

from storage.errors import StorageUnavailable
from storage.objects.stored import Place
from storage.s3 import shelf as shelves
from storage.s3.shelf import Shelf

OBJECT = bytes(range(250)) * 40


class Store:
    """Objects that all have the same bytes, and which ranges of them were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.is_away = False

    def read(self, name: str, first: int, end: int) -> bytes:
        self.asked.append((name, first, end))
        if self.is_away:
            raise StorageUnavailable("away", "Wait.")
        return OBJECT[first:end]


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    made.expect("bucket/", [Place(name, len(OBJECT)) for name in ("a", "b")])
    return made


def test_a_range_within_one_that_was_read_is_not_read_again(shelf):
    """To the last byte, and of no other object; one that begins or ends outside is read."""
    store = Store()
    assert shelf.read("bucket/a", 100, 1_000, store.read) == OBJECT[100:1_000]
    for first, end in ((100, 1_000), (100, 101), (999, 1_000), (250, 700)):
        assert shelf.read("bucket/a", first, end, store.read) == OBJECT[first:end]
    assert store.asked == [("bucket/a", 100, 1_000)]
    for name, first, end in (("a", 99, 1_000), ("a", 600, 1_001), ("b", 250, 700)):
        assert shelf.read(f"bucket/{name}", first, end, store.read) == OBJECT[first:end]
    assert len(store.asked) == 4


def test_what_is_too_large_or_failed_is_read_again(shelf, monkeypatch):
    """And no longer serves what is in it."""
    monkeypatch.setattr(shelves, "_RANGE_BYTES", 500)
    store = Store()
    for _ in range(2):
        assert shelf.read("bucket/a", 0, 501, store.read) == OBJECT[:501]
    store.is_away = True
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            shelf.read("bucket/a", 0, 400, store.read)
    store.is_away = False
    assert shelf.read("bucket/a", 10, 20, store.read) == OBJECT[10:20]
    assert len(store.asked) == 5


def test_what_was_asked_for_longest_ago_goes_first(shelf, monkeypatch):
    """By what is in it, too."""
    monkeypatch.setattr(shelves, "KEPT_BYTES", 1_000)
    store = Store()
    for first in (0, 1_000):
        shelf.read("bucket/a", first, first + 400, store.read)
    shelf.read("bucket/a", 5, 6, store.read)
    shelf.read("bucket/a", 2_000, 2_400, store.read)
    asked = len(store.asked)
    shelf.read("bucket/a", 0, 400, store.read)
    assert len(store.asked) == asked
    shelf.read("bucket/a", 1_000, 1_001, store.read)
    assert len(store.asked) == asked + 1


def test_another_snapshot_of_the_place_lets_go_of_all(shelf):
    """Objects of other places stay."""
    shelf.expect("other/", [Place("a", len(OBJECT))])
    store = Store()
    for name in ("bucket/a", "other/a"):
        shelf.read(name, 0, 10, store.read)
    shelf.expect("bucket/", [Place("a", len(OBJECT))])
    for name in ("bucket/a", "other/a"):
        shelf.read(name, 0, 10, store.read)
    assert [name for name, *_ in store.asked] == ["bucket/a", "other/a", "bucket/a"]
