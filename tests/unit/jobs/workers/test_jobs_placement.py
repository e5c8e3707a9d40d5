"""Where models run: never on a CPU unless it was said, or the model is the built-in one."""

import os
from pathlib import Path

import pytest

from jobs.cluster.nodes import Node, Nodes
from jobs.settings.config import Settings
from jobs.weights import Weights
from jobs.workers.placement import Placement, place_actors
from schemas.failures import PreflightError, UsageError
from videoxl2.network.configs.config import ModelConfig

CPUS = Nodes({"a": Node("a", "head", 8, 0)})
GPUS = Nodes({"a": Node("a", "head", 1, 2)})
NOTHING = Nodes({"a": Node("a", "head", 0, 0)})
ONE_PER_GPU = Placement(None, "cuda", 0, 0)


def place(nodes: Nodes, is_private: bool = False, model: str = "large", **settings) -> Placement:
    weights = Weights(model, Path("weights"), "revision", ModelConfig())
    return place_actors(Settings.of(library="l", index="i", **settings), weights, nodes, is_private)


def test_a_large_model_waits_for_gpus_and_never_falls_to_the_cpu():
    """In a cluster they may come; on one machine they will not."""
    assert place(NOTHING) == place(CPUS) == place(GPUS) == ONE_PER_GPU
    assert place(CPUS, num_gpus=4) == place(CPUS, num_actors=4) == Placement(4, "cuda", 0, 0)
    assert place(GPUS, is_private=True) == ONE_PER_GPU
    with pytest.raises(PreflightError, match="no GPU on this machine for large") as refused:
        place(CPUS, is_private=True)
    assert "--device cpu" in refused.value.hint


def test_the_cpu_is_taken_where_it_was_said_or_for_the_small_model():
    """One core is left to the readers, and of one core nothing is taken from them."""
    threads = max(1, len(os.sched_getaffinity(0)) - 1)
    assert place(CPUS, device="cpu") == Placement(1, "cpu", 1, threads)
    assert place(CPUS, model="small") == Placement(1, "cpu", 1, threads)
    assert place(NOTHING, device="cpu") == Placement(1, "cpu", 0, threads)
    assert place(GPUS, device="cpu").num_cpus == 0
    assert place(GPUS, model="small") == place(CPUS, model="small", device="cuda") == ONE_PER_GPU
    assert place(CPUS, model="small", num_gpus=2).device == "cuda"


def test_a_model_may_take_several_gpus():
    """So many of the GPUs that are asked for make a model, and the process of one sees its own from 0 on."""
    one = place(GPUS, gpus_per_model=2, is_private=True)
    assert (one, one.devices) == (Placement(None, "cuda", 0, 0, 2), ("cuda:0", "cuda:1"))
    assert place(CPUS, num_gpus=4, gpus_per_model=2).num_actors == 2
    assert place(CPUS, num_gpus=4, num_actors=2, gpus_per_model=2).num_actors == 2
    assert place(CPUS, model="small", gpus_per_model=2).device == "cuda"
    assert place(CPUS, device="cpu").devices == ("cpu",)


@pytest.mark.parametrize(
    ("nodes", "settings", "said"),
    [
        (GPUS, {"gpus_per_model": 3}, "3 GPUs for each model, and 2 on this machine"),
        (GPUS, {"gpus_per_model": 2, "num_actors": 2}, "2 actors of 2 GPUs each for 2 GPUs"),
        (
            GPUS,
            {"gpus_per_model": 2, "num_gpus": 1},
            "= 2: ask for 2 with --num-gpus, not for 1",
        ),
        (GPUS, {"gpus_per_model": 4, "num_gpus": 10}, "ask for 8 or 12 with --num-gpus, not for 10"),
        (GPUS, {"gpus_per_model": 2, "num_gpus": 4, "num_actors": 4}, "--num-gpus 4 and --num-actors 4"),
        (GPUS, {"gpus_per_model": 2, "device": "cpu"}, "--gpus-per-model 2 and --device cpu"),
        (GPUS, {"num_actors": 3}, "3 actors for 2 GPUs"),
        (GPUS, {"num_gpus": 3}, "3 actors for 2 GPUs"),
        (GPUS, {"num_gpus": 2, "num_actors": 1}, "--num-gpus 2 and --num-actors 1"),
        (GPUS, {"num_gpus": 2, "device": "cpu"}, "--num-gpus 2 and --device cpu"),
    ],
)
def test_what_cannot_be_is_refused(nodes, settings, said):
    """On one machine, whose number of GPUs is known."""
    with pytest.raises(UsageError, match=said):
        place(nodes, is_private=True, **settings)
