"""What a node has of what a run needs. The task that looks travels by value: none of it is needed there."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray import cloudpickle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


def probe_node(package: str, module: str, folders: Sequence[str]) -> tuple[str | None, list[str]]:
    """The version of the package, None where its module cannot be imported here, and the folders that are not
    here. Imports what it needs itself, as nothing of this module is there."""
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec
    from pathlib import Path

    try:
        found = version(package) if find_spec(module) else None
    except PackageNotFoundError:
        found = None
    return found, [folder for folder in folders if not Path(folder).is_dir()]


def start_probe(node_id: str, package: str, module: str, folders: Sequence[str]) -> Any:
    """Run the probe on that node and on no other; it takes no CPU, so it does not wait for one."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        where = NodeAffinitySchedulingStrategy(node_id, soft=False)
        options: dict[str, Any] = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": where}
        return ray.remote(**options)(probe_node).remote(package, module, list(folders))
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@dataclass(frozen=True)
class Needs:
    """What every node that works for a run has to have: this version of the package, and the folder of the
    library; that of the weights where models are."""

    package: str
    version: str
    library: str | None
    weights: str | None
