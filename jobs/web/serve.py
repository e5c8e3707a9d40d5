"""Bind the port, say where the page is, and serve until Ctrl-C."""

import errno
import logging
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from jobs.web.app import make_app
from jobs.web.guards import is_loopback
from jobs.web.open_index import OpenIndex
from schemas.failures import PreflightError, UsageError
from storage.locations import parse_location

Say = Callable[[str, str | None], None]

_GRACE_S = 1  # for answers under way at Ctrl-C; a player holds its own open for as long as it likes


def serve(
    url: str,
    endpoint_url: str | None,
    library: str | None,
    host: str,
    port: int,
    say: Say,
) -> None:
    """Serve the index at `url` until interrupted; `say` gets a line for people, and with the first the page's
    address.

    PreflightError: the index cannot be read, or the port cannot be had. UsageError: the host is no address
    of this machine, or the library no location.
    """
    if library is not None:
        parse_location(library)  # told now, not with the first video
    index = OpenIndex(url, endpoint_url)
    try:
        with _bind(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            if not is_loopback(host):
                _tell("whoever reaches this address sees the index and its videos; there is no login", say)
            _tell(index.note, say)
            _tell(index.warm_up(), say)
            say(f"serving {index.url}", f"http://{shown}:{listener.getsockname()[1]}")
            settings = uvicorn.Config(
                make_app(index, library, host),
                log_level="warning",
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="off",
                timeout_graceful_shutdown=_GRACE_S,
            )
            _Server(settings).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # or not: where its last answer ends in that moment, the server returns instead
    finally:
        index.close()
    say("stopped", None)


def _tell(note: str | None, say: Say) -> None:
    if note:
        say(f"note: {note}", None)


class _Server(uvicorn.Server):
    """Says nothing about answers that Ctrl-C cut off: a paused player always has one."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        logging.getLogger("uvicorn.error").disabled = True
        super().handle_exit(sig, frame)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror}", "Name an address of this machine.") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _refused(error, host, port) from error
    return listener


def _refused(error: OSError, host: str, port: int) -> PreflightError | UsageError:
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"--host {host} is no address of this machine", "127.0.0.1 is this machine alone.")
    if error.errno == errno.EADDRINUSE:
        return PreflightError(
            f"port {port} on {host} is in use", "Take another with --port, or --port 0 for any that is free."
        )
    return PreflightError(f"port {port} on {host}: {error.strerror}", "Take one above 1023 with --port.")
