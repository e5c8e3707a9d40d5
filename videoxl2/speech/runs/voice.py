"""How likely somebody speaks, window by window, of sound that comes in blocks of any size.

The detector is silero (MIT), whose file faster-whisper brings along. It is given what it would
be given if all sound were there at once, so its answers are the same to the last bit.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from videoxl2.speech.sound.channels import Samples

WINDOW = 512  # samples that one probability is about
_BEFORE = 64  # samples before a window that are looked at with it
_STATE = (1, 1, 128)

Probabilities = npt.NDArray[np.float32]


class VoiceDetector:
    """Listens to sound without a jump, from its start."""

    def __init__(self, detector: Path) -> None:
        """`detector` is silero's file."""
        self._session = _session(detector)
        self._state: tuple[Any, Any] = (np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32))
        self._waiting: Samples = np.zeros(_BEFORE, np.float32)  # the sound not judged yet, and what is before

    def judge(self, samples: Samples) -> Probabilities:
        """Probabilities for each window that is full by now."""
        sound = np.concatenate((self._waiting, samples))
        count = (len(sound) - _BEFORE) // WINDOW
        self._waiting = sound[count * WINDOW :]
        return self._judge(sound[: _BEFORE + count * WINDOW])

    def judge_rest(self) -> Probabilities:
        """Probabilities for the last window, filled up with silence; empty where nothing is left."""
        missing = -(len(self._waiting) - _BEFORE) % WINDOW
        return self.judge(np.zeros(missing, np.float32))

    def _judge(self, sound: Samples) -> Probabilities:
        if len(sound) <= _BEFORE:
            return np.zeros(0, np.float32)
        windows = np.ascontiguousarray(sliding_window_view(sound, _BEFORE + WINDOW)[::WINDOW])
        inputs = {"input": windows, "h": self._state[0], "c": self._state[1]}
        found, *state = self._session.run(None, inputs)
        self._state = (state[0], state[1])
        return np.asarray(found, np.float32).reshape(-1)


@cache
def _session(detector: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(detector), options, providers=["CPUExecutionProvider"])
