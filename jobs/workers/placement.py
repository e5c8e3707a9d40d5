"""Where models run: one pinned to each GPU, or several sharing the cores of a machine without one."""

import os
from dataclasses import dataclass
from typing import Literal

from jobs.cluster.nodes import Nodes
from jobs.settings.config import Settings
from jobs.weights import BUILT_IN, Weights
from schemas.failures import PreflightError, UsageError


@dataclass(frozen=True)
class Placement:
    """How many models there are, None: one for each GPU that is there or comes, and what each of them gets.
    `num_threads` is for the model on a CPU, 0 on a GPU."""

    num_actors: int | None
    device: Literal["cuda", "cpu"]
    num_cpus: int
    num_threads: int


NO_ACTORS = Placement(0, "cpu", num_cpus=0, num_threads=0)
_BOTH = "Say one of them: on GPUs there are as many models as GPUs."


def place_actors(settings: Settings, weights: Weights, nodes: Nodes, is_private: bool) -> Placement:
    """One model per GPU; on CPUs they share this machine's cores and leave one to the readers.

    Only the built-in model takes to the CPU by itself, where there is no GPU. In a cluster that was joined
    GPUs may come; `is_private`: here none will. Raises `PreflightError` and `UsageError`.
    """
    if settings.num_gpus and settings.num_actors not in (None, settings.num_gpus):
        raise UsageError(f"--num-gpus {settings.num_gpus} and --num-actors {settings.num_actors}", _BOTH)
    is_small = weights.model_id == BUILT_IN
    if settings.device == "cpu" or (
        settings.device == "auto" and is_small and not nodes.num_gpus and not settings.num_gpus
    ):
        return _on_cpus(settings, nodes)
    wanted = settings.num_gpus or settings.num_actors
    if is_private:
        _check_gpus(wanted or 1, nodes.num_gpus, weights.model_id)
    # A CPU each would leave none to the readers on a machine that has one.
    return Placement(wanted, "cuda", num_cpus=0, num_threads=0)


def _on_cpus(settings: Settings, nodes: Nodes) -> Placement:
    if settings.num_gpus:
        raise UsageError(f"--num-gpus {settings.num_gpus} and --device cpu", "Say one of them.")
    wanted = settings.num_actors or 1
    cores = len(os.sched_getaffinity(0))
    num_cpus = 1 if nodes.num_cpus > wanted else 0  # readers need at least one
    return Placement(wanted, "cpu", num_cpus, num_threads=max(1, (cores - 1) // wanted))


def _check_gpus(wanted: int, num_there: int, model_id: str) -> None:
    """Of a machine that gets no more of them."""
    if not num_there:
        raise PreflightError(
            f"no GPU on this machine for {model_id}",
            "Join a cluster with --ray-address, or say --device cpu: it works, and takes far longer.",
        )
    if wanted > num_there:
        raise UsageError(
            f"{wanted} actors for {num_there} GPUs",
            "One model is pinned per GPU: lower --num-actors or --num-gpus.",
        )
