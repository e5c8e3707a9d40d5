"""The verb `doctor`: whether a run will work, found out before anything is spent.

Each check does what a run would do, as far as that costs nothing, and says what it found in one line.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from jobs.checks.imports import names_in_the_way
from jobs.planning.frames import FramesThatFit, is_known_for
from jobs.planning.preflight import chosen_signals, make_scratch, selection_of
from jobs.prompts.budget import check_budgets
from jobs.prompts.pack import load_packs
from jobs.settings.config import Settings, resolve
from jobs.ui.words import size
from jobs.weights import BUILT_IN, BUILT_IN_NOTE, Weights, WeightsNotHere, find_weights
from schemas.failures import MediaIndexError
from storage.index.nearby import nearest_indexes
from storage.index.probe import probe_index
from storage.library.library import open_library

CLOCK_WARNING = timedelta(minutes=1)
SCRATCH_WARNING_BYTES = 20 << 30  # a long film in high quality, and one more that is read ahead
SHM_WARNING_BYTES = 2 << 30  # pictures on their way from reading tasks to one model
MEMORY_WARNING_BYTES = 4 << 30
_ABSENT = "-"  # a setting that was not given, where one must be


class Health(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARNING = "warning"  # a run works, perhaps not as well as it might
    FAILED = "failed"  # a run would not work


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination. `hint` is there where something is to be done."""

    name: str
    health: Health
    detail: str
    hint: str | None = None


_Look = Callable[[Settings], Check]


def examine(values: dict[str, Any]) -> Iterator[Check]:
    """The checks one after the other; `values` as `load_settings` gives them, library and index optional."""
    try:
        settings = resolve({"library": _ABSENT, "index": _ABSENT} | values)
    except MediaIndexError as error:
        yield Check("settings", Health.FAILED, error.message, error.hint)
        return
    yield _settings(settings)
    for name, look in _LOOKS:
        try:
            yield look(settings)
        except MediaIndexError as error:
            yield Check(name, Health.FAILED, error.message, error.hint)
        except OSError as error:
            yield Check(name, Health.FAILED, str(error), "Check the disk, the folders and their permissions.")


def _settings(settings: Settings) -> Check:
    missing = [name for name in ("library", "index") if getattr(settings, name) == _ABSENT]
    places = f"library {settings.library}, index {settings.index}"
    asked = f"model {settings.model}, packs {', '.join(settings.packs)}, fps {settings.fps}"
    said = f"{places}, {asked if settings.model else 'no model'}, signals {', '.join(settings.signals)}"
    if missing:
        hint = " and ".join(f"--{name}" for name in missing)
        return Check("settings", Health.WARNING, said, f"Add {hint}.")
    return Check("settings", Health.OK, said)


def _library(settings: Settings) -> Check:
    if settings.library == _ABSENT:
        return Check("library", Health.WARNING, "not given, not looked at", "Add --library.")
    library = open_library(settings.library, settings.endpoint_url, follows_links=settings.follow_links)
    listing = library.list_videos(selection_of(settings))
    video = next(listing, None)
    if video is None:
        said = f"{library.url}: no video among {listing.num_ignored} objects"
        return Check("library", Health.WARNING, said, "Is this the right --library, with the right filters?")
    if video.is_archived:
        said = f"{library.url} is listed; {video.uri} is archived"
        return Check("library", Health.WARNING, said, "Restore archived objects before they can be indexed.")
    library.peek(video)
    return Check("library", Health.OK, f"{library.url} is listed, and {video.uri} can be read")


def _index(settings: Settings) -> Check:
    if settings.index == _ABSENT:
        return Check("index", Health.WARNING, "not given, not looked at", "Add --index.")
    found = probe_index(settings.index, settings.endpoint_url)
    what = f"snapshot {found.snapshot}" if found.exists else "a new place"
    said = f"{found.url}: {what}, can be written to, and two writers cannot overwrite each other"
    if not found.exists and (near := nearest_indexes(settings.index, settings.endpoint_url)):
        hint = f"Did you mean {' or '.join(near)}? A run makes a new one with --new-index only."
        return Check("index", Health.WARNING, f"{said}; there is no index yet", hint)
    if not found.can_delete:
        hint = "Allow s3:DeleteObject for vacuum and forget; runs do without."
        return Check("index", Health.WARNING, f"{said}; nothing can be deleted there", hint)
    if abs(found.ahead) > CLOCK_WARNING:
        seconds = found.ahead.total_seconds()
        said += f"; this machine's clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
        return Check("index", Health.WARNING, said, "Set the clock: S3 refuses 15 minutes, times would lie.")
    return Check("index", Health.OK, said)


def _codecs(settings: Settings) -> Check:
    from videoxl2.frames.files.codecs import DECODERS, av_version, missing_codecs

    if missing := missing_codecs():
        said = f"{av_version()} cannot decode {', '.join(missing)}"
        return Check("codecs", Health.WARNING, said, "Install PyAV's own wheel, which has them all.")
    return Check("codecs", Health.OK, f"{av_version()} decodes {', '.join(DECODERS)}")


def _weights(settings: Settings) -> Check:
    signals = [signal.name for signal in chosen_signals(settings)]
    if settings.model is None:
        signals += ["speech"] if settings.speech else []
        signals += ["text"] if settings.text else []
        return Check("weights", Health.OK, f"no model: {', '.join(signals)} only")
    prompts = load_packs(settings.packs)
    try:
        weights = find_weights(settings.model, local_only=True)
    except WeightsNotHere as error:
        return Check("weights", Health.WARNING, error.message, error.hint)
    check_budgets(prompts, weights.folder)
    said = f"{weights.model_id} at {weights.revision}, {size(_size_of(weights))}, in {weights.folder}"
    if weights.domain:
        said += f"; takes only what looks like its own: {weights.domain.made_of}"
    if weights.model_id == BUILT_IN:
        return Check("weights", Health.WARNING, said, BUILT_IN_NOTE)
    return Check("weights", Health.OK, f"{said}; {len(prompts)} prompts fit")


def _speech(settings: Settings) -> Check:
    from videoxl2.speech import NotDownloaded, SpeechError, find_speech_weights

    if settings.speech is None:
        return Check("speech", Health.OK, "not heard")
    try:
        weights = find_speech_weights(settings.speech, local_only=True)
    except NotDownloaded as error:
        return Check("speech", Health.WARNING, error.message, error.hint)
    except SpeechError as error:
        return Check("speech", Health.FAILED, f"speech {settings.speech}: {error.message}", error.hint)
    said = f"{weights.given} at {weights.revision}, {size(weights.num_bytes)}, in {weights.folder}"
    return Check("speech", Health.OK, said)


def _text(settings: Settings) -> Check:
    from videoxl2.screen_text import MODEL_ID, ScreenTextError, find_text_weights

    if not settings.text:
        return Check("text", Health.OK, "not read")
    try:
        weights = find_text_weights()
    except ScreenTextError as error:
        return Check("text", Health.FAILED, error.message, error.hint)
    return Check("text", Health.OK, f"{MODEL_ID} at {weights.revision}, in {weights.folder}")


def _size_of(weights: Weights) -> int:
    from videoxl2.network.source import weight_files

    return sum(file.stat().st_size for file in weight_files(weights.folder))


def _gpu(settings: Settings) -> Check:
    from videoxl2.devices import find_gpus, torch_version

    gpus = find_gpus()
    if not gpus:
        return _no_gpu(settings, f"{torch_version()}: no GPU on this machine")
    names = [f"{gpu.name} ({size(gpu.free_bytes)} of {size(gpu.total_bytes)} free)" for gpu in gpus]
    said = f"{torch_version()}: {', '.join(names)}, {settings.dtype}"
    if settings.dtype in ("auto", "bfloat16") and not all(gpu.has_bfloat16 for gpu in gpus):
        return Check("gpu", Health.WARNING, f"{said}; no bfloat16 in hardware", "Take --dtype float16.")
    try:
        needed = _size_of(find_weights(settings.model, local_only=True)) if settings.model else 0
    except MediaIndexError:
        needed = 0  # said by the check of the weights
    if needed > min(gpu.free_bytes for gpu in gpus):
        said += f"; the weights alone are {size(needed)}"
        return Check("gpu", Health.FAILED, said, "End what else uses the GPU, or take a larger one.")
    return Check("gpu", Health.OK, said)


def _frames(settings: Settings) -> Check:
    from videoxl2.devices import find_gpus

    if settings.model is None:
        return Check("frames", Health.OK, "no model")
    try:
        weights, packs = find_weights(settings.model, local_only=True), load_packs(settings.packs)
    except MediaIndexError:  # said by the check of the weights
        return Check("frames", Health.OK, "known once weights and packs are here")
    if not is_known_for(weights):
        return Check("frames", Health.OK, "as many as the context holds")
    fitting = FramesThatFit(weights, settings.dtype, packs)
    gpus = find_gpus()
    here = min(map(fitting.on_gpu, (gpu.free_bytes for gpu in gpus))) if gpus else None
    here = fitting.on_cpu(available_memory()[1]) if here is None else here
    said = f"at most {settings.max_frames:,} of a video at once; {here:,} fit here"
    said += f"; a GPU holds {fitting.cards()}"
    if here >= settings.max_frames:
        return Check("frames", Health.OK, said)
    hint = f"Take --max-frames {here} with --split, or more memory." if here else "Take more memory."
    return Check("frames", Health.WARNING, said, hint)


def _no_gpu(settings: Settings, said: str) -> Check:
    """What a run does about it: small takes the CPU, others where that was said, or a cluster's GPUs."""
    from jobs.cluster.address import LOCAL, chosen_address

    hint = "A run on CPUs works, and is slow. With a GPU: install its driver and torch for CUDA."
    if settings.model is None or settings.device == "cpu":
        return Check("gpu", Health.WARNING, said, hint)
    try:
        if chosen_address(settings.ray_address) != LOCAL:
            return Check("gpu", Health.WARNING, said, hint)
        is_small = find_weights(settings.model, local_only=True).model_id == BUILT_IN
    except WeightsNotHere:
        is_small = False
    except MediaIndexError:
        return Check("gpu", Health.WARNING, said, hint)  # another check says what is wrong
    if is_small and settings.device == "auto" and not settings.num_gpus:
        return Check("gpu", Health.WARNING, said, hint)
    wanted = f"{said}, which {settings.model} wants"
    return Check("gpu", Health.FAILED, wanted, "Join a cluster with --ray-address, or say --device cpu.")


def _memory(settings: Settings) -> Check:
    total, free = available_memory()
    said = f"{size(free)} of {size(total)} free"
    return _enough(
        "memory", free, MEMORY_WARNING_BYTES, said, "End other programs, or take a larger machine."
    )


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


def _shared_memory(settings: Settings) -> Check:
    free = shutil.disk_usage("/dev/shm").free
    hint = "Ray uses a disk instead, slowly. In a container: docker run --shm-size=8g."
    return _enough("/dev/shm", free, SHM_WARNING_BYTES, f"{size(free)} free", hint)


def _scratch(settings: Settings) -> Check:
    scratch = make_scratch(settings)
    free = shutil.disk_usage(scratch).free
    hint = "Videos on S3 are copied there while they are read; name a larger disk with --scratch."
    return _enough("scratch", free, SCRATCH_WARNING_BYTES, f"{scratch}: {size(free)} free", hint)


def _imports(settings: Settings) -> Check:
    here = Path.cwd()
    if names := names_in_the_way():
        said = f"PYTHONPATH names {here}, whose own {', '.join(names)} would be imported"
        return Check("imports", Health.FAILED, said, "Take it, or the empty entry, out of PYTHONPATH.")
    return Check("imports", Health.OK, f"what is installed, and nothing of {here}, here and on workers")


def _ray(settings: Settings) -> Check:
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


def _enough(name: str, free: int, wanted: int, said: str, hint: str) -> Check:
    if free < wanted:
        return Check(name, Health.WARNING, said, hint)
    return Check(name, Health.OK, said)


_LOOKS: tuple[tuple[str, _Look], ...] = (
    ("library", _library),
    ("index", _index),
    ("codecs", _codecs),
    ("weights", _weights),
    ("speech", _speech),
    ("text", _text),
    ("gpu", _gpu),
    ("frames", _frames),
    ("memory", _memory),
    ("/dev/shm", _shared_memory),
    ("scratch", _scratch),
    ("imports", _imports),
    ("ray", _ray),
)
