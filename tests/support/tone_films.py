"""Films of a second or so with a tone in them, so that when something is heard can be told to the sample."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

RATE = 48_000
Sound = npt.NDArray[np.float32]  # channels × samples


def tones(length_s: float, *at_s: float, channels: int = 2, rate: int = RATE) -> Sound:
    """Silence with 0.1 s of 1 kHz at these times."""
    sound = np.zeros((channels, round(length_s * rate)), np.float32)
    burst = 0.5 * np.sin(2 * np.pi * 1000 / rate * np.arange(rate // 10), dtype=np.float64)
    for start_s in at_s:
        start = round(start_s * rate)
        sound[:, start : start + len(burst)] = burst
    return sound


def write_film(
    path: Path,
    codec: str,
    sounds: Sequence[Sound],
    sound_from_s: float = 0.0,
    pictures_from_s: float = 0.0,
    is_kept: Callable[[Fraction], bool] = lambda at_s: True,
    languages: Sequence[str] = (),
    default: int = 0,
    pictures: str = "mpeg4",
) -> Path:
    """A film of grey pictures and these sound tracks; packets of sound that are not kept are lost."""
    with av.open(str(path), "w") as file:
        seen = file.add_stream(pictures, rate=25)
        assert isinstance(seen, av.VideoStream)
        seen.width = seen.height = 32
        seen.pix_fmt = "yuv420p"
        streams = [
            _sound_stream(file, codec, number, languages, len(one)) for number, one in enumerate(sounds)
        ]
        for number, stream in enumerate(streams):
            stream.disposition = 1 if number == default else 0  # type: ignore[assignment]
        length_s = max(sound.shape[1] for sound in sounds) / RATE
        packets = [*_pictures(seen, length_s, pictures_from_s)]
        for stream, sound in zip(streams, sounds, strict=True):
            packets += [one for one in _encoded(stream, sound, sound_from_s) if is_kept(_time(one))]
        for packet in sorted(packets, key=_time):
            file.mux(packet)
    return path


def _layout(channels: int) -> str:
    return {1: "mono", 2: "stereo", 8: "7.1"}.get(channels, f"{channels} channels")


def _sound_stream(
    file: OutputContainer, codec: str, number: int, languages: Sequence[str], channels: int
) -> AudioStream:
    stream = file.add_stream(codec, rate=RATE, layout=_layout(channels))
    assert isinstance(stream, AudioStream)
    if codec == "wavpack":
        stream.codec_context.format = "fltp"  # it can also code whole numbers
    if number < len(languages):
        stream.metadata["language"] = languages[number]
    return stream


def _time(packet: Packet) -> Fraction:
    assert packet.pts is not None
    assert packet.time_base is not None
    return packet.pts * packet.time_base


def _pictures(stream: av.VideoStream, length_s: float, from_s: float) -> Iterator[Packet]:
    for number in range(round(length_s * 25)):
        frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 255, np.uint8), "rgb24")
        frame.pts, frame.time_base = round(from_s * 25) + number, Fraction(1, 25)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _encoded(stream: AudioStream, sound: Sound, from_s: float) -> Iterator[Packet]:
    size = stream.codec_context.frame_size or 1024
    many = len(sound) > 2  # PyAV makes no frame of eight planes
    layout = "flt" if many else stream.codec_context.format.name
    for start in range(0, sound.shape[1], size):
        piece = np.ascontiguousarray(sound[:, start : start + size])
        frame = av.AudioFrame.from_ndarray(_in_format(piece, layout), layout, _layout(len(sound)))
        frame.sample_rate, frame.pts = RATE, round(from_s * RATE) + start
        frame.time_base = Fraction(1, RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _in_format(sound: Sound, layout: str) -> Sound | npt.NDArray[np.int16] | npt.NDArray[np.int32]:
    if layout == "fltp":
        return sound
    if layout == "flt":
        return np.ascontiguousarray(sound.T).reshape(1, -1)
    if layout == "s32p":
        return (sound * np.float32(2**31 - 2**8)).astype(np.int32)
    return (sound.T.reshape(1, -1) * 32767).astype(np.int16)
