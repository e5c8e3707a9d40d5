"""The only place that starts or joins Ray."""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import ray

from schemas.failures import PreflightError

# Read by Ray's processes when they start.
_RAY_SETTINGS = {
    "RAY_task_oom_retries": "1",  # the default retries a task that is too big for ever
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # CPU tasks leave CUDA_VISIBLE_DEVICES alone
}


@dataclass(frozen=True)
class Cluster:
    """What the joined cluster offers."""

    num_cpus: int
    num_gpus: int


def has_live_node() -> bool:
    """Whether any machine of the joined cluster is left to work on."""
    return any(node["Alive"] for node in ray.nodes())


def check_reachable(address: str) -> None:
    """ConnectionError at once; Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # "local" or "auto"
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise ConnectionError(str(error)) from None


@contextmanager
def join_cluster(address: str) -> Iterator[Cluster]:
    """Start a private Ray ("local") or join the one at `address`, and leave it at the end.

    The address is always explicit: a bare `ray.init` would attach to whatever runs on this machine.
    Raises `PreflightError` where there is no cluster to join.
    """
    is_local = address == "local"
    for name, value in _RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        check_reachable(address)
        ray.init(
            address=address,
            num_cpus=len(os.sched_getaffinity(0)) if is_local else None,
            include_dashboard=False if is_local else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # a machine too busy to start in time is a plain `Exception` of Ray's
        raise PreflightError(
            f"no Ray cluster at {address}: {str(error).splitlines()[0]}",
            "Check --ray-address; leave it out to run on this machine.",
        ) from None
    try:
        resources = ray.cluster_resources()
        if resources.get("CPU", 0) < 1:
            raise PreflightError(
                f"the Ray cluster at {address} has no CPU to read with", "Add a CPU node to it."
            )
        with redirect_stdout(sys.stderr):  # Ray prints its nodes' messages; stdout is for results
            yield Cluster(int(resources.get("CPU", 0)), int(resources.get("GPU", 0)))
    finally:
        ray.shutdown()
