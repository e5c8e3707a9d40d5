"""Finding a checkpoint's folder and naming its revision. Loads no torch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from videoxl2.errors import CheckpointError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
WEIGHTS = ".safetensors"
CHECKPOINT_FILES = ["*.json", "*.jinja", f"*{WEIGHTS}", "*.txt", "vision_tower/*.json"]
CHAT_FILES = ("chat_template.jinja", "chat_template.json", "processor_config.json", "tokenizer_config.json")
VIDEO_FILES = ("processor_config.json", "video_preprocessor_config.json")  # the first that is there
STILLS_FILE = "preprocessor_config.json"
QWEN_TOWERS = ("model.visual.", "visual.")  # how the names of its weights begin
# Read of a Qwen-VL model besides its config.json, weights and tokenizer.
QWEN_FILES = tuple(dict.fromkeys((*CHAT_FILES, *VIDEO_FILES, STILLS_FILE)))
_LONGEST_HEAD = 100_000_000  # bytes; the format allows no more
_WEIGHTS_NAMED = (".weight", ".bias", ".qweight", ".weight_packed")  # the last two by those who quantise
_FULL = ("F64", "F32", "F16", "BF16")  # what the format calls weights that nobody has quantised
_BLOCK, _NUM_BLOCKS = 1 << 20, 64  # sampled from each weight file: all of a small one, 64 MiB of a shard


def is_hub_id(name: str) -> bool:
    """Whether it is spelt as a hub id, and nothing of that name is here."""
    return bool(_HUB_ID.fullmatch(name)) and not Path(name).expanduser().exists()


def find_folder(folder_or_hub_id: str | Path, revision: str | None = None) -> Path:
    """Return a local folder, or a hub repository's, downloaded without code.

    Raises `CheckpointError` when it is neither or the hub cannot deliver it.
    """
    path = Path(folder_or_hub_id).expanduser()
    if path.is_dir():
        return path
    name = str(folder_or_hub_id)
    if not is_hub_id(name):
        raise CheckpointError(f"{name} is not a folder", "Give a folder with config.json, or a hub id.")
    return download(name, revision)


def download(
    hub_id: str,
    revision: str | None,
    local_only: bool = False,
    patterns: Sequence[str] = CHECKPOINT_FILES,
) -> Path:
    """Return the folder of the hub's cache with these files of a repository, fetched unless they are there
    (never with `local_only`).

    Raises `CheckpointError`.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                hub_id, revision=revision, allow_patterns=list(patterns), local_files_only=local_only
            )
        )
    except Exception as error:  # the client's errors have no common base
        raise hub_error(hub_id, error) from error


def hub_error(hub_id: str, error: Exception) -> CheckpointError:
    """Return the error to raise where the hub's client raises."""
    why = (str(error).splitlines() or [type(error).__name__])[0]
    return CheckpointError(
        f"{hub_id} is a hub id and not on this machine, and the hub did not deliver it: {why}",
        "Check the spelling and the network, or download it and give the folder.",
    )


def weight_files(folder: Path) -> list[Path]:
    """List the weights: the shards that the index names, or model.safetensors, or all safetensors files.

    CheckpointError: the index cannot be read, or files are missing.
    """
    index = folder / "model.safetensors.index.json"
    try:
        if index.is_file():
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        elif (folder / "model.safetensors").is_file():
            names = ["model.safetensors"]
        else:
            names = sorted(path.name for path in folder.glob("*.safetensors"))
        absent = [name for name in names if not (folder / name).is_file()]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{index} is not a weight index: {error}", "Restore the file from its source."
        ) from error
    if absent or not names:
        raise CheckpointError(
            f"{folder} lacks {', '.join(absent) or '*.safetensors'}", "Download the missing weight files."
        )
    return [folder / name for name in names]


def weight_names(folder: Path) -> frozenset[str]:
    """Return the names of all tensors, read off the heads of the weight files.

    Raises `CheckpointError` where a file is absent, is no safetensors file, or holds quantised weights.
    """
    return frozenset(chain.from_iterable(map(_names_in, weight_files(folder))))


def _names_in(path: Path) -> list[str]:
    """Read the names in one file: 8 bytes say how long the JSON after them is, little end first.

    A file ends where its head does, or its last tensor: another length is that of a broken download.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            tensors: dict[str, Any] = json.loads(file.read(min(size, _LONGEST_HEAD)))
        tensors.pop("__metadata__", None)
        there = path.stat().st_size - size - 8
        wanted = max((int(each["data_offsets"][1]) for each in tensors.values()), default=0)
        if there not in (0, wanted):
            raise ValueError(f"{there} bytes of tensors instead of {wanted}")
        kinds = {name: str(each["dtype"]) for name, each in tensors.items()}
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise CheckpointError(f"{path} is damaged: {error}", "Download the file again.") from error
    for name, kind in kinds.items():
        if name.endswith(_WEIGHTS_NAMED) and kind not in _FULL:
            raise quantised_error(path, f"{name} is {kind}")
    return list(kinds)


def quantised_error(place: Path, how: str) -> CheckpointError:
    """Return what is said of weights that somebody has quantised."""
    return CheckpointError(
        f"{place} holds quantised weights ({how}), which are not read",
        "Use the release with full weights, and --weight-bits 8 or 4 where they are too large.",
    )


def revision_of(folder: Path) -> str:
    """Return the hub commit of a hub snapshot, else 16 hex digits of a hash over all that is read of it.

    Of each weight file the size and evenly spaced blocks are hashed, so 16 GB take a second.
    """
    resolved = folder.resolve()
    if resolved.parent.name == "snapshots" and _COMMIT.fullmatch(resolved.name):
        return resolved.name
    digest = hashlib.blake2b(digest_size=8)
    names = ["config.json", "vision_tower/config.json", "tokenizer.json"]
    beside = QWEN_FILES if _is_qwen_vl(folder) else ()
    for name in [*names, *beside, *(path.name for path in weight_files(folder))]:
        path = folder / name
        if not path.is_file():
            continue
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        _hash_blocks(path, digest)
    return digest.hexdigest()


def _is_qwen_vl(folder: Path) -> bool:
    """Whether weights have a tower of the Qwen-VL family: of other models those files are not read."""
    return any(name.startswith(QWEN_TOWERS) for name in weight_names(folder))


def _hash_blocks(path: Path, digest: hashlib.blake2b) -> None:
    size = path.stat().st_size
    last_start = max(size - _BLOCK, 0)
    starts = range(0, size, _BLOCK)
    if len(starts) > _NUM_BLOCKS:
        starts = range(0, last_start + 1, max(last_start // (_NUM_BLOCKS - 1), 1))
    with path.open("rb") as file:
        for start in starts:
            file.seek(start)
            digest.update(file.read(_BLOCK))
