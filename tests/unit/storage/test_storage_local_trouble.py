"""What stands in an index's way on a disk is told as an error of ours, with the path, whatever was asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.failures import PreflightError
from storage.errors import ObjectError
from storage.objects.local import LocalStore
from storage.query.built.held import hold

KEYS = {
    "a file where a folder should be": "parts/1/2",
    "a name that is too long": f"parts/{'x' * 300}/2",
    "a link in a circle": "loop/2",
}
ASKED: dict[str, Callable[[LocalStore, str, Path], object]] = {
    "write": lambda store, key, _: store.put_if_absent(key, b"new"),
    "replace": lambda store, key, _: store.replace(key, lambda: b"new"),
    "read": lambda store, key, _: store.read(key),
    "fetch": lambda store, key, copy: store.fetch(key, copy),
    "look": lambda store, key, _: store.exists(key),
    "delete": lambda store, key, _: store.delete(key),
    "list": lambda store, key, _: list(store.list(f"{key}/")),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("in_the_way", KEYS)
def test_what_is_in_the_way_on_a_disk_is_named(tmp_path: Path, in_the_way: str, asked: str) -> None:
    """No bare OSError leaves the store, and nothing is written or removed."""
    store = LocalStore(tmp_path / "index")
    store.put_if_absent("parts/1", b"old")
    key = {"a file": "parts/1/2", "a name": f"parts/{'x' * 300}/2", "a link": "loop/2"}[
        in_the_way[:6].strip()
    ]
    (store.root / "loop").symlink_to("loop")

    with pytest.raises(ObjectError, match="index/") as told:
        ASKED[asked](store, key, tmp_path / "copy")

    assert str(store.root / key.partition("/")[0]) in told.value.message
    assert told.value.hint.endswith(".")
    assert store.read("parts/1") == b"old"


def test_a_search_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A link in a circle, say; one that is not there is none."""
    file = tmp_path / "serving.duckdb"
    with hold(file) as path:
        assert path is None
    file.symlink_to(file.name)
    with pytest.raises(PreflightError, match=r"serving\.duckdb") as told, hold(file):
        pass
    assert told.value.hint == "Let this user read it, or name another."
