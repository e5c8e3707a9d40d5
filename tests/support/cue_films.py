"""Films whose pictures and sound are given, for what is read off all of them."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

SIZE = (320, 180)  # width, height
RATE = 48_000
Pixels = npt.NDArray[np.uint8]  # height × width × 3
Sound = npt.NDArray[np.float32]  # channels × samples

_SHARP = {"preset": "ultrafast", "qp": "8", "threads": "1"}


def flat(red: int, green: int, blue: int, size: tuple[int, int] = SIZE) -> Pixels:
    """One colour."""
    return np.full((size[1], size[0], 3), (red, green, blue), np.uint8)


def scene(seed: int, number: int = 0, size: tuple[int, int] = SIZE) -> Pixels:
    """Blocks of colour that no other seed has; they move along with the number."""
    width, height = size
    blocks = np.random.default_rng(seed).integers(40, 220, (9, 16, 3), dtype=np.uint8)
    large = blocks.repeat(height // 9, 0).repeat(width // 16, 1)
    return np.roll(large, 2 * number, 1)


def moving(seed: int, num_pictures: int, size: tuple[int, int] = SIZE) -> list[Pixels]:
    """A shot in which no picture is like the one before."""
    return [scene(seed, number, size) for number in range(num_pictures)]


def write_pictures(
    path: Path,
    pictures: Iterable[Pixels],
    sound: Sound | None = None,
    rate: Fraction = Fraction(25),
    times: Sequence[Fraction] = (),
    options: dict[str, str] = _SHARP,
    rotation: int = 0,
    pixels: str = "yuv420p",
    codec: str = "libx264",
) -> Path:
    """Encode them, evenly or at these times in seconds; the sound begins with the first picture."""
    with av.open(str(path), "w") as file:
        video = file.add_stream(codec, rate=rate, options=dict(options))
        assert isinstance(video, av.VideoStream)
        audio = None
        for number, rgb in enumerate(pictures):
            if number == 0:
                video.width, video.height, video.pix_fmt = rgb.shape[1], rgb.shape[0], pixels
                video.codec_context.time_base = Fraction(1, 90_000)
                if rotation:
                    video.set_display_rotation(rotation)
                if sound is not None:
                    audio = file.add_stream("aac", rate=RATE, layout=_layout(sound))
                    assert isinstance(audio, av.AudioStream)
                    for packet in _encoded(audio, sound):
                        file.mux(packet)
            at_s = times[number] if times else number / rate
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = round(at_s * 90_000), Fraction(1, 90_000)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    return path


def _layout(sound: Sound) -> str:
    return "mono" if len(sound) == 1 else "stereo"


def _encoded(stream: av.AudioStream, sound: Sound) -> list[av.Packet]:
    packets = []
    for start in range(0, sound.shape[1], 1024):
        piece = np.ascontiguousarray(sound[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(piece, "fltp", _layout(sound))
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]
