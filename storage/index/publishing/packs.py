"""Packs: copies of small parts together in one object, so that one request reads many of them.

A packed part is there by itself as well, so who knows nothing of packs misses nothing. Each pack is more
than twice as large as the next: there are few of them, and a byte is copied a few times only.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from storage.column_runs.together import end_bytes_of
from storage.errors import NotFound
from storage.index.layout import new_pack_key, table_of
from storage.objects.store import ObjectStore
from storage.objects.stored import Place

WHOLE_BYTES = 128 << 10  # of a part that is packed as a whole
TAIL_BYTES = 64 << 10  # of a larger one at least: its footer, which is read before anything else
_MOST_TAIL_BYTES = 1 << 20
_MOST_BYTES = 64 << 20  # of a pack: it is in memory while it is made
# Tables that are asked together lie together; pictures, which few ask for, come last.
_FIRST = (
    *("commits", "runs", "failures", "unfinished", "videos", "scenes", "characters", "highlights"),
    *("shots", "captions", "speech", "screen_text"),
)
_LAST = ("attempts", "strips", "keyframes", "shot_keyframes")


class NewPart(str):
    """The key of a part that was just written, with its size and with what a pack has of it."""

    size_bytes: int
    data: bytes  # all of it, or its end

    @classmethod
    def of(cls, key: str, data: bytes) -> "NewPart":
        """Keep a small one, of a large one its end."""
        part = cls(key)
        part.size_bytes = len(data)
        part.data = data if len(data) <= WHOLE_BYTES else data[-_tail_bytes(data) :]
        return part


def _tail_bytes(data: bytes) -> int:
    """Of a large part, those that a pack has: all of its footer, unless that is very long."""
    return min(max(TAIL_BYTES, end_bytes_of(data)), _MOST_TAIL_BYTES)


class Pack(BaseModel):
    """Copies of parts in one object; `parts` says how many bytes of each are here, the last ones, in the
    order in which they lie."""

    model_config = ConfigDict(frozen=True)

    key: str
    parts: dict[str, int]

    @cached_property
    def size_bytes(self) -> int:
        """The sum of its parts' bytes."""
        return sum(self.parts.values())

    def places(self, sizes: Mapping[str, int]) -> Iterator[Place]:
        """Yield where each part lies; `sizes` has those of the parts that are not here as a whole."""
        start = 0
        for key, num_bytes in self.parts.items():
            yield Place(key, sizes.get(key, num_bytes), self.key, start, num_bytes)
            start += num_bytes


def repack(
    store: ObjectStore, packs: Sequence[Pack], new: Iterable[str], dropped: Collection[str], snapshot: int
) -> tuple[Pack, ...]:
    """The packs of the next snapshot: without the dropped parts, and with the new ones.

    Writes one pack at most. A pack that is gone is left out: its parts are read by themselves.
    """
    contents: dict[str, bytes] = {part: part.data for part in new if isinstance(part, NewPart) and part.data}
    kept: list[Pack] = []
    for pack in packs:
        if pack.parts.keys().isdisjoint(dropped):
            kept.append(pack)
        else:
            contents |= {key: data for key, data in _read(store, pack).items() if key not in dropped}
    while contents and kept and _should_merge(kept[-1].size_bytes, sum(map(len, contents.values()))):
        contents |= _read(store, kept.pop())
    return (*kept, _write(store, contents, snapshot)) if contents else tuple(kept)


def _should_merge(size: int, added: int) -> bool:
    return size <= 2 * added and size + added <= _MOST_BYTES


def _write(store: ObjectStore, contents: Mapping[str, bytes], snapshot: int) -> Pack:
    ordered = {str(key): contents[key] for key in sorted(contents, key=_order)}
    key = new_pack_key(snapshot)
    store.put_if_absent(key, b"".join(ordered.values()))
    return Pack(key=key, parts={part: len(data) for part, data in ordered.items()})


def _read(store: ObjectStore, pack: Pack) -> dict[str, bytes]:
    try:
        data = store.read(pack.key)
    except NotFound:
        return {}
    if len(data) != pack.size_bytes:  # not as it was written
        return {}
    return {
        place.key: data[place.start : place.start + place.num_packed] for place in pack.places(pack.parts)
    }


def _order(part: str) -> tuple[int, str]:
    """The parts of a table next to each other."""
    table = table_of(part)
    if table in _FIRST:
        return _FIRST.index(table), part
    return len(_FIRST) + (1 + _LAST.index(table) if table in _LAST else 0), part
