"""What a checkpoint understands, as `domain.json` beside its weights says it."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoxl2.domain.pictures import NUM_PICTURES, SIDE
from videoxl2.domain.statistics import STATISTICS, Numbers, video_statistics
from videoxl2.errors import CheckpointError

FILE_NAME = "domain.json"
_FORMAT = 1
_DIGITS = 5  # significant ones that are kept


@dataclass(frozen=True, eq=False)
class Domain:
    """Statistics of usual pictures, and how far from them a video may be.

    `mean` and `scale` are [47], `covariance` [47, 47] of the statistics less `mean`, over `scale`. `made_of`
    says of what it was made.
    """

    mean: Numbers
    scale: Numbers
    covariance: Numbers
    max_distance: float
    made_of: str

    def distance_of(self, pictures_NHW3: NDArray[np.uint8]) -> float:
        """Return how unusual a video's pictures are: about 1 for a usual one. ValueError: there are none."""
        return self.distance(video_statistics(pictures_NHW3))

    def distance(self, statistics: Numbers) -> float:
        """Mahalanobis distance over the square root of the number of statistics."""
        off = (statistics - self.mean) / self.scale
        return float(np.sqrt(off @ np.linalg.solve(self.covariance, off) / len(off)))

    @cached_property
    def revision(self) -> str:
        """A digest of 16 hex digits of all that decides who is outside."""
        decides = {name: value for name, value in self.fields().items() if name != "made_of"}
        return hashlib.blake2b(json.dumps(decides, sort_keys=True).encode(), digest_size=8).hexdigest()

    def fields(self) -> dict[str, Any]:
        """The content of `domain.json`."""
        return {
            "format": _FORMAT,
            "made_of": self.made_of,
            "num_pictures": NUM_PICTURES,
            "side": SIDE,
            "statistics": list(STATISTICS),
            "mean": _short(self.mean),
            "scale": _short(self.scale),
            "covariance": [_short(row) for row in self.covariance],
            "max_distance": self.max_distance,
        }


def read_domain(folder: Path) -> Domain | None:
    """The description in a checkpoint's folder; None: it has none. CheckpointError: it cannot be used."""
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} does not describe what the checkpoint understands: {error or type(error).__name__}",
            "Make it anew (docs/trust.md), or remove it and let the model say something of every video.",
        ) from error


def write_domain(domain: Domain, folder: Path) -> Path:
    """Write the description into a checkpoint's folder; returns the file."""
    path = folder / FILE_NAME
    lines = (f" {json.dumps(name)}: {_json(value)}" for name, value in domain.fields().items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def _parsed(told: dict[str, Any]) -> Domain:
    wanted = {"format": _FORMAT, "num_pictures": NUM_PICTURES, "side": SIDE, "statistics": list(STATISTICS)}
    for name, value in wanted.items():
        if told[name] != value:
            raise ValueError(f"{name} is {told[name]}, and only {value} is known")
    mean, scale, covariance = (np.array(told[name], np.float64) for name in ("mean", "scale", "covariance"))
    size = len(STATISTICS)
    if mean.shape != (size,) or scale.shape != (size,) or covariance.shape != (size, size):
        raise ValueError(f"mean, scale and covariance are not of {size} statistics")
    max_distance = float(told["max_distance"])
    is_sound = all(np.isfinite(one).all() for one in (mean, scale, covariance)) and (scale > 0).all()
    if not is_sound or not 0 < max_distance < np.inf or np.linalg.eigvalsh(covariance).min() <= 0:
        raise ValueError("its numbers give no distance")
    return Domain(mean, scale, covariance, max_distance, str(told["made_of"]))


def _short(values: Numbers) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _json(value: Any) -> str:
    """On one line; of a matrix on one for each row."""
    if isinstance(value, list) and isinstance(value[0], list):
        return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in value) + "\n ]"
    return json.dumps(value)
