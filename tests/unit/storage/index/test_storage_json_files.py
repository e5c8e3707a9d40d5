"""What an index keeps as JSON: snapshots, leases, recipes, what is being forgotten."""

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.failures import PreflightError
from storage.index.commits.recipes import read_recipe
from storage.index.index import open_index
from storage.index.leases import acquire, read_log
from storage.index.publishing.snapshots import read_newest
from storage.objects.local import LocalStore
from storage.upkeep.forget import find_forgettable

READERS: dict[str, Callable[[LocalStore], object]] = {
    "snapshots/0000000009.json": read_newest,
    "leases/0000000009.json": read_log,
    "recipes/r1.json": lambda store: read_recipe(store, "r1"),
    "forgetting/v1.json": lambda store: find_forgettable(str(store.root), None, "a.mp4"),
}


@pytest.mark.parametrize("key", READERS)
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"schema_version": 99, "later": 1}', "written by a newer media-index"),
        (b'{"number": ', "is damaged"),
        (b"[]", "is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_a_line(
    tmp_path: Path, key: str, data: bytes, why: str
) -> None:
    """Newer or damaged, with what to do; newer ones are not taken for damaged, which people delete."""
    store = open_index(str(tmp_path / "index"), create=True).store
    assert isinstance(store, LocalStore)
    store.put_if_absent(key, data)
    with pytest.raises(PreflightError, match=why) as refused:
        READERS[key](store)
    assert key in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.hint


def test_a_lease_says_its_schema_version(tmp_path: Path) -> None:
    """So that a later version's is not taken for an empty one."""
    store = LocalStore(tmp_path)
    acquire(store, "run", "r1", print)
    assert b'"schema_version": 1' in store.read("leases/0000000001.json")
