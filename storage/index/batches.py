"""Items a few at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in order, `size` together, the last ones perhaps fewer; no more are taken than are asked for."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
