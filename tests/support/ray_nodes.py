"""A Ray cluster of `ray start` processes on this machine: each is a node, with as many GPUs as it says."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray._private.authentication.authentication_token_setup import (
    enable_token_auth_by_default,
    ensure_token_if_auth_enabled,
)

RAY = Path(sys.executable).with_name("ray")
PORTS = range(20000, 32000)  # Ray gives those from 10002 to 19999 to workers
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "5",  # between SIGTERM and the end
}
HERE = str(Path(__file__).parent)  # workers import the test's module, and so this one
PREEMPTION = 2  # Ray's number for the reason of a drain
# Run with folders, a colon and a command: the command sees empty folders in their place.
HIDE = 'while [ "$1" != : ]; do mount -t tmpfs tmpfs "$1" || exit; shift; done; shift; exec "$@"'
IN_NAMESPACE = ("unshare", "--mount", "--propagation", "private")


def wait_for(is_so: Callable[[], Any], what: str, timeout_s: float = 240.0) -> None:
    """Look again and again; an error names what did not come to be."""
    give_up_at = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < give_up_at, f"waited in vain: {what}"
        time.sleep(0.1)


def use_tokens() -> None:
    """Authenticate from here on, in this process and those that it starts: a private Ray of a test before
    left it so, and a driver that uses tokens gets nothing done on nodes that do not."""
    enable_token_auth_by_default()
    ensure_token_if_auth_enabled(None, create_token_if_missing=True)


def free_port() -> int:
    """One that nobody uses, and Ray will not give to a worker."""
    for port in random.sample(PORTS, 50):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@dataclass
class RayNode:
    """One node: a `ray start --block` and what it started."""

    process: "subprocess.Popen[bytes]"
    node_id: str

    def kill(self) -> None:
        """Its raylet is gone at once, as with its machine."""
        listed = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "raylet/raylet"], capture_output=True, text=True
        )
        os.kill(int(listed.stdout), signal.SIGKILL)

    def end(self) -> None:
        """It drains for a while and ends, as a pod that is deleted."""
        self.process.terminate()


@dataclass
class RayNodes:
    """The cluster. Its head has no GPU."""

    folder: Path
    port: int = field(default_factory=free_port)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    client: Any = None

    @property
    def address(self) -> str:
        """Of the control store."""
        return f"127.0.0.1:{self.port}"

    def start_head(self, num_cpus: int, dashboard_port: int | None = None) -> None:
        """Wait until it answers; its dashboard, if it has one, takes longer."""
        counts = f"--num-cpus={num_cpus}", "--num-gpus=0"
        dashboard = (
            ["--include-dashboard=false"]
            if dashboard_port is None
            else [f"--dashboard-port={dashboard_port}"]
        )
        self._start("--head", f"--port={self.port}", *counts, *dashboard)
        wait_for(lambda: is_open(self.port), "the control store")
        raylet: Any = ray._raylet
        self.client = raylet.GcsClient(address=self.address)
        wait_for(self._ids, "the head")

    def add(
        self, num_cpus: int, num_gpus: int, path: Path | None = None, hidden: Path | None = None
    ) -> RayNode:
        """Start a node, and wait until it has joined. Its workers look for packages in `path` first.

        Where a folder is `hidden`, it has none of what is in there and in Ray's own folder: in their places
        are disks of its own, as on another machine.
        """
        before = self._ids()
        counts = f"--num-cpus={num_cpus}", f"--num-gpus={num_gpus}"
        process = self._start(f"--address={self.address}", *counts, path=path, hidden=hidden)
        wait_for(lambda: self._ids() - before, "a node")
        (node_id,) = self._ids() - before
        return RayNode(process, node_id)

    def drain(self, node: RayNode, seconds: float) -> None:
        """Tell the node that its machine goes away then, as a spot machine is told. It is not ended."""
        deadline_ms = round((time.time() + seconds) * 1000)
        assert self.client.drain_node(node.node_id, PREEMPTION, "spot", deadline_ms)[0]

    def _ids(self) -> set[str]:
        return {
            one.node_id.hex() for one in self.client.get_all_node_info(timeout=10).values() if not one.state
        }

    def _start(
        self, *said: str, path: Path | None = None, hidden: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        away = (*IN_NAMESPACE, "sh", "-c", HIDE, "hide", self.folder, hidden, ":") if hidden else ()
        where = f"--temp-dir={self.folder}", f"--dashboard-agent-listen-port={free_port()}"
        less = "--object-store-memory=80000000", "--disable-usage-stats", "--include-log-monitor=false"
        with (self.folder / f"node {len(self.started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*away, RAY, "start", "--block", *where, *less, *said],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | SETTINGS | {"PYTHONPATH": f"{path}:{HERE}" if path else HERE},
            )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End all of them, at once: whatever names the folder is theirs."""
        for process in self.started:
            process.kill()
            process.wait()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and os.fsencode(self.folder) in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)


def can_hide_folders() -> bool:
    """Whether this user may give a process another view of the disk."""
    try:
        return subprocess.run([*IN_NAMESPACE, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def ray_nodes(head_cpus: int = 0, dashboard_port: int | None = None) -> Iterator[RayNodes]:
    """A cluster of a head alone, with a dashboard at the port, if there is one."""
    use_tokens()
    folder = Path(tempfile.mkdtemp(prefix="mi-nodes-", dir="/tmp"))  # pytest's own are too long for sockets
    nodes = RayNodes(folder)
    try:
        nodes.start_head(head_cpus, dashboard_port)
        yield nodes
    finally:
        nodes.end()
        shutil.rmtree(folder, ignore_errors=True)
