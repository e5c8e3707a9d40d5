"""The files of a checkpoint on their way into a folder, a few at once, each taken up where it broke."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storage.checkpoints.parts import etag_of_parts, part_bytes_of
from storage.checkpoints.remote import RemoteCheckpoint, RemoteFile
from storage.errors import Damaged
from storage.s3.arrived import etags_of
from storage.s3.client import s3_client
from storage.s3.download import download

_THREADS = 4  # one connection does not fill a fast network
_COPIES = 2  # of an object in parts, that may arrive damaged
_log = logging.getLogger(__name__)


def fetch_files(checkpoint: RemoteCheckpoint, folder: Path) -> None:
    """Fetch all files into the folder, which only this process writes to.

    Each has its name once it is complete, on the disk, and as its ETag says where that says anything.
    Raises `ObjectError`, and OSError as writing does.
    """
    fields = {"url": checkpoint.url, "num_bytes": checkpoint.num_bytes, "folder": str(folder)}
    _log.info("fetching %s", checkpoint.url, extra={"event": "fetching_weights", "fields": fields})
    pool = ThreadPoolExecutor(_THREADS, "weights")
    try:
        for _ in pool.map(lambda file: _fetch(checkpoint, file, folder), checkpoint.files):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
    _log.info("fetched %s", checkpoint.url, extra={"event": "fetched_weights", "fields": fields})


def _fetch(checkpoint: RemoteCheckpoint, file: RemoteFile, folder: Path) -> None:
    path = folder / file.name
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part_bytes = part_bytes_of(s3_client(checkpoint.endpoint_url), file)
    arrived: set[str] = set()
    for number in range(_COPIES):
        _write(checkpoint, file, part, goes_on=number == 0)
        etag = etag_of_parts(part, part_bytes) if part_bytes else file.etag
        # What comes twice alike is what is stored, whatever the ETag means to this server.
        if etag == file.etag or etag in arrived:
            part.rename(path)
            return
        arrived.add(etag)
    raise Damaged(
        f"{file.uri}: its bytes arrived damaged, {_COPIES} times",
        "Something between here and the store changes them: check the network, then repeat.",
    )


def _write(checkpoint: RemoteCheckpoint, file: RemoteFile, part: Path, goes_on: bool) -> None:
    bucket = file.uri.removeprefix("s3://").partition("/")[0]
    etags = etags_of(checkpoint.endpoint_url, bucket)
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as sink:
        download(s3_client(checkpoint.endpoint_url), etags, file, sink, goes_on)
        sink.flush()
        os.fsync(sink.fileno())
