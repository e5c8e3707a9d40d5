"""JSON files of a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videoxl2.errors import CheckpointError


def read_json(path: Path) -> dict[str, Any]:
    """Read an object. Raises `CheckpointError` where it cannot be read, or is something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not readable JSON: {error}", "Restore the file from its source."
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is not a JSON object", "Restore the file from its source.")
    return value
