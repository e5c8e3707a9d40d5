"""A snapshot lists the files that readers read. Creating the next one is the only switch there is."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.tables import SCHEMA_VERSION
from storage.errors import NotFound
from storage.index.json_files import read_json
from storage.index.layout import SNAPSHOTS, snapshot_key
from storage.index.publishing.packs import NewPart, Pack, repack
from storage.index.tables.pack_tables import OwnTables, join
from storage.objects.store import ObjectStore
from storage.objects.stored import Place

_NAME = re.compile(re.escape(SNAPSHOTS) + r"\d{10}\.json")  # other files there are not ours


class Snapshot(BaseModel):
    """The list of files that readers see; `parts` maps a table to its files, relative to the index's root,
    oldest first.

    `sizes` and `packs` spare readers requests; an older media-index writes neither.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int
    number: int
    created_at: datetime
    parts: dict[str, tuple[str, ...]]
    own_tables: OwnTables = {}  # brought by prompt packs
    sizes: dict[str, int] = {}  # of those parts that are in no pack as a whole, in bytes
    packs: tuple[Pack, ...] = ()

    @cached_property
    def files(self) -> frozenset[str]:
        """The files of all tables."""
        return frozenset(key for keys in self.parts.values() for key in keys)

    @cached_property
    def objects(self) -> frozenset[str]:
        """Keys of its files and packs."""
        return self.files.union(pack.key for pack in self.packs)

    def places(self) -> Iterator[Place]:
        """Yield where its parts are, as far as it says."""
        yield from (Place(key, size) for key, size in self.sizes.items())
        for pack in self.packs:
            yield from pack.places(self.sizes)

    def size_of(self, key: str) -> int | None:
        """The size of one of its parts; None: it does not say."""
        return self.sizes.get(key) or self._packed.get(key)

    @cached_property
    def _packed(self) -> dict[str, int]:
        return {key: num_bytes for pack in self.packs for key, num_bytes in pack.parts.items()}

    def files_of(self, table: str) -> tuple[str, ...]:
        """Keys of a table's parts; none where it has no rows."""
        return self.parts.get(table, ())


def own_tables_of(snapshot: Snapshot | None) -> OwnTables:
    """Tables that packs brought; none before the first publish."""
    return snapshot.own_tables if snapshot else {}


def read_newest(store: ObjectStore, known: Snapshot | None = None) -> Snapshot | None:
    """The newest snapshot, None before the first publish; looks only for ones after `known`."""
    return _newest_after(store, snapshot_key(known.number) if known else "") or known


def read_present(store: ObjectStore, known: Snapshot | None) -> Snapshot | None:
    """The newest snapshot of the index that is there now: `known` itself where that is it still.

    An index that was made anew in the place of another counts from 1 again.
    """
    since = snapshot_key(known.number - 1) if known else ""
    found = _newest_after(store, since) or (_newest_after(store, "") if known else None)
    return known if found == known else found


def _newest_after(store: ObjectStore, after: str) -> Snapshot | None:
    while True:
        newest = max(snapshot_keys(store, after), default=None)
        if newest is None:
            return None
        try:
            return read_snapshot(store, newest)
        except NotFound:  # removed since, so there is a newer one; else the index goes away
            if newest == max(snapshot_keys(store, after), default=None):
                raise


def snapshot_keys(store: ObjectStore, after: str = "") -> Iterator[str]:
    """Keys of the files of snapshots, oldest first."""
    return filter(_NAME.fullmatch, store.list(SNAPSHOTS, after))


def read_snapshot(store: ObjectStore, key: str) -> Snapshot:
    """One snapshot by its file. PreflightError: damaged, or of a newer version."""
    hint = "Restore that file from a backup."
    return read_json(Snapshot, store.read(key), f"{store.url}/{key}", hint)


def create_next(
    store: ObjectStore,
    base: Snapshot | None,
    added: Mapping[str, Sequence[str]],
    own_tables: OwnTables,
    dropped: Collection[str] = (),
) -> Snapshot | None:
    """Create the snapshot after `base`, with the parts in `added` and without those in `dropped`.

    None: another writer was first, its snapshot is the newest.
    """
    parts = {table: tuple(key for key in keys if key not in dropped) for table, keys in _parts_of(base)}
    for table, keys in added.items():
        parts[table] = (*parts.get(table, ()), *map(str, keys))
    number = next_number(base)
    new = [key for keys in added.values() for key in keys]
    snapshot = Snapshot(
        schema_version=SCHEMA_VERSION,
        number=number,
        created_at=datetime.now(UTC),
        parts=parts,
        own_tables=join(own_tables_of(base), own_tables, store.url),
        **_for_requests(store, base, new, dropped),
    )
    created = store.put_if_absent(snapshot_key(number), snapshot.model_dump_json(indent=1).encode())
    return snapshot if created else None


def _for_requests(
    store: ObjectStore, base: Snapshot | None, new: Sequence[str], dropped: Collection[str]
) -> dict[str, Any]:
    """What is known of the parts' sizes and, where requests cost, the packs."""
    before = base.packs if base else ()
    packs = repack(store, before, new, dropped, next_number(base)) if store.takes_requests else ()
    packed = {key: num_bytes for pack in packs for key, num_bytes in pack.parts.items()}
    sizes = {key: num_bytes for pack in before for key, num_bytes in pack.parts.items()}
    sizes |= base.sizes if base else {}
    sizes |= {str(part): part.size_bytes for part in new if isinstance(part, NewPart)}
    sizes = {key: size for key, size in sizes.items() if key not in dropped and packed.get(key) != size}
    return {"packs": packs, "sizes": sizes}


def _parts_of(snapshot: Snapshot | None) -> Iterable[tuple[str, tuple[str, ...]]]:
    return snapshot.parts.items() if snapshot else ()


def next_number(base: Snapshot | None) -> int:
    """Number of the snapshot after `base`; 1 before the first publish."""
    return base.number + 1 if base else 1
