"""A checkpoint on the hub: heads of its weights for who plans, the whole for who loads, each once a machine.

A safetensors file begins with the length of its head, 8 bytes, little end first. Such a file without the rest
is one that nothing can load by mistake.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.source import CHECKPOINT_FILES, WEIGHTS, download, hub_error

_SMALL_FILES = [pattern for pattern in CHECKPOINT_FILES if not pattern.endswith(WEIGHTS)]


@dataclass(frozen=True, slots=True)
class HubCheckpoint:
    """A hub repository at one commit; `files` are names and bytes of what a checkpoint consists of."""

    hub_id: str
    revision: str
    files: tuple[tuple[str, int], ...]

    @property
    def weight_bytes(self) -> int:
        """The size of all weights together."""
        return sum(size for name, size in self.files if name.endswith(WEIGHTS))


def look_up(hub_id: str, revision: str | None = None) -> HubCheckpoint:
    """Ask the hub which files the newest commit has, or that of `revision`; one request.

    Raises `CheckpointError` where it does not deliver.
    """
    from huggingface_hub import HfApi

    try:
        found = HfApi().model_info(hub_id, revision=revision, files_metadata=True)
    except Exception as error:  # the client's errors have no common base
        raise hub_error(hub_id, error) from error
    files = ((each.rfilename, each.size or 0) for each in found.siblings or ())
    wanted = tuple(sorted(file for file in files if any(fnmatch(file[0], p) for p in CHECKPOINT_FILES)))
    if not found.sha or not wanted:
        raise CheckpointError(f"{hub_id} has no checkpoint", "Name one with config.json and *.safetensors.")
    return HubCheckpoint(hub_id, found.sha, wanted)


def heads_of(checkpoint: HubCheckpoint, kept: Path) -> tuple[Path, bool]:
    """Return a folder with the small files and the heads of the weights, made below `kept`, and whether it is
    whole: this machine's own copy, where there is one.

    Raises `CheckpointError`, and OSError as writing does.
    """
    if whole := _whole_here(checkpoint):
        return whole, True
    heads = kept / checkpoint.hub_id.replace("/", "--") / f"{checkpoint.revision}.heads"
    if not heads.is_dir():
        try:
            _fetch_heads(checkpoint, heads)
        except (CheckpointError, OSError):
            raise
        except Exception as error:
            raise hub_error(checkpoint.hub_id, error) from error
    return heads, False


def fetch_whole(checkpoint: HubCheckpoint) -> Path:
    """Return the folder of the hub's own cache with all files; others that fetch them meanwhile wait.

    Raises `CheckpointError`.
    """
    is_newest = False
    with suppress(CheckpointError):
        is_newest = look_up(checkpoint.hub_id).revision == checkpoint.revision
    # By no commit where it may be: then the hub's cache has it for who does not reach the hub, too.
    folder = download(checkpoint.hub_id, None if is_newest else checkpoint.revision)
    if folder.name == checkpoint.revision:
        return folder
    return download(checkpoint.hub_id, checkpoint.revision)


def _whole_here(checkpoint: HubCheckpoint) -> Path | None:
    with suppress(CheckpointError, OSError):
        folder = download(checkpoint.hub_id, checkpoint.revision, local_only=True)
        if all((folder / name).stat().st_size == size for name, size in checkpoint.files):
            return folder
    return None


def _fetch_heads(checkpoint: HubCheckpoint, heads: Path) -> None:
    """Make the folder, complete or not at all."""
    heads.parent.mkdir(parents=True, exist_ok=True)
    small = download(checkpoint.hub_id, checkpoint.revision, patterns=_SMALL_FILES)
    pending = Path(tempfile.mkdtemp(prefix=f".pending-{heads.name}-", dir=heads.parent))
    try:
        for name, _ in checkpoint.files:
            path = pending / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(WEIGHTS):
                path.write_bytes(_head(checkpoint, name))
            else:
                shutil.copyfile(small / name, path)
        with suppress(OSError):  # another process was first
            pending.rename(heads)
    finally:
        shutil.rmtree(pending, ignore_errors=True)


def _head(checkpoint: HubCheckpoint, name: str) -> bytes:
    from huggingface_hub import HfApi

    found = HfApi().parse_safetensors_file_metadata(checkpoint.hub_id, name, revision=checkpoint.revision)
    tensors: dict[str, object] = {
        tensor: {"dtype": each.dtype, "shape": each.shape, "data_offsets": each.data_offsets}
        for tensor, each in found.tensors.items()
    }
    head = json.dumps({"__metadata__": found.metadata} | tensors if found.metadata else tensors).encode()
    return len(head).to_bytes(8, "little") + head
