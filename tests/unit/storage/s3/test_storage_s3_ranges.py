"""Listing in parts: whatever the keys, the same objects in the same order as from first to last."""

from bisect import bisect_left, bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.s3.ranges import MAX_PARTS, THREADS, Range, list_in_order, outermost, split

ALPHABETS = ["01", "0123456789", "a/", "ab/é字😀", "".join(map(chr, range(0x20, 0x180)))]


class Keys:
    """What a server answers, from a sorted list."""

    def __init__(self, keys: list[str], num_a_call: int = 3) -> None:
        self.keys = sorted(keys, key=str.encode)
        self._bytes = [key.encode() for key in self.keys]
        self.num_a_call = num_a_call
        self.calls: list[Range] = []

    def within(self, keys: Range) -> list[str]:
        prefix = keys.prefix.encode()
        first = max(bisect_left(self._bytes, prefix), bisect_right(self._bytes, keys.after.encode()))
        return self.keys[first : bisect_left(self._bytes, prefix + b"\xff")] if prefix else self.keys[first:]

    def list_some(self, keys: Range) -> tuple[list[str], Range | None]:
        self.calls.append(keys)
        found = self.within(keys)
        some = found[: self.num_a_call]
        return some, Range(keys.prefix, some[-1]) if len(found) > len(some) else None

    def first_key(self, keys: Range) -> str | None:
        return next(iter(self.within(keys)), None)


@st.composite
def key_lists(draw: st.DrawFn) -> list[str]:
    """Keys that share beginnings, of which some begin with others."""
    texts = st.text(draw(st.sampled_from(ALPHABETS)), min_size=1, max_size=8)
    stems = draw(st.lists(texts, max_size=20))
    ends = draw(st.lists(st.tuples(st.sampled_from(["", *stems]), texts), max_size=300))
    return [*{"x", *stems, *(stem + end for stem, end in ends)}]


@given(key_lists(), st.integers(1, 29), st.data())
def test_parts_are_listed_in_the_order_of_their_keys(
    keys: list[str], num_a_call: int, data: st.DataObject
) -> None:
    """All keys once, in order of their UTF-8 bytes, also where only some prefixes are wanted."""
    server = Keys(keys, num_a_call)
    assert list(list_in_order([Range("")], server.list_some, server.first_key)) == server.keys
    chosen = data.draw(st.lists(st.sampled_from(server.keys), max_size=5))
    wanted = outermost(chosen + [key[:1] for key in server.keys[:2]])
    listed = list(list_in_order(map(Range, wanted), server.list_some, server.first_key))
    assert listed == [key for key in server.keys if key.startswith(tuple(wanted))]


@given(key_lists(), st.data())
def test_a_split_range_is_the_sum_of_its_parts(keys: list[str], data: st.DataObject) -> None:
    """Also one that begins after some key; and it is split wherever it has two keys that can be parted."""
    server = Keys(keys)
    prefix = data.draw(st.sampled_from(server.keys))[: data.draw(st.integers(0, 2))]
    whole = Range(prefix, data.draw(st.sampled_from(["", *server.keys])))
    parts = split(whole, server.first_key)
    assert [key for part in parts for key in server.within(part)] == server.within(whole)
    assert len(parts) <= MAX_PARTS + 1
    assert all(map(server.within, parts[:MAX_PARTS]))


def test_a_long_common_beginning_takes_few_requests() -> None:
    """Half of what is left of it at a time."""
    server = Keys([f"{'archive/' * 30}{number:02}" for number in range(100)])
    asked: list[Range] = []

    def first_key(keys: Range) -> str | None:
        asked.append(keys)
        return server.first_key(keys)

    assert len(split(Range(""), first_key)) == 10
    assert len(asked) < 25


def test_a_large_range_is_listed_by_all_threads() -> None:
    """Most of what is listed begins elsewhere than where the one before ended."""
    server = Keys([f"video {number:05}" for number in range(20_000)], num_a_call=100)
    assert len(list(list_in_order([Range("")], server.list_some, server.first_key))) == 20_000
    assert len({call.prefix for call in server.calls}) > THREADS


def test_no_more_is_held_than_promised() -> None:
    """However slowly the caller takes it."""
    server = Keys([f"{number:05}" for number in range(20_000)], num_a_call=10)
    listing = list_in_order([Range("")], server.list_some, server.first_key)
    for num_taken, _ in enumerate(listing):
        assert len(server.calls) * server.num_a_call - num_taken <= 3 * THREADS * server.num_a_call


def test_an_error_reaches_the_caller() -> None:
    """In whichever part it happens."""

    def list_some(keys: Range) -> tuple[list[str], Range | None]:
        if keys.prefix == "b":
            raise PermissionError("b")
        return [keys.prefix], None

    with pytest.raises(PermissionError):
        list(list_in_order(map(Range, "abc"), list_some, lambda _: None))


def test_prefixes_inside_of_others_are_left_out() -> None:
    """So that nothing is listed twice."""
    assert outermost(["b", "a/x", "a", "é", "a/", "b"]) == ["a", "b", "é"]
