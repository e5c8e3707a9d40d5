"""One object on its way into a file: taken up where it broke, and compared with what the store says of it."""

import errno
import hashlib
import io
import logging
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

from botocore.exceptions import FlexibleChecksumError

from storage.errors import Damaged, NoSpace, StorageUnavailable
from storage.s3.arrived import Etags, promised_md5
from storage.s3.client import S3_ERRORS, SLOW_HINT, translate
from storage.s3.patience import why_slow

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_CHUNK_BYTES = 1 << 20
_log = logging.getLogger(__name__)
_MAX_RESUMES = 5  # of one copy; botocore retries only until the first byte
_COPIES = 2  # that may arrive damaged
_TORN_BYTES = 1 << 20  # at the end of what a killed process left: fetched again


class ListedObject(Protocol):
    """An object as a listing shows it."""

    @property
    def uri(self) -> str:
        """The object's URI, `s3://bucket/key`."""

    @property
    def size_bytes(self) -> int:
        """The size that the listing says."""

    @property
    def etag(self) -> str | None:
        """The ETag that the listing says; None: it says none."""

    @property
    def version_id(self) -> str | None:
        """The version to read; None: the current one."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """What came, and what the ETag says of it; None: nothing. `is_refused`: for another reason than that."""

    md5: str
    promised_md5: str | None
    is_refused: bool

    @property
    def is_damaged(self) -> bool:
        return self.is_refused or self.promised_md5 not in (None, self.md5)


def download(
    client: "S3Client", etags: Etags, wanted: ListedObject, file: IO[bytes], goes_on: bool = False
) -> None:
    """Fetch exactly the bytes that were listed, pinned to their ETag; else an ObjectError.

    With `goes_on` the file has what an earlier try at the same bytes left. What comes too slowly is not
    taken up again here: when to try again is for the caller to say.
    """
    copies: list[_Copy] = []
    for number in range(_COPIES):
        copy = _Taking(client, wanted, file).take(goes_on and number == 0)
        if not copy.is_damaged:
            if copy.promised_md5:
                etags.tell_match()
            return
        copies.append(copy)
    if any(copy.is_refused for copy in copies) or len({copy.md5 for copy in copies}) > 1:
        raise Damaged(
            f"{wanted.uri}: its bytes arrived damaged, {_COPIES} times",
            "Something between here and the store changes them: check the network, then repeat.",
        )
    if not etags.are_opaque(wanted.uri):
        raise Damaged(
            f"{wanted.uri}: its bytes have the MD5 {copies[0].md5}, {_COPIES} times, "
            "and not that of its ETag",
            "If that stays so it is damaged where it is stored: upload it again.",
        )


class _Taking:
    """One copy on its way into the file. A connection that breaks is taken up again where it broke."""

    def __init__(self, client: "S3Client", wanted: ListedObject, file: IO[bytes]) -> None:
        self._client, self._wanted, self._file = client, wanted, file
        self._promised_md5: str | None = None

    def take(self, goes_on: bool = False) -> _Copy:
        there = self._file.seek(0, io.SEEK_END) if goes_on else 0
        self._begin(max(0, min(there, self._wanted.size_bytes) - _TORN_BYTES))
        broke_off: Exception | None = None
        for _ in range(1 + _MAX_RESUMES):
            body = self._open()
            is_refused = False
            try:
                self._write(body)
            except FlexibleChecksumError:
                is_refused = True
            except S3_ERRORS as error:
                broke_off = error
                fields = {"uri": self._wanted.uri, "num_bytes": self._file.tell()}
                _log.warning("download broke off: %s", error, extra={"event": "broke_off", "fields": fields})
                if why_slow(error):
                    break
            if is_refused or self._file.tell() >= self._wanted.size_bytes:
                is_refused |= self._file.tell() > self._wanted.size_bytes
                return _Copy(self._digest.hexdigest(), self._promised_md5, is_refused)
        raise self._given_up(broke_off) from broke_off

    def _begin(self, kept_bytes: int = 0) -> None:
        """Keep so many first bytes of the file, and begin behind them."""
        self._file.truncate(kept_bytes)
        self._file.seek(0)
        self._digest = hashlib.md5(usedforsecurity=False)
        while some := self._file.read(_CHUNK_BYTES):
            self._digest.update(some)

    def _open(self) -> "StreamingBody":
        request = request_for(self._wanted)
        if offset := self._file.tell():
            request["Range"] = f"bytes={offset}-"
        else:
            request["ChecksumMode"] = "ENABLED"  # botocore compares them
        try:
            answer = self._client.get_object(**request)
        except S3_ERRORS as error:
            raise translate(error, self._wanted.uri) from error
        if offset and answer["ResponseMetadata"]["HTTPStatusCode"] == 200:  # no ranges here: all of it again
            self._begin()
        self._promised_md5 = promised_md5(self._wanted.etag or "", answer, request["Bucket"])
        return answer["Body"]

    def _write(self, body: "StreamingBody") -> None:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            try:
                self._file.write(chunk)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise no_space(self._wanted) from error
                raise
            self._digest.update(chunk)

    def _given_up(self, broke_off: Exception | None) -> StorageUnavailable:
        here = f"{self._file.tell():,} of {self._wanted.size_bytes:,} bytes are here"
        if slow := why_slow(broke_off):
            return StorageUnavailable(f"{self._wanted.uri}: the store is too slow: {slow}; {here}", SLOW_HINT)
        return StorageUnavailable(
            f"{self._wanted.uri}: the download broke off {1 + _MAX_RESUMES} times; {here}",
            "Check the network, then repeat.",
        )


def request_for(wanted: ListedObject) -> "GetObjectRequestTypeDef":
    """A GET of the bytes that were listed, and no others."""
    bucket, _, key = wanted.uri.removeprefix("s3://").partition("/")
    request: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key, "IfMatch": f'"{wanted.etag}"'}
    if wanted.version_id is not None:
        request["VersionId"] = wanted.version_id
    return request


def no_space(wanted: ListedObject) -> NoSpace:
    """Error of a disk that has no room for an object."""
    return NoSpace(
        f"{wanted.uri}: no room for its {wanted.size_bytes / 1e6:.0f} MB on the local disk",
        "Free some space, or let temporary files go to another disk (TMPDIR).",
    )
