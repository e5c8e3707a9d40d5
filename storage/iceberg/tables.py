"""Iceberg tables: metadata that lists files, made anew where the files are others; what it replaces goes.

A table has one snapshot and no history, so that what was forgotten is in none of its files. Its folder has
`version-hint.text`, by which DuckDB finds the metadata; other engines are told its address.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.failures import PreflightError, UsageError
from storage.errors import preflight
from storage.iceberg.current import Place, files_of, tables_of
from storage.index.publishing.snapshots import own_tables_of
from storage.index.tables.arrow_tables import arrow_schema
from storage.index.tables.columns import COLUMNS, Column
from storage.index.tables.pack_tables import OwnTables
from storage.objects.store import ObjectStore, open_store
from storage.query.catalog import open_catalog
from storage.query.lost_parts import again_if_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

NAMESPACE = "media_index"
_NEWEST = "version-hint.text"
_MAPPING = "schema.name-mapping.default"  # columns of the parts have no ids, so they go by their names
_PROPERTY = "media-index.snapshot"


@dataclass(frozen=True, slots=True)
class Registered:
    """One Iceberg table as it is now."""

    table: str
    metadata: str  # the address by which engines register it
    num_files: int
    num_copies: int  # of those files: parts without the rows that do not count
    is_new: bool  # its files are others than before


def register(url: str, endpoint_url: str | None, output: str) -> tuple[Registered, ...]:
    """Bring the Iceberg tables below `output`, a folder or s3:// address, up to the index's newest snapshot.

    UsageError: pyiceberg is not installed, or nothing is published. PreflightError: the index cannot be read,
    or the output not be written.
    """
    _check_installed()
    return again_if_changed(lambda: _register(url, endpoint_url, output))


def _check_installed() -> None:
    try:
        import pyiceberg.catalog.sql  # noqa: F401 - a second, and only this format needs it
    except ImportError as error:
        hint = "Type `pip install 'media-index[iceberg]'`."
        raise UsageError(f"Iceberg tables need pyiceberg: {error}", hint) from error


def _register(url: str, endpoint_url: str | None, output: str) -> tuple[Registered, ...]:
    with open_catalog(url, endpoint_url) as catalog, preflight("export"), _trouble(output):
        if catalog.snapshot is None:
            raise UsageError(f"nothing is published in {catalog.url} yet", "Run media-index first.")
        place = Place(
            open_store(url, endpoint_url), open_store(output, endpoint_url), catalog, catalog.snapshot
        )
        done = tuple(
            _one(place, endpoint_url, table, columns) for table, columns in tables_of(place.snapshot).items()
        )
        _remove_others(place.output, {each.table for each in done}, own_tables_of(place.snapshot))
        return done


@contextmanager
def _trouble(output: str) -> "Iterator[None]":
    try:
        yield
    except OSError as error:
        raise PreflightError(f"{output}: {error}", "Check its name and its permissions.") from error


def _one(place: Place, endpoint_url: str | None, table: str, columns: tuple[Column, ...]) -> Registered:
    files = sorted(files_of(place, table, columns))
    catalog = _catalog(endpoint_url)
    known = _known(catalog, place.output, table)
    is_new = known is None or _files_in(known) != files or _names_in(known) != [c.name for c in columns]
    found = _make(catalog, place, table, columns, files) if known is None or is_new else known
    _tidy(place.output, table, found)
    num_copies = sum(file.startswith(f"{place.output.url}/{table}/data/") for file in files)
    return Registered(table, found.metadata_location, len(files), num_copies, is_new)


def _catalog(endpoint_url: str | None) -> "SqlCatalog":
    """One in memory: the metadata files are what counts."""
    from pyiceberg.catalog.sql import SqlCatalog

    properties = {"uri": "sqlite:///:memory:"} | ({"s3.endpoint": endpoint_url} if endpoint_url else {})
    catalog = SqlCatalog("media-index", **properties)
    catalog.create_namespace(NAMESPACE)
    return catalog


def _known(catalog: "SqlCatalog", output: ObjectStore, table: str) -> "Table | None":
    """The table as it was left; None: there is none, or it cannot be read."""
    if not output.exists(f"{table}/{_NEWEST}"):
        return None
    version = output.read(f"{table}/{_NEWEST}").decode().strip()
    metadata = f"{table}/metadata/{version}.metadata.json"
    if not output.exists(metadata):
        return None
    return catalog.register_table(f"{NAMESPACE}.{table}", f"{output.url}/{metadata}")


def _files_in(table: "Table") -> list[str]:
    return sorted(task.file.file_path for task in table.scan().plan_files())


def _names_in(table: "Table") -> list[str]:
    return [field.name for field in table.schema().fields]


def _make(
    catalog: "SqlCatalog", place: Place, table: str, columns: tuple[Column, ...], files: Sequence[str]
) -> "Table":
    name = f"{NAMESPACE}.{table}"
    if catalog.table_exists(name):
        catalog.drop_table(name)  # in memory; its files go below
    schema = arrow_schema(columns).remove_metadata()
    made = catalog.create_table(name, schema=schema, location=f"{place.output.url}/{table}")
    with made.transaction() as change:
        mapping = made.schema().name_mapping.model_dump_json()
        change.set_properties({_MAPPING: mapping, _PROPERTY: str(place.snapshot.number)})
        if files:
            change.add_files(list(files), check_duplicate_files=False)
    version = made.metadata_location.rpartition("/")[2].removesuffix(".metadata.json")
    hint: Any = made.io.new_output(f"{place.output.url}/{table}/{_NEWEST}")
    with hint.create(overwrite=True) as sink:
        sink.write(version.encode())
    return made


def _tidy(output: ObjectStore, table: str, found: "Table") -> None:
    """Remove what the table does not refer to: metadata of before, copies of rows that are history."""
    needed = {found.metadata_location, f"{output.url}/{table}/{_NEWEST}", *_files_in(found)}
    if snapshot := found.current_snapshot():
        needed.add(snapshot.manifest_list)
        needed.update(manifest.manifest_path for manifest in snapshot.manifests(found.io))
    for key in list(output.list(f"{table}/")):
        if f"{output.url}/{key}" not in needed:
            output.delete(key)


def _remove_others(output: ObjectStore, tables: set[str], own_tables: OwnTables) -> None:
    """Tables without any row now."""
    for table in {*COLUMNS, *own_tables} - tables:
        for key in list(output.list(f"{table}/")):
            output.delete(key)
