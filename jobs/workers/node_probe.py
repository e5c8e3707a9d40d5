"""What a node has of what a run needs. The task that looks travels by value: none of it is needed there."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray import cloudpickle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

Bucket = tuple[str, str | None]  # URL and endpoint


@dataclass(frozen=True)
class Needs:
    """The needs of a run on every node that works for it: this version of the package, with this code; the
    folder of the library, or leave to list it on S3; the folder of the weights where models are, that of the
    weights that hear (`speech`), and libraries that read what is asked for (`modules`); where models are,
    those that they need (`model_modules`), too."""

    package: str
    version: str
    code: str
    library: str | None
    weights: str | None
    bucket: Bucket | None = None
    wants_gpus: bool = False
    speech: str | None = None
    modules: tuple[str, ...] = ()
    model_modules: tuple[str, ...] = ()

    def of_node(self, num_gpus: float) -> "Needs":
        """Return what a node with so many GPUs needs."""
        has_models = num_gpus > 0 or not self.wants_gpus
        return replace(self, modules=self.modules + self.model_modules) if has_models else self


def code_here(modules: Sequence[str]) -> str:
    """A hash over names and bytes of the Python and SQL files of packages, wherever they are installed."""
    import hashlib
    from importlib.util import find_spec
    from pathlib import Path

    found = hashlib.blake2b(digest_size=8)
    for module in modules:
        spec = find_spec(module)
        for folder in map(Path, (spec and spec.submodule_search_locations) or ()):
            for path in sorted(path for kind in ("*.py", "*.sql") for path in folder.rglob(kind)):
                found.update(f"{module}/{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def probe_node(
    needs: tuple[str, str, str, Bucket | None, tuple[str, ...]],
    parts: Sequence[str],
    module: str,
    folders: Sequence[str],
) -> tuple[str | None, list[str], str | None, bool]:
    """The version of the package, None where it is not here; the folders that are not here, or cannot be
    read; with the wanted version, what keeps its code, or the library on S3, from being used, and whether
    that may pass, as of a store that does not answer.

    `needs` are package, version, code, bucket and modules, a tuple as the class `Needs` is not there; `parts`
    are the package's own packages, and `module` is what a worker imports. Imports what it needs itself, too.
    """
    import os
    from importlib import import_module
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec

    package, wanted, code, bucket, modules = needs
    try:
        found = version(package) if all(map(find_spec, parts)) else None
    except PackageNotFoundError:
        found = None
    missing = [folder for folder in folders if not os.access(f"{folder}/.", os.R_OK | os.X_OK)]
    if found != wanted:
        return found, missing, None, False
    if code_here(parts) != code:
        return found, missing, f"has another build of {package} {found}", False
    if lacking := [each for each in modules if find_spec(each) is None]:
        return found, missing, f"lacks {', '.join(lacking)}", False
    try:
        import_module(module)
    except Exception as error:
        return found, missing, f"cannot import {module}: {error}", False
    try:
        if bucket:
            import_module("storage.library.library").open_library(*bucket)
    except Exception as error:
        may_pass = bool(getattr(error.__cause__, "retryable", False))
        return found, missing, f"cannot use the {getattr(error, 'message', None) or error}", may_pass
    return found, missing, None, False


def start_probe(node_id: str, parts: Sequence[str], module: str, needs: Needs) -> Any:
    """Run the probe on that node and on no other; it takes no CPU, so it does not wait for one."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    folders = [folder for folder in (needs.library, needs.weights, needs.speech) if folder]
    try:
        where = NodeAffinitySchedulingStrategy(node_id, soft=False)
        options: dict[str, Any] = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": where}
        probe = ray.remote(**options)(probe_node)
        wanted = needs.package, needs.version, needs.code, needs.bucket, needs.modules
        return probe.remote(wanted, parts, module, folders)
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
