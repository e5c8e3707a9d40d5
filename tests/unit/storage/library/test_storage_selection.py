"""Which objects are videos to index."""

from datetime import UTC, datetime

import pytest

from schemas.failures import UsageError
from storage.library.listing import Listing
from storage.library.selection import Selection, is_hidden


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*.mp4", ["a.mp4", "x/y/a.mp4"], ["a.mkv", "a.mp4x"]),
        ("2024/*", ["2024/a.mp4"], ["2024/x/a.mp4", "x/2024/a.mp4"]),
        ("2024/**", ["2024/a.mp4", "2024/x/y/a.mp4"], ["2025/a.mp4"]),
        ("2024/", ["2024/a.mp4", "2024/x/a.mp4"], ["2024", "x/2024/a.mp4"]),
        ("**/raw/*.mp4", ["raw/a.mp4", "x/raw/a.mp4", "x/y/raw/a.mp4"], ["x/raw/y/a.mp4", "xraw/a.mp4"]),
        ("a/**/b.mp4", ["a/b.mp4", "a/x/b.mp4", "a/x/y/b.mp4"], ["a/xb.mp4"]),
        ("clip-?.mp4", ["clip-1.mp4", "x/clip-2.mp4"], ["clip-10.mp4", "clip-.mp4"]),
        ("[ab][0-9].mp4", ["a1.mp4", "b9.mp4"], ["c1.mp4", "aa.mp4"]),
        ("x/[!a]?.mp4", ["x/b1.mp4"], ["x/a1.mp4", "x//1.mp4"]),
        ("[.mp4", ["[.mp4"], ["a.mp4"]),
        ("a+(b).mp4", ["a+(b).mp4"], ["aab.mp4"]),
        ("*é😀*", ["xé😀.mp4"], ["e.mp4"]),
        ("A.mp4", ["A.mp4"], ["a.mp4"]),
    ],
)
def test_globs_mean_what_the_docs_say(pattern: str, matching: list[str], other: list[str]) -> None:
    """The same pattern takes as `include` what it leaves out as `exclude`."""
    include, exclude = Selection(None, include=(pattern,)), Selection(None, exclude=(pattern,))
    for key in matching:
        assert include.takes(key), key
        assert not exclude.takes(key), key
    for key in other:
        assert not include.takes(key), key
        assert exclude.takes(key), key


@pytest.mark.parametrize("name", ["a.GIF", "a.qt", "a.dv", "A.MP4", "b.M2TS"])
def test_what_holds_moving_pictures_is_a_video_by_its_name(name: str) -> None:
    """Old and rare containers too, in any case."""
    assert Selection().takes(name)


def test_extensions_are_compared_without_case() -> None:
    """Cameras write .MP4 and .MOV."""
    selection = Selection()
    assert selection.takes("DCIM/CLIP.MP4")
    assert not selection.takes("notes.txt")
    assert not selection.takes("mp4")
    assert not selection.takes("archive.mp4/readme")
    assert Selection(extensions=None).takes("notes.txt")


def test_exclude_wins_over_include() -> None:
    """So that a broad include can have exceptions."""
    selection = Selection(include=("2024/**",), exclude=("*trailer*",))
    assert selection.takes("2024/film.mp4")
    assert not selection.takes("2024/trailer.mp4")


def test_a_broken_glob_is_said_at_once() -> None:
    """Before the listing starts."""
    with pytest.raises(UsageError, match=r"\[z-a\]"):
        Selection(include=("[z-a].mp4",))
    with pytest.raises(UsageError, match="empty glob"):
        Selection(exclude=("",))


def test_hidden_names() -> None:
    """Dot files and everything in dot folders."""
    assert is_hidden(".DS_Store")
    assert is_hidden("x/._clip.mp4")
    assert is_hidden(".Trash/clip.mp4")
    assert not is_hidden("x/clip.v2.mp4")


def test_a_listing_that_is_not_whole_proves_nothing_deleted() -> None:
    """What is older than `since`, or came after the inventory, is there all the same."""
    assert Listing(iter(()), Selection(prefixes=("a",))).is_whole
    assert not Listing(iter(()), Selection(modified_since_ns=1)).is_whole
    assert not Listing(iter(()), Selection(), as_of=datetime(2026, 11, 20, tzinfo=UTC)).is_whole


def test_folders_on_the_way_to_a_prefix_are_entered() -> None:
    """And those below it; keys are taken by their beginning."""
    selection = Selection(prefixes=("a/b/c", "x"))
    assert [
        folder for folder in ("a/", "a/b/", "a/b/cd/", "a/x/", "b/", "x/", "xy/") if selection.enters(folder)
    ] == [
        "a/",
        "a/b/",
        "a/b/cd/",
        "x/",
        "xy/",
    ]
    assert selection.takes("a/b/c1.mp4")
    assert not selection.takes("a/b/d.mp4")
