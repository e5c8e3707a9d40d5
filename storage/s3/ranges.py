"""Listing side by side what S3 lists one after the other, in the order of the keys all the same.

A range is all keys with a prefix that sort after some key. It is listed a few pages at a time; where more
is left and threads would be idle, the rest is split at the character by which its keys differ first, which
takes one request for a single key per part. Folders are nothing special: a slash is a character like others.
Only `prefix` and `start-after` are asked of the server, which all servers understand alike.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

THREADS = 16
MAX_PARTS = 64  # of one split; letters, digits and signs fit, and what follows stays one range
_MAX_HELD = 2 * THREADS  # ranges listed, or being listed, that nobody has taken yet: what bounds memory
_LAST = "\U0010ffff"  # sorts after whatever else may follow in a key


@dataclass(frozen=True, slots=True)
class Range:
    """The keys that start with `prefix` and sort after `after`."""

    prefix: str
    after: str = ""


Listed = tuple[list[T], Range | None]  # a range's first objects, and the rest of it, if any
ListSome = Callable[[Range], Listed[T]]
FirstKey = Callable[[Range], str | None]


def outermost(prefixes: Iterable[str]) -> list[str]:
    """Ranges in order, without those that are inside of another."""
    kept: list[str] = []
    for prefix in sorted(prefixes, key=str.encode):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


def split(whole: Range, first_key: FirstKey) -> list[Range]:
    """Parts that make up the range, in order; none for an empty one."""
    first = first_key(whole)
    if first is None:
        return []
    shared, longest = len(whole.prefix), max(len(whole.prefix), len(first) - 1)
    while shared < longest:
        middle = (shared + longest + 1) // 2
        if first_key(Range(whole.prefix, first[:middle] + _LAST)) is None:
            shared = middle
        else:
            longest = middle - 1
    parts = [Range(first[: shared + 1], whole.after)]
    while len(parts) < MAX_PARTS:
        taken = parts[-1].prefix
        after: str | None = taken + _LAST
        while after is not None and after.startswith(taken):
            after = first_key(Range(first[:shared], after))
        if after is None:
            return parts
        parts.append(Range(after[: shared + 1]))
    return [*parts, Range(first[:shared], parts[-1].prefix + _LAST)]


@dataclass(eq=False)
class _Step(Generic[T]):
    """A range on its way: waiting, being listed or split, or listed and waiting for its turn."""

    range: Range
    is_rest: bool = False  # of a range that was more than a few pages
    listing: "Future[Listed[T]] | None" = None
    splitting: Future[list[Range]] | None = None
    is_settled: bool = False  # listed, and its rest is a step of its own

    @property
    def job(self) -> Future[Any] | None:
        """Whichever of the two is under way."""
        return self.listing or self.splitting


def list_in_order(ranges: Iterable[Range], list_some: ListSome[T], first_key: FirstKey) -> Iterator[T]:
    """The objects of disjoint ranges, which are in order; raises what the two functions raise.

    Both are called from several threads. Holds what `_MAX_HELD` calls of `list_some` give.
    """
    steps: list[_Step[T]] = [_Step(one) for one in ranges]
    pool = ThreadPoolExecutor(THREADS, "listing")
    try:
        while steps:
            _begin(steps, pool, list_some, first_key)
            if steps[0].is_settled and steps[0].listing:
                yield from steps.pop(0).listing.result()[0]  # type: ignore[union-attr]
                continue
            under_way: list[Future[Any]] = [step.job for step in steps if step.job and not step.is_settled]
            wait(under_way, return_when=FIRST_COMPLETED)
            steps = [follower for step in steps for follower in _follow(step)]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(
    steps: list[_Step[T]], pool: ThreadPoolExecutor, list_some: ListSome[T], first_key: FirstKey
) -> None:
    """Earliest first. What the caller waits for always goes on, however much is held of what comes later."""
    waiting = [step for step in steps if step.job is None]
    num_held = len(steps) - len(waiting)
    for num_begun, step in enumerate(waiting):
        if step is not steps[0] and num_held + num_begun >= _MAX_HELD:
            break
        if step.is_rest and len(waiting) < THREADS:
            step.splitting = pool.submit(split, step.range, first_key)
        else:
            step.listing = pool.submit(list_some, step.range)


def _follow(step: _Step[T]) -> Iterator[_Step[T]]:
    """What a step becomes once its job is done."""
    if step.splitting and step.splitting.done():
        yield from map(_Step, step.splitting.result())
        return
    yield step
    if step.listing and step.listing.done() and not step.is_settled:
        step.is_settled = True
        rest = step.listing.result()[1]
        if rest:
            yield _Step(rest, is_rest=True)
