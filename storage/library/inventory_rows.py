"""The objects of an S3 Inventory in the order of their keys, sorted on disk where memory is short."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from schemas.failures import PreflightError
from schemas.identity import VideoObject
from storage.library.inventory import Inventory, Manifest
from storage.library.selection import is_hidden

_MEMORY = "512MB"
_ROWS = 10_000  # taken out at once
# Storage classes that must be restored from; "Glacier Instant Retrieval" is read like any other.
ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
_ARCHIVE_TIERS = "('ARCHIVE', 'DEEP_ARCHIVE', 'ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS')"


def inventory_objects(
    inventory: Inventory, manifest: Manifest, root: str, prefixes: Sequence[str]
) -> Iterator[tuple[str, VideoObject]]:
    """Objects of `prefixes` as the listing would give them, with keys relative to `root`.

    Older versions and delete markers are no objects. One data file at a time is copied to the temporary
    folder. PreflightError: one of them is missing or damaged.
    """
    with tempfile.TemporaryDirectory(prefix="media-index-inventory-") as name:
        folder = Path(name)
        with duckdb.connect(folder / "objects.duckdb") as connection:
            connection.execute(f"SET memory_limit = '{_MEMORY}'; SET TimeZone = 'UTC'")
            connection.execute("SET preserve_insertion_order = false")
            _load(connection, inventory, manifest, folder, prefixes)
            yield from _sorted(connection, f"s3://{manifest.bucket}/", root)


def _load(
    connection: duckdb.DuckDBPyConnection,
    inventory: Inventory,
    manifest: Manifest,
    folder: Path,
    prefixes: Sequence[str],
) -> None:
    columns = "key VARCHAR, size BIGINT, modified_s BIGINT, etag VARCHAR, is_archived BOOLEAN"
    connection.execute(f"CREATE TABLE objects ({columns})")
    for file in manifest.files:
        path = inventory.copy(file, folder)
        try:
            connection.execute(f"INSERT INTO objects {_select(manifest)}", [str(path), list(prefixes)])
        except duckdb.Error as error:
            raise PreflightError(
                f"{inventory.url}: its file {file.key} cannot be read: {str(error).splitlines()[0]}",
                "Take the inventory before, or leave out --inventory.",
            ) from error
        path.unlink()


def _select(manifest: Manifest) -> str:
    """SQL for the current objects of one data file, `$1`, whose key has one of the prefixes `$2`."""
    columns = manifest.columns
    key, source = "key", "read_parquet($1)"
    if manifest.format == "CSV":
        key = "url_decode(replace(key, '+', ' '))"  # a plus in a key is %2B
        named = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
        quoting = """auto_detect=false, header=false, quote='"', escape='"'"""
        source = f"read_csv($1, {quoting}, columns={{{named}}})"
    is_archived = f"storage_class IN {ARCHIVES}"
    if "intelligent_tiering_access_tier" in columns:
        is_archived += f" OR coalesce(upper(intelligent_tiering_access_tier) IN {_ARCHIVE_TIERS}, false)"
    conditions = [f"list_bool_or(list_transform($2, lambda prefix: starts_with({key}, prefix)))"]
    if "is_latest" in columns:
        conditions.append("is_latest::BOOLEAN")
    if "is_delete_marker" in columns:
        conditions.append("NOT is_delete_marker::BOOLEAN")
    return f"""
        SELECT {key}, size::BIGINT, epoch_ms(last_modified_date::TIMESTAMPTZ) // 1000,
            trim(e_tag, '"'), {is_archived}
        FROM {source} WHERE {" AND ".join(conditions)}"""


def _sorted(
    connection: duckdb.DuckDBPyConnection, bucket: str, root: str
) -> Iterator[tuple[str, VideoObject]]:
    """An object that is listed twice, once: as it was last."""
    rows = connection.execute("FROM objects ORDER BY key, modified_s DESC")
    last = None
    while some := rows.fetchmany(_ROWS):
        for key, size, modified_s, etag, is_archived in some:
            below = key[len(root) :]
            if key != last and not key.endswith("/") and not is_hidden(below):
                yield (
                    below,
                    VideoObject(f"{bucket}{key}", size, modified_s * 10**9, etag, is_archived=is_archived),
                )
            last = key
