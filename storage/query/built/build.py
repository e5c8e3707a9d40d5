"""Makes a serving file and puts it in its place: one builder at a time, all or nothing."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from schemas.failures import PreflightError
from storage.errors import preflight
from storage.index.publishing.snapshots import Snapshot, own_tables_of
from storage.objects.store import ObjectStore
from storage.query.built.build_ranges import Progress
from storage.query.built.build_tables import fill
from storage.query.built.database import built_with, is_base, is_of, read_held_info, read_info, serving_path
from storage.query.built.held import hold
from storage.query.built.lock import lock_file, remove_pending, spill_folder
from storage.query.built.sharing import key_of, share
from storage.query.catalog import add_views, find_snapshot
from storage.query.embedder import Embedder, load_embedder
from storage.query.lost_parts import again_if_changed, names_a_part, trouble
from storage.sql import connect, quote

_MEMORY = "25%"  # of the machine's; what needs more goes to a folder beside the file


@dataclass(frozen=True, slots=True)
class Build:
    """The result of a build."""

    file: Path
    snapshot: int
    num_videos: int
    num_documents: int
    num_new: int  # documents that were not in the file before
    num_vectors: int
    size_bytes: int
    not_shared: str | None = None  # why readers of an index on S3 cannot fetch it; None: they can


def build_serving(
    url: str,
    endpoint_url: str | None = None,
    output: Path | None = None,
    words_only: bool = False,
    progress: Progress | None = None,
) -> Build | None:
    """Make or refresh the serving file, and share the one of an index on S3. None: it is current.

    A second builder waits for the first one. Readers see the old file until the new one is complete; a
    build that ends half-way leaves it alone. PreflightError: no index, or no place to write to.
    """
    find_snapshot(url, endpoint_url)  # before a folder is made for the file
    file = output or serving_path(url, endpoint_url)
    with lock_file(file):
        try:
            embedder = None if words_only else load_embedder()
            build = again_if_changed(lambda: _build(url, endpoint_url, file, embedder, progress))
            if output is None:
                with preflight("index"):
                    problem = _share(url, endpoint_url, file, embedder)
                return build and replace(build, not_shared=problem)
            return build
        except RuntimeError as error:  # Ctrl-C while DuckDB works
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            hint = "Check the disk's space and the index, or name another place: --output FILE."
            raise PreflightError(f"{file} cannot be made: {error}", hint) from error


def _share(url: str, endpoint_url: str | None, file: Path, embedder: Embedder | None) -> str | None:
    """Share the file as long as it is of the newest snapshot; why it could not be, or None."""
    store, snapshot = find_snapshot(url, endpoint_url)
    info = read_info(file)
    if snapshot and info and is_of(info, snapshot):
        key = key_of(snapshot, built_with(), embedder.revision if embedder else None)
        return share(store, snapshot, key, file)
    return None


def remove_serving(file: Path) -> None:
    """Remove it and what killed builders left of it. One at work is waited for: it would put them back."""
    with lock_file(file):
        remove_pending(file.with_name(f".pending-{file.name}"))
        file.unlink(missing_ok=True)


def _build(
    url: str, endpoint_url: str | None, file: Path, embedder: Embedder | None, progress: Progress | None
) -> Build | None:
    store, snapshot = find_snapshot(url, endpoint_url)
    with ExitStack() as closing:
        try:
            held = closing.enter_context(hold(file))
            info = read_held_info(held, file) if held else None
        except PreflightError:
            info = None  # damaged: nothing to build on
        is_alike = (
            info is not None
            and info.embedder_revision == (embedder.revision if embedder else None)
            and is_base(info, own_tables_of(snapshot))
        )
        if info is not None and is_alike and is_of(info, snapshot):
            return None
        try:
            return _write(store, snapshot, file, held if is_alike else None, embedder, progress)
        except duckdb.Error as error:
            if names_a_part(error, snapshot):
                raise trouble(store, snapshot, error) from error
            if not is_alike:
                raise
    return _write(store, snapshot, file, None, embedder, progress)  # the earlier file is damaged inside


def _write(
    store: ObjectStore,
    snapshot: Snapshot | None,
    file: Path,
    earlier: Path | None,
    embedder: Embedder | None,
    progress: Progress | None,
) -> Build:
    number = snapshot.number if snapshot else 0
    pending = file.with_name(f".pending-{file.name}")
    remove_pending(pending)  # of a builder that was killed: nobody else holds the lock
    connection = connect()
    try:
        add_views(connection, store, snapshot).make_all()
        connection.execute(f"SET memory_limit = {quote(_MEMORY)}")
        connection.execute(f"SET temp_directory = {quote(str(spill_folder(pending)))}")
        connection.execute(f"ATTACH {quote(str(pending))} AS built (STORAGE_VERSION 'v1.5.0')")
        if earlier:
            connection.execute(f"ATTACH {quote(str(earlier))} AS old (READ_ONLY)")
        num_new = fill(connection, own_tables_of(snapshot), snapshot, embedder, progress)
        counts = [
            connection.execute(f"SELECT count(*) FROM built.{table}").fetchall()[0][0]
            for table in ("videos", "documents", "vectors")
        ]
        connection.execute("DETACH built")
        with pending.open("rb") as written:
            os.fsync(written.fileno())
        pending.replace(file)
    finally:
        connection.close()
        remove_pending(pending)
    num_videos, num_documents, num_vectors = counts
    return Build(file, number, num_videos, num_documents, num_new, num_vectors, file.stat().st_size)
