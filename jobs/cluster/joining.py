"""The only place that starts, joins or leaves Ray."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.job_config import JobConfig

from jobs.cluster.address import LOCAL, check_admitted, first_line, found_address
from jobs.cluster.memory_kills import MemoryKills, what_is_known
from jobs.cluster.nodes import NodeView, View
from jobs.cluster.session import LEAVING_THREAD, session_folder
from jobs.cluster.store_pulse import StorePulse
from jobs.cluster.vital_signs import Answered, ClusterLostError, OwnProcesses, Ports, VitalSigns
from jobs.cluster.words import read_words, words_aside
from schemas.failures import PreflightError

# Read by Ray's processes when they start.
_RAY_SETTINGS = {
    "RAY_task_oom_retries": "1",  # the default retries a task that is too big for ever
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # CPU tasks leave CUDA_VISIBLE_DEVICES alone
}
RAY_DIES_WITHIN_S = 2.0  # of its workers' deaths; up to 0.3 s were seen
LEAVE_S = 30.0  # five seconds is what Ray takes where it is dead


@dataclass(frozen=True)
class Cluster:
    """The joined cluster: whether it lives, and its nodes. `is_private`: this machine alone, for this run."""

    vital_signs: VitalSigns
    nodes: View
    is_private: bool = False
    memory_kills: MemoryKills = field(default_factory=MemoryKills)

    def check(self) -> None:
        """Check that Ray lives, raising `ClusterLostError` where it has died. Quick, never waits for Ray, and
        safe from any thread."""
        if death := self.vital_signs.death():
            raise ClusterLostError(f"Ray died under the run: {death}", what_is_known(self.memory_kills))

    def check_for(self, seconds: float) -> None:
        """The same all the time for so long, after what may be a first sign of it."""
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            self.check()
            time.sleep(0.1)


class _InstalledCode(JobConfig):
    """Workers import what is installed on their node. Ray would put the driver's current folder before
    that, with whatever lies there: a `jobs/` or a `torch.py` of somebody else would run."""

    def _get_proto_job_config(self) -> Any:
        self._py_driver_sys_path: list[str] = []
        return super()._get_proto_job_config()


@contextmanager
def join_cluster(address: str, keeps_quiet: bool = True) -> Iterator[Cluster]:
    """Start a private Ray ("local") or join the one at `address` (HOST:PORT or "auto"), and leave it then.

    The address is always explicit: a bare `ray.init` would attach to whatever runs on this machine. What Ray
    says meanwhile is kept off the terminal, or left where it goes without `keeps_quiet`. Raises
    `PreflightError` where there is no cluster to join, or this process has joined one already.
    """
    if ray.is_initialized():
        raise PreflightError(
            "this process uses Ray already", "Call `ray.shutdown()` first, or run it in a process of its own."
        )
    for name, value in _RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    with words_aside() if keeps_quiet else nullcontext() as words:
        if address != LOCAL:
            with _connected(partial(_join, address), is_private=False) as cluster:
                yield cluster
            return
        with session_folder() as session:
            try:
                with _connected(partial(_start, session.root), is_private=True) as cluster:
                    session.path = Path(_node().get_session_dir_path())
                    yield cluster
            finally:
                session.words = read_words(words) if words else ""


def _start(root: Path) -> VitalSigns:
    try:
        ray.init(
            address="local",
            num_cpus=len(os.sched_getaffinity(0)),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            job_config=_InstalledCode(),
            _temp_dir=str(root),
        )
    except Exception as error:  # a machine too busy to start in time is a plain `Exception` of Ray's
        raise PreflightError(
            f"Ray does not start on this machine: {first_line(error)}",
            f"Repeat it when the machine is less busy; Ray's logs are in {root}/session_latest/logs.",
        ) from None
    return OwnProcesses.of(_node())


def _join(named: str) -> VitalSigns:
    address = found_address(named)
    check_admitted(address)
    try:
        ray.init(
            address=address, log_to_driver=False, logging_level=logging.ERROR, job_config=_InstalledCode()
        )
    except Exception as error:
        raise PreflightError(
            f"the Ray cluster at {address} cannot be joined: {first_line(error)}",
            "Repeat it on a node of the cluster, with the cluster's versions of Python and Ray.",
        ) from None
    node = _node()
    host, _, port = str(node.gcs_address).rpartition(":")
    return Ports((node.node_ip_address, node.node_manager_port), (host, int(port)))


def _node() -> Any:
    """Ray's own record of this machine; Ray says these things nowhere else."""
    return ray._private.worker._global_node


def _client() -> Any:
    """Our own client of the control store: its calls have a limit, and it outlives Ray's."""
    raylet: Any = ray._raylet  # which the stubs know too little of
    return raylet.GcsClient(address=_node().gcs_address)


def _ask_store() -> Callable[[float], object]:
    """A question that costs nothing."""
    client = _client()
    return lambda timeout_s: client.internal_kv_exists(b"media-index", namespace=b"", timeout=timeout_s)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Put the handler of SIGTERM back: `ray.init` takes it, in the main thread, and would exit with 15."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _connected(connect: Callable[[], VitalSigns], is_private: bool) -> Iterator[Cluster]:
    with _own_sigterm():
        signs = connect()
    pulse = StorePulse(_ask_store())
    vital_signs = Answered(signs, pulse)
    try:
        yield Cluster(vital_signs, NodeView(_client()), is_private)
    finally:
        is_dead = vital_signs.death() is not None
        pulse.end()
        _leave(is_dead)


def _leave(is_dead: bool) -> None:
    """Leave Ray, and end it where it is ours. In a thread, as a Ray that is dying may not let go, also one
    of which nobody has found out yet: then its processes here are ended first."""
    node = _node()
    if is_dead:
        node.kill_all_processes(check_alive=False, allow_graceful=False)
    wait = {"wait_for_processes": True}
    leaving = threading.Thread(target=ray.shutdown, kwargs=wait, name=LEAVING_THREAD, daemon=True)
    leaving.start()
    leaving.join(LEAVE_S)
    if leaving.is_alive() and not is_dead:
        node.kill_all_processes(check_alive=False, allow_graceful=False)
        leaving.join(LEAVE_S)
