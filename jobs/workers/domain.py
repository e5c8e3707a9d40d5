"""The guard before a model: a video that it was not made for is not given to it."""

from dataclasses import dataclass
from pathlib import Path

from jobs.failures import VideoFailureError, out_of_domain
from jobs.weights import Weights
from videoxl2.domain import Domain, read_pictures
from videoxl2.frames import Limits, MediaInfo


@dataclass(frozen=True)
class DomainGuard:
    """Measures videos against what the model's checkpoint says of itself."""

    model_id: str
    domain: Domain

    @classmethod
    def of(cls, weights: Weights | None) -> "DomainGuard | None":
        """The guard of these weights; None: they take any video, or there are none."""
        return cls(weights.model_id, weights.domain) if weights and weights.domain else None

    def check(self, path: Path, info: MediaInfo, limits: Limits) -> None:
        """Raise `VideoFailureError` for a video outside, and `MediaError` as reading its pictures does."""
        distance = self.domain.distance_of(read_pictures(path, info, limits))
        if distance > self.domain.max_distance:
            raise VideoFailureError(out_of_domain(self.model_id, distance, self.domain.max_distance))
