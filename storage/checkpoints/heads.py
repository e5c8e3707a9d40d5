"""What a plan needs of a checkpoint: its small files, and of each file of weights the head alone.

A safetensors file begins with the length of its head, 8 bytes, little end first. Such a file without the rest
is one that nothing can load by mistake.
"""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from storage.checkpoints.remote import RemoteCheckpoint, RemoteFile
from storage.errors import Damaged
from storage.s3.client import S3_ERRORS, s3_client, translate
from storage.s3.download import request_for

_FIRST_BYTES = 256 << 10  # of most files of weights, this is more than the head
_LENGTH_BYTES = 8
_LONGEST_HEAD = 100_000_000  # bytes; the format allows no more


def fetch_heads(checkpoint: RemoteCheckpoint, folder: Path) -> None:
    """Make the folder, complete or not at all. Raises `ObjectError`, and OSError as writing does."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    pending = Path(tempfile.mkdtemp(prefix=f".pending-{folder.name}-", dir=folder.parent))
    try:
        for file in checkpoint.files:
            path = pending / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_head(checkpoint, file) if file.has_weights else _read(checkpoint, file))
        with suppress(OSError):  # another process was first
            pending.rename(folder)
    finally:
        shutil.rmtree(pending, ignore_errors=True)


def _head(checkpoint: RemoteCheckpoint, file: RemoteFile) -> bytes:
    data = _read(checkpoint, file, 0, _FIRST_BYTES)
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    if not _LENGTH_BYTES < end <= min(file.size_bytes, _LONGEST_HEAD):
        raise Damaged(f"{file.uri} is no safetensors file", "Upload it again from its source.")
    if end > len(data):
        data += _read(checkpoint, file, len(data), end)
    return data[:end]


def _read(checkpoint: RemoteCheckpoint, file: RemoteFile, first: int = 0, end: int | None = None) -> bytes:
    """Bytes of the listed object, all of them without an `end`."""
    request = request_for(file)
    if end is not None and file.size_bytes:
        request["Range"] = f"bytes={first}-{min(end, file.size_bytes) - 1}"
    try:
        return s3_client(checkpoint.endpoint_url).get_object(**request)["Body"].read()
    except S3_ERRORS as error:
        raise translate(error, file.uri) from error
