"""A description of a domain, fitted to videos that are inside."""

from collections.abc import Sequence

import numpy as np

from videoxl2.domain.description import Domain
from videoxl2.domain.statistics import Numbers

_RIDGE = 0.05  # added to the variance of each standardised statistic, so that none counts without bounds
_LEAST_SCALE = 0.05  # of a statistic that hardly varied


def fit_domain(inside: Sequence[Numbers] | Numbers, max_distance: float, made_of: str) -> Domain:
    """Describe what these videos have in common, by the `video_statistics` of each.

    `made_of` says in a sentence what they are and what was tried that is outside. ValueError: fewer than
    twice as many videos as statistics.
    """
    values = np.array(inside)
    if values.ndim != 2 or len(values) < 2 * values.shape[-1]:
        raise ValueError(f"{len(values)} videos are too few to say what is usual")
    mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), _LEAST_SCALE)
    covariance = np.cov(((values - mean) / scale).T) + _RIDGE * np.eye(len(mean))
    return Domain(mean, scale, covariance, max_distance, made_of)
