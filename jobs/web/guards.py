"""What every answer says to the browser, and which requests are answered at all."""

import ipaddress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")


def content_policy(media_origin: str = "") -> str:
    """A policy of only our own files; `media_origin` lets the player follow a link to a bucket."""
    media = f"'self' {media_origin}".rstrip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"media-src {media}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class SafeHeaders:
    """Adds them to every answer, errors included; a page's own Content-Security-Policy stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", content_policy())
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, send_guarded)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone: `localhost`, `127.0.0.1`, `::1`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str) -> list[str]:
    """Host headers to answer when listening on `host`.

    On loopback only its own names: else a page on the web whose name is made to point at 127.0.0.1 could
    read the index through the browser of whoever runs this (DNS rebinding).
    """
    return [*LOOPBACK_NAMES, host.lower()] if is_loopback(host) else ["*"]
