"""What a watcher can want of a film. It has the method for each, and nothing else."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.reading.small_pictures import SmallPictures


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Sound of about a second at its own rate and layout, on the clock of its stream."""

    start_s: Fraction
    is_new: bool  # it does not go on from the block before
    frame: AudioFrame  # planes of float, for filters
    samples: NDArray[np.float32]  # [channels, n] the same, -1 up to 1

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.frame.sample_rate


@runtime_checkable
class PictureWatcher(Protocol):
    """Interface of a watcher that is shown every picture."""

    def picture(self, picture: Picture, at_ms: int) -> None:
        """The next one, shown from `at_ms` of the film on. Its pixels are the decoder's: take a copy."""


@runtime_checkable
class SmallPictureWatcher(Protocol):
    """Interface of a watcher that is given every picture, small."""

    def small(self, pictures: SmallPictures) -> None:
        """The next ones, a few seconds later than they are shown; they may be kept."""


@runtime_checkable
class SoundWatcher(Protocol):
    """Hears the film's sound track."""

    def sound(self, block: SoundBlock) -> None:
        """The next second of it."""


Watcher = PictureWatcher | SmallPictureWatcher | SoundWatcher
