"""Bytes of objects that never change, kept for a while; many at once from where copies lie together."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Protocol

KEPT_BYTES = 256 << 20
GAP_BYTES = 16 << 10  # less than that is read with what lies on both sides: a request costs more
_RANGE_BYTES = 32 << 20  # what Arrow joins; larger ranges are read once, and would only push out others


class Known(Protocol):
    """Interface of an object's size, and of the place of its last bytes in a pack, if they are in one."""

    @property
    def key(self) -> str:
        """The key by which readers ask for the part."""

    @property
    def size_bytes(self) -> int:
        """The size of the whole part."""

    @property
    def pack(self) -> str | None:
        """The key of the pack that holds the part or its end; None: it is in none."""

    @property
    def start(self) -> int:
        """The offset in the pack, in bytes."""

    @property
    def num_packed(self) -> int:
        """The bytes of the part, counted from its end, that the pack holds."""


Read = Callable[[str, int, int], bytes]  # name of an object, first byte, end
_Range = tuple[str, int, int]


def _is_near(before: Known, after: Known) -> bool:
    end = before.start + before.num_packed
    return before.pack == after.pack and after.start - end <= GAP_BYTES


class Shelf:
    """Sizes and bytes of known objects, by `bucket/key`. What was asked for longest ago goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, Known]] = {}  # name -> prefix of its index, place
        self._stretches: dict[str, tuple[int, int]] = {}  # name -> first byte and end of its pack to be read
        self._held: OrderedDict[_Range, Future[bytes]] = OrderedDict()
        self._ranges: dict[str, set[_Range]] = {}  # those of `_held`, by name
        self._num_bytes = 0

    def expect(self, prefix: str, places: Iterable[Known]) -> None:
        """Know these objects below a prefix, and no others there."""
        with self._lock:
            self._known = {name: known for name, known in self._known.items() if known[0] != prefix}
            self._known |= {prefix + place.key: (prefix, place) for place in places}
            self._stretches = {k: v for k, v in self._stretches.items() if not k.startswith(prefix)}
            for wanted in [each for each in self._held if each[0].startswith(prefix)]:
                self._drop(wanted)

    def gather(self, names: Iterable[str]) -> None:
        """Read these next, those that lie together in a pack by one request."""
        with self._lock:
            found = [self._known[name] for name in names if name in self._known]
            packed = [(prefix, place) for prefix, place in found if place.pack is not None]
            packed.sort(key=lambda each: (each[1].pack, each[1].start))
            together: list[tuple[str, Known]] = []
            for prefix, place in packed:
                if together and not _is_near(together[-1][1], place):
                    self._stretch(together)
                    together = []
                together.append((prefix, place))
            self._stretch(together)

    def _stretch(self, together: list[tuple[str, Known]]) -> None:
        for prefix, place in together:
            last = together[-1][1]
            stretch = together[0][1].start, last.start + last.num_packed
            self._stretches.setdefault(prefix + place.key, stretch)

    def size_of(self, name: str) -> int | None:
        """Return an object's bytes in number; None: not known."""
        known = self._known.get(name)
        return known[1].size_bytes if known else None

    def forget(self, name: str) -> None:
        """Ask for it again: it is not what it was said to be."""
        with self._lock:
            self._known.pop(name, None)

    def read(self, name: str, first: int, end: int, read: Read) -> bytes:
        """A range of a known object, from its pack where that has it. Raises what `read` raises; LookupError:
        it is not known, or its pack is cut."""
        prefix, place = self._known[name]
        offset = first - (place.size_bytes - place.num_packed)
        if place.pack is None or offset < 0:
            return self._get((name, first, end), read)
        start, stop = self._stretches.get(name, (place.start, place.start + place.num_packed))
        data = self._get((prefix + place.pack, start, stop), read)
        if len(data) != stop - start:
            raise LookupError(name)
        begin = place.start - start + offset
        return data[begin : begin + end - first]

    def _get(self, wanted: _Range, read: Read) -> bytes:
        with self._lock:
            found = self._that_holds(wanted)
            is_first = found is None
            if found is None:
                found = wanted
                self._held[found] = Future()
                self._ranges.setdefault(found[0], set()).add(found)
            held = self._held[found]
            self._held.move_to_end(found)
        if is_first:
            try:
                held.set_result(read(*wanted))
            except BaseException as error:
                held.set_exception(error)
            self._keep(wanted, held)
        (_, first, end), start = wanted, found[1]
        return held.result() if found == wanted else held.result()[first - start : end - start]

    def _that_holds(self, wanted: _Range) -> _Range | None:
        """A range that is held, or on its way, with all of it: itself, or a larger one."""
        name, first, end = wanted
        of_name = self._ranges.get(name, ())
        return next((each for each in of_name if each[1] <= first and end <= each[2]), None)

    def _keep(self, wanted: _Range, held: Future[bytes]) -> None:
        """Keep what was read; errors and large ranges are not, and are read again when they are asked for."""
        with self._lock:
            if self._held.get(wanted) is not held:  # dropped meanwhile
                return
            if held.exception() or (len(held.result()) > _RANGE_BYTES and wanted[0] in self._known):
                self._let_go(wanted)
                return
            self._num_bytes += len(held.result())
            for oldest in list(self._held):
                if self._num_bytes <= KEPT_BYTES or oldest == wanted:
                    break
                self._drop(oldest)

    def _drop(self, wanted: _Range) -> None:
        held = self._held[wanted]
        if held.done():
            self._num_bytes -= 0 if held.exception() else len(held.result())
        self._let_go(wanted)

    def _let_go(self, wanted: _Range) -> None:
        del self._held[wanted]
        self._ranges[wanted[0]].remove(wanted)
        if not self._ranges[wanted[0]]:
            del self._ranges[wanted[0]]
