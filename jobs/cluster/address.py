"""Which cluster a run joins, and whether that lets it in: found out in seconds, with the reason.

Ray itself tries for 20 s to minutes, and then says that it failed to connect.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import AuthenticationError

from schemas.failures import PreflightError, UsageError

LOCAL, AUTO = "local", "auto"
CONNECT_S = 2.0
ASK_S = 3.0  # of the control store, whose client would try for 40 s
ASK_AGAIN_S = 60.0  # of it, by another process that has to import Ray first
_ASK_WITHOUT_TOKEN = "import sys, ray; ray._raylet.GcsClient(address=sys.argv[1])"
_SAID = "Check --ray-address, or RAY_ADDRESS; --ray-address local runs on this machine."
_TOKEN = "in RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names or in ~/.ray/auth_token"


def chosen_address(said: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Return `--ray-address`, else RAY_ADDRESS as for Ray's own tools, else "local": a private Ray.

    HOST:PORT, "auto" or "local". `UsageError` for an address of another kind.
    """
    named = said or environment.get("RAY_ADDRESS") or LOCAL
    scheme, is_url, _ = named.partition("://")
    if is_url and scheme == "ray":
        raise UsageError(
            f"{named} is an address of Ray Client, which keeps the driver off the cluster",
            "A run has to know at once when a node or Ray dies, and Ray Client hides both: name HOST:PORT of "
            "the control store on a node of the cluster, or submit the command with `ray job submit`.",
        )
    if is_url and scheme in ("http", "https"):
        raise UsageError(
            f"{named} is the address of a dashboard, which takes jobs",
            "Submit the command there with `ray job submit`, or name HOST:PORT of the control store.",
        )
    if named not in (LOCAL, AUTO):
        host_and_port(named)
    return named


def host_and_port(address: str) -> tuple[str, int]:
    """Split `head:6379`; an IPv6 address is in brackets. UsageError: it is no such address."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit()) or (":" in host and not host.startswith("[")):
        raise UsageError(f"{address} is no address of a Ray cluster", "Give HOST:PORT, e.g. head:6379.")
    return host.strip("[]"), int(port)


def found_address(address: str) -> str:
    """The same, with "auto" replaced by the cluster of this machine. `PreflightError` where there is none."""
    if address != AUTO:
        return address
    try:
        return str(ray._private.services.canonicalize_bootstrap_address_or_die(AUTO))
    except ConnectionError as error:
        raise PreflightError(f"no Ray cluster on this machine: {first_line(error)}", _SAID) from None


def check_admitted(address: str) -> Any:
    """A client of the control store at HOST:PORT, which has let us in.

    `PreflightError` within seconds where nobody answers there, or the token is missing or wrong.
    """
    try:
        socket.create_connection(host_and_port(address), timeout=CONNECT_S).close()
    except OSError as error:
        raise PreflightError(f"no Ray cluster at {address}: {error}", _SAID) from None
    try:
        _check_token()
        client = _client_of(address)
    except AuthenticationError as error:
        raise _refused(address, error) from None
    if _uses_tokens() and _admits_anybody(address):
        raise PreflightError(
            f"the Ray cluster at {address} uses no tokens, and RAY_AUTH_MODE=token is set here, so what its "
            "nodes answer would be refused",
            "Unset RAY_AUTH_MODE, or set it to disabled; better start the cluster with tokens.",
        )
    return client


def first_line(error: BaseException) -> str:
    """The first line of what it says, or else its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check_token() -> None:
    """`AuthenticationError` where tokens are used and there is none: the client would end the process."""
    from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled

    ensure_token_if_auth_enabled(None, create_token_if_missing=False)


def _uses_tokens() -> bool:
    return os.environ.get("RAY_AUTH_MODE", "").lower() == "token"


def _admits_anybody(address: str) -> bool:
    """Whether a client without a token is let in; False, too, where that does not come out. Another process
    asks, as Ray reads the mode once in each."""
    command = [sys.executable, "-c", _ASK_WITHOUT_TOKEN, address]
    with suppress(subprocess.TimeoutExpired):
        asked = subprocess.run(
            command, env={**os.environ, "RAY_AUTH_MODE": "disabled"}, capture_output=True, timeout=ASK_AGAIN_S
        )
        return asked.returncode == 0
    return False


def _client_of(address: str) -> Any:
    """Made in a thread, as it waits for whatever else may listen there."""
    raylet: Any = ray._raylet  # which the stubs know too little of
    came: list[Any] = []

    def make() -> None:
        try:
            came.append(raylet.GcsClient(address=address))
        except Exception as error:
            came.append(error)

    asking = threading.Thread(target=make, name="probe of Ray's control store", daemon=True)
    asking.start()
    asking.join(ASK_S)
    if not came:
        raise PreflightError(
            f"what listens at {address} does not answer as a control store of Ray (GCS)",
            f"Its port is 6379 unless `ray start --port` said another. {_SAID}",
        )
    if isinstance(came[0], AuthenticationError):
        raise came[0]
    if isinstance(came[0], Exception):
        raise PreflightError(f"no Ray cluster at {address}: {first_line(came[0])}", _SAID)
    return came[0]


def _refused(address: str, error: AuthenticationError) -> PreflightError:
    if _uses_tokens():
        why = first_line(error).partition(". ")[0].removeprefix("RPC error: ")
        return PreflightError(
            f"the Ray cluster at {address} does not let us in: {why}", f"Put its token {_TOKEN}."
        )
    return PreflightError(
        f"the Ray cluster at {address} wants a token, and RAY_AUTH_MODE is not set here",
        f"Set RAY_AUTH_MODE=token, and put its token {_TOKEN}.",
    )
