"""Objects as files of one folder. A hard link is the local "create unless it exists"."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import duckdb

from schemas.identity import moment_of
from storage.errors import AccessDenied, NoSpace, NotFound, ObjectError
from storage.objects.stored import Place, StoredObject
from storage.sql import glob_escape, quote, scan_files

if TYPE_CHECKING:
    import pyarrow as pa  # questions do without

_PENDING = ".pending-"  # being written, or left behind by a killed writer; never listed


@dataclass(frozen=True, slots=True)
class LocalStore:
    """Objects of an index on a disk; `root` is absolute and need not exist before the first object."""

    root: Path
    takes_requests: ClassVar[bool] = False

    @property
    def url(self) -> str:
        return str(self.root)

    @property
    def exists_already(self) -> bool:
        return self.root.exists()

    def put_if_absent(self, key: str, data: bytes) -> bool:
        path = self.root / key
        try:
            _make_folders(path.parent)
            pending = _write_pending(path.parent, data)
            try:
                os.link(pending, path)
            except FileExistsError:
                return False
            finally:
                pending.unlink()
            _sync_folder(path.parent)
        except OSError as error:
            raise _translate(error, path) from error
        return True

    def replace(self, key: str, make: Callable[[], bytes]) -> None:
        """All at once."""
        path, data = self.root / key, make()
        try:
            _make_folders(path.parent)
            _write_pending(path.parent, data).replace(path)
        except OSError as error:
            raise _translate(error, path) from error

    def read(self, key: str) -> bytes:
        path = self.root / key
        try:
            return path.read_bytes()
        except OSError as error:
            raise _translate(error, path) from error

    def share(self, key: str, file: Path) -> None:
        pass

    def fetch(self, key: str, file: Path) -> None:
        try:
            shutil.copyfile(self.root / key, file)
        except OSError as error:
            raise _translate(error, self.root / key) from error

    def open(self, key: str) -> "pa.NativeFile":
        import pyarrow as pa

        return pa.OSFile(str(self.root / key))

    def trouble_behind(self, error: Exception) -> ObjectError | None:
        return None

    def scan(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        keys: Sequence[str],
        schema: "Callable[[], pa.Schema]",
    ) -> str:
        return scan_files(f"{self.root}/{key}" for key in keys)

    def expect(self, places: Iterable[Place]) -> None:
        """A disk tells at once."""

    def gather(self, keys: Iterable[str]) -> None:
        """Take nothing: each file lies by itself."""

    def allow_scans(self, connection: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> None:
        """DuckDB checks a path twice: as the escaped glob in the view, and as the file it stands for."""
        paths = [f"{self.root}/{key}" for key in keys]
        allowed = {quote(name) for path in paths for name in (path, glob_escape(path))}
        connection.execute(f"SET allowed_paths = [{', '.join(sorted(allowed))}]")

    def exists(self, key: str) -> bool:
        path = self.root / key
        try:
            path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _translate(error, path) from error
        return True

    def delete(self, key: str) -> None:
        path = self.root / key
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _translate(error, path) from error

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield keys in order; `prefix` is empty or ends with a slash."""
        return (key for key, name in self._walk(prefix) if key > after and not _is_pending(name))

    def list_objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield objects in order of their keys; `prefix` is empty or ends with a slash."""
        return self._describe(key for key, name in self._walk(prefix) if not _is_pending(name))

    def list_folders(self) -> Iterator[str]:
        try:
            with os.scandir(self.root) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir())
        except OSError as error:
            raise _translate(error, self.root) from error
        yield from names

    def list_pending(self) -> Iterator[StoredObject]:
        return self._describe(key for key, name in self._walk("") if _is_pending(name))

    def now(self) -> datetime:
        """The time by a file that is written and removed."""
        try:
            _make_folders(self.root)
            pending = _write_pending(self.root, b"")
            try:
                return _modified_at(pending.stat())
            finally:
                pending.unlink()
        except OSError as error:
            raise _translate(error, self.root) from error

    def remove_folder(self, prefix: str) -> None:
        """A writer may be about to put a file there."""
        with suppress(OSError):
            (self.root / prefix).rmdir()

    def _walk(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Keys in order, each with its last component."""
        try:
            with os.scandir(self.root / prefix) as entries:
                found = sorted(entries, key=lambda entry: os.fsencode(entry.name) + b"/" * entry.is_dir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise _translate(error, self.root / prefix) from error
        for entry in found:
            if entry.is_dir():
                yield from self._walk(f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name, entry.name

    def _describe(self, keys: Iterable[str]) -> Iterator[StoredObject]:
        for key in keys:
            with suppress(FileNotFoundError):
                found = (self.root / key).stat()
                yield StoredObject(key, found.st_size, _modified_at(found))


def _is_pending(name: str) -> bool:
    return name.startswith(_PENDING)


def _modified_at(found: os.stat_result) -> datetime:
    return moment_of(found.st_mtime_ns)


def _write_pending(folder: Path, data: bytes) -> Path:
    pending = folder / f"{_PENDING}{secrets.token_hex(8)}"
    try:
        with pending.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        pending.unlink(missing_ok=True)
        raise
    return pending


def _make_folders(folder: Path) -> None:
    """Make folders durably: a new folder is an entry of its parent."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translate(error: OSError, path: Path) -> ObjectError:
    match error.errno:
        case errno.ENOENT:
            return NotFound(f"{path}: not found", "Check the name of the index.")
        case errno.ENOSPC | errno.EDQUOT:
            return NoSpace(f"{path}: the disk is full", "Free some space, then repeat the command.")
        case errno.EPERM | errno.ENOTSUP if error.filename2 is not None:
            hint = "Put the index on a file system with hard links (ext4, xfs, NFS), or on S3."
            return ObjectError(f"{path}: this file system has no hard links", hint)
        case errno.EPERM | errno.EACCES | errno.EROFS:
            return AccessDenied(f"{path}: {error.strerror}", "Let this user write to the index's folder.")
    return ObjectError(f"{path}: {error.strerror}", "Check the path.")
