"""Several channels of sound into one."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # one channel at 16 kHz, -1 up to 1

_OPPOSITE = -0.9  # correlation from which on the mean of two channels is all but silence
_FULL_SCALE = 32768


def mixed(samples: npt.NDArray[np.int16], num_channels: int) -> Samples:
    """The mean of two interleaved channels; where they cancel each other out, the left one alone."""
    if num_channels == 1:
        return _scaled(samples)
    left, right = _scaled(samples[::2]), _scaled(samples[1::2])
    return left if _are_opposite(left, right) else (left + right) * np.float32(0.5)


def _scaled(samples: npt.NDArray[np.int16]) -> Samples:
    return samples.astype(np.float32) * np.float32(1 / _FULL_SCALE)


def _are_opposite(left: Samples, right: Samples) -> bool:
    both = float(np.dot(left, right))
    scale = float(np.dot(left, left)) * float(np.dot(right, right))
    return both < 0 and both * both > _OPPOSITE * _OPPOSITE * scale
