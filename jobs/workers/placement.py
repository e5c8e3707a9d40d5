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
    """The number of models, None: as many as the GPUs that are there or come allow, and what each gets.
    `num_threads` is for the model on a CPU, 0 on a GPU; `num_gpus` are of one node."""

    num_actors: int | None
    device: Literal["cuda", "cpu"]
    num_cpus: int
    num_threads: int
    num_gpus: int = 1

    @property
    def devices(self) -> tuple[str, ...]:
        """Names that torch has for them in the process of one model."""
        return tuple(f"cuda:{n}" for n in range(self.num_gpus)) if self.device == "cuda" else ("cpu",)


NO_ACTORS = Placement(0, "cpu", num_cpus=0, num_threads=0)
_BOTH = "Say one of them: how many models there are follows from the GPUs and --gpus-per-model."


def place_actors(settings: Settings, weights: Weights, nodes: Nodes, is_private: bool) -> Placement:
    """A model for each GPU, or for each few; on CPUs they share the cores and leave one to the readers.

    Only the built-in model takes to the CPU by itself, where there is no GPU. In a cluster that was joined
    GPUs may come; `is_private`: here none will. Raises `PreflightError` and `UsageError`.
    """
    _check_numbers(settings)
    wanted, each = settings.num_models, settings.gpus_per_model
    is_small = weights.model_id == BUILT_IN
    asks_for_gpus = settings.num_gpus or each > 1
    if settings.device == "cpu" or (
        settings.device == "auto" and is_small and not nodes.num_gpus and not asks_for_gpus
    ):
        return _on_cpus(settings, nodes)
    if is_private:
        _check_gpus(wanted or 1, each, nodes.num_gpus, weights.model_id)
    # A CPU each would leave none to the readers on a machine that has one.
    return Placement(wanted, "cuda", num_cpus=0, num_threads=0, num_gpus=each)


def _check_numbers(settings: Settings) -> None:
    if settings.num_gpus is not None and settings.num_actors not in (None, settings.num_models):
        raise UsageError(f"--num-gpus {settings.num_gpus} and --num-actors {settings.num_actors}", _BOTH)


def _on_cpus(settings: Settings, nodes: Nodes) -> Placement:
    if settings.num_gpus:
        raise UsageError(f"--num-gpus {settings.num_gpus} and --device cpu", "Say one of them.")
    if settings.gpus_per_model > 1:
        raise UsageError(f"--gpus-per-model {settings.gpus_per_model} and --device cpu", "Say one of them.")
    wanted = settings.num_actors or 1
    cores = len(os.sched_getaffinity(0))
    num_cpus = 1 if nodes.num_cpus > wanted else 0  # readers need at least one
    return Placement(wanted, "cpu", num_cpus, num_threads=max(1, (cores - 1) // wanted))


def _check_gpus(wanted: int, each: int, num_there: int, model_id: str) -> None:
    """Of a machine that gets no more of them."""
    if not num_there:
        raise PreflightError(
            f"no GPU on this machine for {model_id}",
            "Join a cluster with --ray-address, or say --device cpu: it works, and takes far longer.",
        )
    if each > num_there:
        raise UsageError(
            f"{each} GPUs for each model, and {num_there} on this machine",
            "Lower --gpus-per-model, or join a cluster with --ray-address.",
        )
    if wanted * each > num_there:
        of_each = f" of {each} GPUs each" if each > 1 else ""
        raise UsageError(
            f"{wanted} actors{of_each} for {num_there} GPUs",
            "No two models share a GPU: lower --num-actors, --num-gpus or --gpus-per-model.",
        )
