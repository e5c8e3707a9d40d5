"""Checks of the machine a run begins on, and of the cluster it joins: GPU, memory, disks, imports, Ray."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from jobs.checks.check import Check, Health, enough
from jobs.checks.imports import names_in_the_way
from jobs.checks.weights_once import WeightsOnce
from jobs.planning.frames import FramesThatFit, itemsize_of
from jobs.planning.preflight import make_scratch
from jobs.prompts.pack import load_packs
from jobs.settings.config import Settings
from jobs.ui.words import size
from jobs.weights import BUILT_IN, Weights
from schemas.failures import MediaIndexError
from videoxl2.errors import ModelMemoryError
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.weight_bits import BITS

SCRATCH_WARNING_BYTES = 20 << 30  # a long film in high quality, and one more that is read ahead
SHM_WARNING_BYTES = 2 << 30  # pictures on their way from reading tasks to one model
MEMORY_WARNING_BYTES = 4 << 30
_ANY_SIZE = 1 << 50  # bytes: so much that only a context is too small


def look_at_gpu(settings: Settings, once: WeightsOnce) -> Check:
    """Check the GPU and whether the weights fit it."""
    from videoxl2.devices import find_gpus, torch_version

    gpus = find_gpus()
    if not gpus:
        return _no_gpu(settings, once, f"{torch_version()}: no GPU on this machine")
    names = [f"{gpu.name} ({size(gpu.free_bytes)} of {size(gpu.total_bytes)} free)" for gpu in gpus]
    said = f"{torch_version()}: {', '.join(names)}, {settings.dtype}"
    if settings.dtype in ("auto", "bfloat16") and not all(gpu.has_bfloat16 for gpu in gpus):
        return Check("gpu", Health.WARNING, f"{said}; no bfloat16 in hardware", "Take --dtype float16.")
    if (each := settings.gpus_per_model) > len(gpus):
        hint = f"Lower --gpus-per-model, or join a cluster with {each} GPUs on a node."
        return Check("gpu", Health.WARNING, f"{said}; a model takes {each} of one machine", hint)
    try:
        weights = once.find() if settings.model else None
    except MediaIndexError:
        weights = None  # said by the check of the weights
    fullest = sorted(gpu.free_bytes for gpu in gpus)[:each]
    if weights is not None and (why := too_large(_config_of(settings, weights), settings.dtype, fullest)):
        return Check("gpu", Health.FAILED, f"{said}; {why.message}", why.hint)
    return Check("gpu", Health.OK, said)


def too_large(config: ModelConfig, dtype: str, free_bytes: Sequence[int]) -> ModelMemoryError | None:
    """Return why GPUs with so much free memory do not hold the weights, and what would do."""
    from videoxl2.network.spread import check_room  # loads torch

    try:
        check_room(config, itemsize_of(config, dtype), free_bytes)
    except ModelMemoryError as error:
        return error
    return None


def _config_of(settings: Settings, weights: Weights) -> ModelConfig:
    return weights.config.with_weight_bits(settings.weight_bits)


def look_at_frames(settings: Settings, once: WeightsOnce) -> Check:
    """Check how many frames of a video fit at once."""
    from videoxl2.devices import find_gpus

    if settings.model is None:
        return Check("frames", Health.OK, "no model")
    try:
        weights, packs = once.find(), load_packs(settings.packs)
    except MediaIndexError:  # said by the check of the weights
        return Check("frames", Health.OK, "known once weights and packs are here")
    bits = settings.weight_bits
    fitting = FramesThatFit(weights, settings.dtype, packs, settings.pixels, settings.gpus_per_model, bits)
    gpus = find_gpus()
    size = fitting.size(settings.max_frames)
    said = f"at most {settings.max_frames:,} of a video at once{f' ({size})' if size else ''}"
    if settings.gpus_per_model > max(1, len(gpus)):  # they are elsewhere
        here = fitting.on_gpu(_ANY_SIZE)
        said += f"; {fitting.cards()}"
    else:
        on_gpus = [fitting.on_gpu(gpu.free_bytes) for gpu in gpus]
        here = min(on_gpus) if gpus else fitting.on_cpu(available_memory()[1])
        said += f"; {here:,} fit here; {fitting.cards()}"
    for other in (each for each in BITS if each != bits):
        said += f"; {fitting.with_weight_bits(other).on_cards()} with --weight-bits {other}"
    if here >= settings.max_frames:
        advice = fitting.advice(settings.max_frames)
        return Check("frames", Health.WARNING if advice else Health.OK, said, advice)
    hint = f"Take --max-frames {here} with --split, or more memory." if here else "Take more memory."
    return Check("frames", Health.WARNING, said, hint)


def _no_gpu(settings: Settings, once: WeightsOnce, said: str) -> Check:
    """Say what a run does about it: small takes the CPU, others where that was said, or a cluster's GPUs."""
    from jobs.cluster.address import LOCAL, chosen_address

    hint = "A run on CPUs works, and is slow. With a GPU: install its driver and torch for CUDA."
    if settings.model is None or settings.device == "cpu":
        return Check("gpu", Health.WARNING, said, hint)
    try:
        if chosen_address(settings.ray_address) != LOCAL:
            return Check("gpu", Health.WARNING, said, hint)
        is_small = once.find().model_id == BUILT_IN
    except MediaIndexError:
        return Check("gpu", Health.WARNING, said, hint)  # another check says what is wrong
    asks_for_gpus = settings.num_gpus or settings.gpus_per_model > 1
    if is_small and settings.device == "auto" and not asks_for_gpus:
        return Check("gpu", Health.WARNING, said, hint)
    wanted = f"{said}, which {settings.model} wants"
    return Check("gpu", Health.FAILED, wanted, "Join a cluster with --ray-address, or say --device cpu.")


def look_at_memory(settings: Settings) -> Check:
    """Check the memory that is free."""
    total, free = available_memory()
    said = f"{size(free)} of {size(total)} free"
    return enough("memory", free, MEMORY_WARNING_BYTES, said, "End other programs, or take a larger machine.")


def available_memory() -> tuple[int, int]:
    """Bytes that this machine or container has, and those of them that are free."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines}
    total, free = sizes["MemTotal"], sizes["MemAvailable"]
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and (text := limit.read_text(encoding="ascii").strip()) != "max":
        total = min(total, int(text))
        free = min(free, total - int(used.read_text(encoding="ascii")))
    return total, free


def look_at_shared_memory(settings: Settings) -> Check:
    """Check the room for pictures between processes."""
    free = shutil.disk_usage("/dev/shm").free
    hint = "Ray uses a disk instead, slowly. In a container: docker run --shm-size=8g."
    return enough("/dev/shm", free, SHM_WARNING_BYTES, f"{size(free)} free", hint)


def look_at_scratch(settings: Settings) -> Check:
    """Check the folder for copies of videos."""
    scratch = make_scratch(settings)
    free = shutil.disk_usage(scratch).free
    hint = "Videos on S3 are copied there while they are read; name a larger disk with --scratch."
    return enough("scratch", free, SCRATCH_WARNING_BYTES, f"{scratch}: {size(free)} free", hint)


def look_at_imports(settings: Settings) -> Check:
    """Check that workers import what is installed."""
    here = Path.cwd()
    if names := names_in_the_way():
        said = f"PYTHONPATH names {here}, whose own {', '.join(names)} would be imported"
        return Check("imports", Health.FAILED, said, "Take it, or the empty entry, out of PYTHONPATH.")
    return Check("imports", Health.OK, f"what is installed, and nothing of {here}, here and on workers")


def look_at_ray(settings: Settings) -> Check:
    """Check Ray: one of the run's own, or the cluster it joins."""
    import ray

    from jobs.cluster.address import LOCAL, chosen_address
    from jobs.cluster.session import is_short, short_root, wanted_root

    said = f"Ray {ray.__version__}"
    address = chosen_address(settings.ray_address)
    if address != LOCAL:
        return _joined(said, address)
    with short_root():  # as a run makes it
        said += f", on this machine: {len(os.sched_getaffinity(0))} CPUs, its folder in {wanted_root()}"
    if not is_short(wanted_root()):
        said += ", through a short link, as sockets need it"
    return Check("ray", Health.OK, said)


def _joined(said: str, named: str) -> Check:
    """Whether the cluster lets us in, and what it has now."""
    from jobs.cluster.address import check_admitted, found_address
    from jobs.cluster.nodes import Nodes, NodeView
    from jobs.cluster.words import words_aside

    with words_aside():
        address = found_address(named)
        nodes = NodeView(check_admitted(address)).look() or Nodes()
    said += f": {address} lets us in: {nodes}"
    if not nodes.num_cpus:
        return Check("ray", Health.WARNING, said, "A run waits for a node with a CPU to read with.")
    return Check("ray", Health.OK, said)
