"""Video files made on the spot, whose every picture carries its own number.

The upper third of picture n is a row of 16 black and white blocks, n in binary. Codecs and the squash to the
reader's size leave it readable, so a test sees which picture it got, whatever the timestamps say.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation, VideoReformatter
from scheduling import same_scheduling

WIDTH, HEIGHT, BITS = 192, 128, 16
SIZE = 96
PIXELS = {
    "mjpeg": "yuvj420p",
    "huffyuv": "rgb24",
    "prores": "yuv422p10le",
}  # else yuv420p


@dataclass(frozen=True)
class Clip:
    """A recipe for one file. `times` (seconds) overrides the even spacing by `rate`."""

    name: str
    codec: str = "libx264"
    rate: Fraction = Fraction(25)
    num_frames: int = 150
    times: tuple[Fraction, ...] | None = None
    start_s: Fraction = Fraction(0)
    time_base: Fraction | None = None
    codec_options: dict[str, str] = field(default_factory=dict)
    format_options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (WIDTH, HEIGHT)
    rotation: int = 0
    hflip: bool = False
    title: str | None = None
    audio_s: int = 0

    @property
    def shown_s(self) -> list[Fraction]:
        """When each picture begins to be shown, from the first."""
        return list(self.times) if self.times else [n / self.rate for n in range(self.num_frames)]


def picture(number: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """`uint8 [height, width, 3]`: the number in blocks over a texture that moves."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([(x * 2 + number * 3) % 256, (y * 3 + number) % 256, (x + y + number * 2) % 256], -1)
    bits = (number >> np.arange(BITS)) & 1
    rgb[: height // 3] = np.repeat(bits * 235 + 10, width // BITS)[None, :, None]
    return rgb.astype(np.uint8)


@same_scheduling()
def write(path: Path, clip: Clip) -> Path:
    """Encode a clip."""
    time_base = clip.time_base or 1 / clip.rate
    with av.open(str(path), "w", options=clip.format_options) as out:
        if clip.title:
            out.metadata["title"] = clip.title
        stream = out.add_stream(clip.codec, rate=clip.rate, options=clip.codec_options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = clip.size
        stream.pix_fmt = PIXELS.get(clip.codec, "yuv420p")
        stream.codec_context.time_base = time_base
        if clip.rotation or clip.hflip:
            stream.set_display_rotation(clip.rotation, hflip=clip.hflip)
        audio = out.add_stream("aac", rate=8000, layout="mono") if clip.audio_s else None
        if audio:
            write_tone(out, audio, clip.audio_s)
        for number, shown_s in enumerate(clip.shown_s):
            frame = av.VideoFrame.from_ndarray(picture(number, clip.size), format="rgb24")
            frame.pts, frame.time_base = round((shown_s + clip.start_s) / time_base), time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_tone(out: av.container.OutputContainer, stream: av.AudioStream, seconds: int) -> None:
    """Silence would do; the sound is never looked at."""
    for n in range(seconds * 8):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, n * 1000, Fraction(1, 8000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


X264 = {"preset": "veryfast", "g": "40", "bf": "3", "sc_threshold": "0"}
OPEN_X264 = {"preset": "veryfast", "x264-params": "open-gop=1:keyint=40:min-keyint=40:scenecut=0:bframes=3"}
X265 = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=40:min-keyint=40:bframes=3:scenecut=0"}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
NTSC, FILM, FAST = Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60000, 1001)
# One picture held for 2 s, some 20 ms apart, some 200: nothing even about it.
UNEVEN = tuple(Fraction(n * 40 + 160 * (n // 9) + (2000 if n > 60 else 0), 1000) for n in range(120))

CLIPS = [
    Clip("h264_ntsc.mp4", rate=NTSC, codec_options=X264, audio_s=5),
    Clip("h264_film.mkv", rate=FILM, codec_options=X264),
    Clip("h264_59.mp4", rate=FAST, num_frames=300, codec_options=X264),
    Clip("h264_open.mp4", codec_options=OPEN_X264),
    Clip("h264_open.mkv", codec_options=OPEN_X264),
    Clip("h264_fragmented.mp4", codec_options=X264, format_options=FRAGMENTED),
    Clip("h264.ts", rate=NTSC, codec_options=X264),
    Clip("h264_offset.mkv", start_s=Fraction(10), codec_options=X264),
    Clip("h264_offset.mp4", start_s=Fraction(10), codec_options=X264),
    Clip("h264_uneven.mp4", times=UNEVEN, time_base=Fraction(1, 1000), codec_options=X264),
    Clip("h264_uneven.mkv", times=UNEVEN, time_base=Fraction(1, 1000), codec_options=X264),
    Clip("hevc.mp4", "libx265", codec_options=X265),
    Clip(
        "hevc_open.mkv", "libx265", codec_options={**X265, "x265-params": X265["x265-params"] + ":open-gop=1"}
    ),
    Clip(
        "vp9.webm",
        "libvpx-vp9",
        codec_options={"deadline": "realtime", "threads": "1", "cpu-used": "8", "g": "40"},
    ),
    Clip(
        "vp8.webm",
        "libvpx",
        num_frames=90,
        codec_options={
            "deadline": "realtime",
            "threads": "1",
            "cpu-used": "8",
            "g": "40",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
        },
    ),
    Clip("av1.mkv", "libsvtav1", num_frames=90, codec_options={"preset": "12", "g": "40"}),
    Clip("mpeg2.ts", "mpeg2video", codec_options={"g": "12", "bf": "2", "b": "2M"}),
    Clip("mpeg4.mp4", "mpeg4", codec_options={"g": "40", "bf": "2", "b": "2M"}),
    Clip("mpeg4.avi", "mpeg4", codec_options={"g": "40", "bf": "2", "b": "2M"}),
    Clip("mjpeg.avi", "mjpeg", num_frames=80),
    Clip("h264.avi", codec_options=X264),
    Clip(
        "h264_intra_refresh.mp4",
        codec_options={"preset": "veryfast", "x264-params": "intra-refresh=1:keyint=40:bframes=0"},
    ),
    Clip("h264_one_key.mp4", codec_options={**X264, "g": "9999"}),
    Clip("one_frame.mp4", num_frames=1, codec_options=X264),
]


@pytest.fixture(scope="session", params=CLIPS, ids=lambda clip: clip.name)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, Path]:
    """Every sound clip, encoded once."""
    clip: Clip = request.param
    return clip, write(tmp_path_factory.mktemp("clips") / clip.name, clip)


@pytest.fixture(scope="session")
def make_named(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Clip, Path]]:
    """One of the sound clips, by its name."""

    def build(name: str) -> tuple[Clip, Path]:
        clip = next(clip for clip in CLIPS if clip.name == name)
        return clip, write(tmp_path_factory.mktemp("named") / name, clip)

    return build


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`make(name, **recipe)` encodes a clip of its own; `x264` options unless told otherwise."""

    def build(name: str, **recipe: object) -> Path:
        recipe.setdefault("codec_options", X264)
        return write(tmp_path_factory.mktemp("clip") / name, Clip(name, **recipe))  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def numbers() -> Callable[[np.ndarray], list[int]]:
    """The picture numbers that an array of frames shows."""

    def read(frames: np.ndarray) -> list[int]:
        rows = frames[:, SIZE // 12 : SIZE // 4].mean(axis=(1, 3))  # well inside the blocks
        cells = rows.reshape(len(frames), BITS, SIZE // BITS)[:, :, 2:-2].mean(-1)
        return ((cells > 128) << np.arange(BITS)).sum(-1).tolist()

    return read


@pytest.fixture(scope="session")
def read_plainly() -> Callable[..., tuple[np.ndarray, list[int]]]:
    """The slow path: decode everything, keep it all, look up each instant. Frames and their times in ms.

    `sides` are height and width of the pictures as they are stored.
    """

    def read(
        path: Path, targets_s: Sequence[Fraction], sides: tuple[int, int] = (SIZE, SIZE)
    ) -> tuple[np.ndarray, list[int]]:
        height, width = sides
        reformatter = VideoReformatter()
        filters = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = stream.time_base
            shown = [
                (
                    frame.pts,
                    reformatter.reformat(frame, width, height, "rgb24", interpolation=filters).to_ndarray(),
                )
                for frame in container.decode(stream)
            ]
        pts = [tick for tick, _ in shown]
        ticks = [pts[0] + int((t + min(base / 2, Fraction(1, 2000))) / base) for t in targets_s]
        rows = [bisect_right(pts, tick) - 1 for tick in ticks]
        milliseconds = [int((pts[r] - pts[0]) * base * 1000 + Fraction(1, 2)) for r in rows]
        return np.stack([shown[r][1] for r in rows]), milliseconds

    return read
