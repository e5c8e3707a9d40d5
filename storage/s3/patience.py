"""How long a store may take: who sends or takes less than `LEAST_BYTES_PER_S` over `WINDOW_S` is given up.

A read timeout alone is kept for ever by a server that sends a byte now and then. Here each wait for the
network is counted, in both directions, headers and bodies alike: an answer of n bytes is there, or given up,
after at most 2 x `WINDOW_S` + n / `LEAST_BYTES_PER_S` seconds of waiting. The time that the reader of the
bytes takes itself does not count.
"""

import io
import time
from collections.abc import Callable
from http.client import HTTPResponse
from socket import socket
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSConnection, AWSHTTPConnection, AWSHTTPSConnection
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from mypy_boto3_s3 import S3Client

WINDOW_S = 30.0  # also the longest silence
LEAST_BYTES_PER_S = 16 << 10
_READ_BYTES = 256 << 10  # taken from a socket at once, if there are so many
# Sent at once; must be through before the socket's timeout, which while sending is that of connecting.
_PIECE_BYTES = 16 << 10
_ON_ITS_WAY_BYTES = 1 << 20  # what a system keeps of it at most, on a slow line


class TooSlowError(TimeoutError):
    """The other side sent, or took, too little for too long."""


class _Watch:
    """The waiting and the bytes of one exchange, window by window."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self.num_bytes = self._num_in_window = 0
        self._waited_s = self._waited_in_window_s = 0.0

    def wait(self, move: Callable[[], int | None]) -> int | None:
        """What `move` gives: the number of bytes that it moved. TooSlowError: there are too few by now."""
        begun_at = time.monotonic()
        try:
            num_bytes = move()
        except TimeoutError as error:
            self._add(0, time.monotonic() - begun_at)
            raise self._too_slow() from error
        self._add(num_bytes or 0, time.monotonic() - begun_at)
        if self._waited_in_window_s >= WINDOW_S:
            if self._num_in_window < WINDOW_S * LEAST_BYTES_PER_S:
                raise self._too_slow()
            self._num_in_window, self._waited_in_window_s = 0, 0.0
        return num_bytes

    def _add(self, num_bytes: int, waited_s: float) -> None:
        self.num_bytes += num_bytes
        self._num_in_window += num_bytes
        self._waited_s += waited_s
        self._waited_in_window_s += waited_s

    def _too_slow(self) -> TooSlowError:
        return TooSlowError(f"it {self._verb} {self.num_bytes:,} bytes in {self._waited_s:.0f} s")


class _WatchedReader(io.RawIOBase):
    """What a socket brings, the status line and headers first."""

    def __init__(self, unwatched: io.RawIOBase) -> None:
        self._unwatched, self._watch = unwatched, _Watch("sent")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        return self._watch.wait(lambda: self._unwatched.readinto(buffer))

    def close(self) -> None:
        self._unwatched.close()
        super().close()


class _WatchedResponse(HTTPResponse):
    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_WatchedReader(self.fp.detach()), _READ_BYTES)


_AWSConnection: Any = AWSConnection  # it takes what comes beside it in a class for granted


class _Watched(_AWSConnection):  # type: ignore[misc]
    response_class = _WatchedResponse

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taking = _Watch("took")

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._taking = _Watch("took")
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        _send(data, super().send, self._taking)

    def getresponse(self) -> Any:
        """Later, by the time for what this system has taken from us and the store may not have yet."""
        self.timeout += min(self._taking.num_bytes, _ON_ITS_WAY_BYTES) / LEAST_BYTES_PER_S
        return super().getresponse()


class _Connection(_Watched, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _SecureConnection(_Watched, AWSHTTPSConnection):  # type: ignore[misc]
    pass


def _send(data: Any, send: Callable[[Any], None], watch: _Watch) -> None:
    """`data` is one of the pieces of a request, as large as the caller likes."""
    if not isinstance(data, bytes):
        send(data)
        return
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES]

        def send_piece(piece: bytes = piece) -> int:
            send(piece)
            return len(piece)

        watch.wait(send_piece)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}  # by scheme


def watch_client(client: "S3Client") -> None:
    """All that it sends and receives. Botocore has no setting for this; it goes where it keeps its own."""
    session: Any = client._endpoint.http_session  # type: ignore[attr-defined]
    session._pool_classes_by_scheme = session._manager.pool_classes_by_scheme = POOLS


def why_slow(error: BaseException | None) -> str | None:
    """Return what a watch said, however deep urllib3 and botocore wrapped it; None: it was something else."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, TooSlowError):
            return str(error)
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None
