"""Whether Ray lives, without asking it: with its control store gone, a call into Ray never comes back.

Of a cluster that was started here, the processes are our children. Of one that was joined, two ports tell:
that of this machine's raylet, without which a driver is nobody, and that of the cluster's control store
(GCS), which may come back while Ray itself would still wait for it. The store is asked, too, of either kind.
"""

import math
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from subprocess import Popen
from typing import Any, Protocol

from jobs.cluster.store_pulse import StorePulse
from schemas.failures import MediaIndexError

# After so long without its control store Ray ends the driver's process, without a word.
RAY_GIVES_UP_S = float(os.environ.get("RAY_gcs_rpc_server_reconnect_timeout_s", "60"))  # noqa: SIM112
STORE_MAY_BE_AWAY_S = 0.75 * RAY_GIVES_UP_S
CONNECT_S = 2.0
LOOK_AGAIN_S = 0.2

_NAMES = {"gcs_server": "control store (GCS)", "raylet": "node manager (raylet)"}


class ClusterLostError(MediaIndexError):
    """Ray died under the run. Remedy: the same command again; no video is at fault."""


class VitalSigns(Protocol):
    """Interface of what shows whether Ray lives."""

    def death(self) -> str | None:
        """Return what died, and how; None while Ray lives. Quick, and safe from any thread."""


@dataclass(frozen=True)
class OwnProcesses:
    """Signs of a cluster that this process started."""

    processes: dict[str, "Popen[bytes]"]  # by Ray's word for them

    @classmethod
    def of(cls, node: Any) -> "OwnProcesses":
        """Return the processes of Ray's `Node` without which nothing works."""
        return cls({name: node.all_processes[name][0].process for name in _NAMES})

    def death(self) -> str | None:
        for name, process in self.processes.items():
            if (code := process.poll()) is not None:
                how = f"killed by {_signal_name(-code)}" if code < 0 else f"exit code {code}"
                return f"its {_NAMES[name]} ended ({how})"
        return None


@dataclass
class Ports:
    """Signs of a cluster that was joined."""

    raylet: tuple[str, int]  # this machine's
    store: tuple[str, int]
    _away_since: float | None = field(default=None, init=False)
    _looked_at: float = field(default=-math.inf, init=False)
    _seen: str | None = field(default=None, init=False)

    def death(self) -> str | None:
        if time.monotonic() - self._looked_at >= LOOK_AGAIN_S:
            self._seen = self._look()
            self._looked_at = time.monotonic()
        return self._seen

    def _look(self) -> str | None:
        if isinstance(_connect(self.raylet), ConnectionRefusedError):
            return f"the {_NAMES['raylet']} of this machine ended"
        error = _connect(self.store)
        if error is None:
            self._away_since = None
            return None
        self._away_since = self._away_since or time.monotonic()
        away_s = time.monotonic() - self._away_since
        if away_s < STORE_MAY_BE_AWAY_S:
            return None
        where = "{}:{}".format(*self.store)
        return f"its {_NAMES['gcs_server']} at {where} has not answered for {away_s:.0f} s ({error})"


@dataclass(frozen=True)
class Answered:
    """Signs of life that also ask whether the control store answers."""

    signs: VitalSigns
    pulse: StorePulse

    def death(self) -> str | None:
        return self.signs.death() or self.pulse.death()


def _connect(address: tuple[str, int]) -> OSError | None:
    try:
        socket.create_connection(address, timeout=CONNECT_S).close()
    except OSError as error:
        return error
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
