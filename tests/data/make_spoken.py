"""Make `tests/data/spoken.mp4`: a film of ten seconds in which two sentences are said.

    python tests/data/make_spoken.py        (needs espeak-ng, GPL-3.0 or later; what it speaks is free)

Sound begins half a second after the pictures, and sentences at `STARTS_MS`.
"""

import subprocess
import wave
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

FILM = Path(__file__).with_name("spoken.mp4")
SENTENCES = ("The river was high this morning.", "Nobody had seen the old bridge so wet.")
STARTS_MS = (1_500, 5_500)
_LENGTH_S, _SOUND_FROM_S, _RATE, _SPEED = 10, Fraction(1, 2), 22_050, 140

Sound = npt.NDArray[np.int16]


def spoken(sentence: str) -> Sound:
    """A sentence without the silence before it."""
    asked = ["espeak-ng", "-v", "en-us", "-s", str(_SPEED), "--stdout", sentence]
    data = subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout
    with wave.open(BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 300)
    return samples[loud[0] : loud[-1]]


def sound() -> Sound:
    """All of the film's, from where its sound begins."""
    whole = np.zeros(int((_LENGTH_S - _SOUND_FROM_S) * _RATE), np.int16)
    for sentence, start_ms in zip(SENTENCES, STARTS_MS, strict=True):
        said = spoken(sentence)
        start = int((Fraction(start_ms, 1000) - _SOUND_FROM_S) * _RATE)
        whole[start : start + len(said)] = said
    return whole


def pictures() -> Iterator[av.VideoFrame]:
    """Grey ones, five a second."""
    for number in range(_LENGTH_S * 5):
        picture = av.VideoFrame.from_ndarray(np.full((36, 64, 3), 40 + 4 * number, np.uint8), "rgb24")
        picture.pts, picture.time_base = number, Fraction(1, 5)
        yield picture


def main() -> None:
    """Write the film."""
    with av.open(str(FILM), "w") as file:
        seen = file.add_stream("libx264", rate=5, width=64, height=36, pix_fmt="yuv420p")
        heard = file.add_stream("aac", rate=_RATE, layout="mono", bit_rate=48_000)
        heard.metadata["language"] = "eng"
        for picture in pictures():
            file.mux(seen.encode(picture))
        file.mux(seen.encode(None))
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=_RATE, frame_size=1024)
        whole = av.AudioFrame.from_ndarray(sound().reshape(1, -1), "s16", "mono")
        whole.sample_rate = _RATE
        at = int(_SOUND_FROM_S * _RATE)
        for frame in (*resampler.resample(whole), *resampler.resample(None)):
            frame.pts, frame.time_base = at, Fraction(1, _RATE)
            at += frame.samples
            file.mux(heard.encode(frame))
        file.mux(heard.encode(None))


if __name__ == "__main__":
    main()
