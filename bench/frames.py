"""What reading one frame per second costs, against ffmpeg and against decoding everything.

Makes its own files (every picture carries its number as a bar code), then reads each of them in turn with

* `ours`: `probe` and `read_frames`;
* `ffmpeg`: the command line, `-threads 1 -vf fps=1:round=up,scale=384:384`, raw RGB through a pipe;
* `sequential`: PyAV decoding every picture, with our resize for the sampled ones.

One decoding thread each. The figure is CPU time (user + system, children included), which a busy machine
disturbs less than wall time; the repeats are interleaved and the median is taken. Prints Markdown.

    python bench/frames.py [--seconds 12] [--repeats 3] [--only NAME]
    python bench/frames.py --spans    # spans of files whose pictures have no times of their own
"""

import argparse
import platform
import resource
import shlex
import statistics
import subprocess
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np

from videoxl2.frames import SamplingGrid, plan_sampling, probe, read_frames, read_span, read_spans
from videoxl2.frames.files.pixels import RgbConverter

SIZE, BITS = 384, 16


@dataclass(frozen=True)
class Source:
    """One file to make: its picture and how ffmpeg is to encode it."""

    name: str
    width: int
    height: int
    rate: Fraction
    suffix: str
    encode: str  # ffmpeg output options


SOURCES = [
    Source("H.264 1080p29.97, GOP 2 s", 1920, 1080, Fraction(30000, 1001), "mp4",
           "-c:v libx264 -preset fast -b:v 7M -g 60 -bf 3"),
    Source("H.264 720p30, x264 defaults", 1280, 720, Fraction(30), "mp4",
           "-c:v libx264 -preset fast -b:v 3M"),
    Source("H.264 1080p25, open GOP 10 s", 1920, 1080, Fraction(25), "mkv",
           "-c:v libx264 -preset fast -b:v 7M -g 250 -bf 3 -x264-params open-gop=1:scenecut=0"),
    Source("HEVC 1080p25, GOP 10 s", 1920, 1080, Fraction(25), "mp4",
           "-c:v libx265 -preset superfast -b:v 6M -x265-params keyint=250:bframes=4:log-level=none"),
    Source("VP9 720p30, GOP 4 s", 1280, 720, Fraction(30), "webm",
           "-c:v libvpx-vp9 -deadline realtime -cpu-used 7 -row-mt 1 -b:v 2M -g 120"),
    Source("MPEG-2 576p25 TS, GOP 12", 720, 576, Fraction(25), "ts", "-c:v mpeg2video -b:v 5M -g 12 -bf 2"),
]  # fmt: skip


def pictures(source: Source, seconds: int) -> Iterator[bytes]:
    """RGB pictures: two textures sliding over each other, some grain, and the number in 16 blocks on top."""
    rng = np.random.default_rng(0)
    width, height = source.width, source.height
    far, near = (_texture(rng, (height + 256, width + 256), cell) for cell in (48, 12))
    grain = rng.normal(0, 3, (height, width + 512, 1)).astype(np.float32)
    for number in range(int(seconds * source.rate)):
        x, y = number * 3 % 256, number * 2 % 256
        picture = 0.6 * far[256 - y :, x:][:height, :width] + 0.4 * near[y:, 256 - x :][:height, :width]
        picture += grain[:, number * 197 % 512 :][:, :width]
        bits = (number >> np.arange(BITS)) & 1
        picture[: height // 8] = np.repeat(bits * 235 + 10, width // BITS)[None, :, None]
        yield picture.clip(0, 255).astype(np.uint8).tobytes()


def _texture(rng: np.random.Generator, shape: tuple[int, int], cell: int) -> np.ndarray:
    coarse = rng.integers(0, 256, (shape[0] // cell + 2, shape[1] // cell + 2, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(coarse, format="rgb24")
    return (
        frame.reformat(shape[1], shape[0], "rgb24", interpolation="BICUBIC").to_ndarray().astype(np.float32)
    )


def make(source: Source, folder: Path, seconds: int) -> Path:
    """Encode one source."""
    path = folder / f"{SOURCES.index(source)}.{source.suffix}"
    raw = f"-f rawvideo -pix_fmt rgb24 -s {source.width}x{source.height} -r {source.rate} -i -"
    command = f"ffmpeg -v error -y {raw} -pix_fmt yuv420p {source.encode} {path}"
    with subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for picture in pictures(source, seconds):
            process.stdin.write(picture)
        process.stdin.close()
    if process.returncode:
        raise SystemExit(f"ffmpeg could not make {source.name}")
    return path


def read_ours(path: Path) -> np.ndarray:
    info = probe(path)
    return np.concatenate([span.frames for span in read_frames(path, plan_sampling(info), SIZE, info=info)])


def read_ffmpeg(path: Path) -> np.ndarray:
    filters = f"fps=1:round=up,scale={SIZE}:{SIZE}"
    command = f"ffmpeg -v error -threads 1 -i {path} -vf {filters} -f rawvideo -pix_fmt rgb24 -"
    data = subprocess.run(shlex.split(command), capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE, SIZE, 3)


def read_sequentially(path: Path) -> np.ndarray:
    """Every picture decoded; the one on screen at each whole second kept."""
    rows: list[np.ndarray] = []
    converter = RgbConverter(SIZE)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        clock = stream.time_base or Fraction(1)
        shown: Any = None
        first: Any = None
        for frame in container.decode(stream):
            first = frame.pts if first is None else first
            while first + int(len(rows) / clock + Fraction(1, 2)) < (frame.pts or 0):
                rows.append(converter.rgb(shown))
            shown = frame
        rows.append(converter.rgb(shown))
    return np.stack(rows)


def num_exact(frames: np.ndarray, source: Source, seconds: int) -> str:
    """How many of the frames on screen at 0, 1, 2, … s were returned in their place."""
    begins = [n / source.rate for n in range(int(seconds * source.rate))]
    wanted = [bisect_right(begins, k + Fraction(1, 2000)) - 1 for k in range(int(begins[-1]) + 1)]
    rows = frames[:, 8 : SIZE // 8 - 8].mean(axis=(1, 3)).reshape(len(frames), BITS, SIZE // BITS)
    numbers = ((rows[:, :, 6:-6].mean(-1) > 128) << np.arange(BITS)).sum(-1).tolist()
    return f"{sum(a == b for a, b in zip(numbers, wanted, strict=False))}/{len(wanted)}"


def cpu_seconds(read: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    def used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in both)

    before = used()
    frames = read()
    return used() - before, frames


READERS = {"ours": read_ours, "ffmpeg": read_ffmpeg, "sequential": read_sequentially}


def measure(source: Source, folder: Path, seconds: int, repeats: int) -> str:
    """One row of the table."""
    path = make(source, folder, seconds)
    times: dict[str, list[float]] = {name: [] for name in READERS}
    exact = {}
    for _ in range(repeats):
        for name, read in READERS.items():
            used, frames = cpu_seconds(partial(read, path))
            times[name].append(used)
            exact[name] = num_exact(frames, source, seconds)
    median = {name: statistics.median(values) for name, values in times.items()}
    spread = max(max(v) / min(v) for v in times.values())
    path.unlink()
    cells = [
        source.name,
        f"**{median['ours'] / median['ffmpeg']:.2f}**",
        f"{median['sequential'] / median['ffmpeg']:.2f}",
        *(f"{median[name]:.2f}" for name in READERS),
        *(exact[name] for name in READERS),
        f"{spread:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def measure_spans(num_spans: int, folder: Path, repeats: int) -> str:
    """One row: an AVI of H.264 with B pictures, 10 s a span, each span read by itself and all in one pass."""
    path = folder / "order.avi"
    lasts_s = 10 * num_spans
    command = (
        f"ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=25:duration={lasts_s} "
        f"-c:v libx264 -preset fast -b:v 1M -g 50 -bf 2 {path}"
    )
    subprocess.run(shlex.split(command), check=True)
    info = probe(path)
    assert info.clock.order is not None
    grid = SamplingGrid(Fraction(1), lasts_s)
    spans = grid.spans(10)

    def together() -> np.ndarray:
        return np.concatenate([span.frames for span in read_spans(path, info, grid, spans, SIZE)])

    def apart() -> np.ndarray:
        return np.concatenate([read_span(path, info, grid, span, SIZE).frames for span in spans])

    used: dict[str, list[float]] = {"together": [], "apart": []}
    for _ in range(repeats):
        one, frames = cpu_seconds(together)
        many, same = cpu_seconds(apart)
        assert np.array_equal(frames, same)
        used["together"].append(one)
        used["apart"].append(many)
    path.unlink()
    one, many = (statistics.median(values) for values in used.values())
    return f"| {num_spans} | {many:.2f} | {one:.2f} | **{many / one:.2f}** | {many / num_spans:.3f} |"


def conditions(arguments: argparse.Namespace) -> str:
    cpu = next(
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    )
    ffmpeg = subprocess.run(
        ["ffmpeg", "-version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    codec = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return (
        f"{cpu.split(':')[1].strip()}, Python {platform.python_version()}, PyAV {av.__version__} "
        f"(libavcodec {codec}), ffmpeg {ffmpeg}; {arguments.seconds} s per file, "
        f"median of {arguments.repeats}, 1 frame per second, {SIZE}x{SIZE} RGB."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a file's name")
    parser.add_argument("--spans", action="store_true", help="spans of files without times of their own")
    arguments = parser.parse_args()
    if arguments.spans:
        print("| spans of 10 s | apart: CPU s | one pass: CPU s | apart / one pass | apart: CPU s a span |")
        print("|---|" + "---|" * 4)
        with tempfile.TemporaryDirectory() as folder:
            for num_spans in (6, 12, 24):
                print(measure_spans(num_spans, Path(folder), arguments.repeats), flush=True)
        return
    print("| file | ours / ffmpeg | sequential / ffmpeg | CPU s: ours | ffmpeg | sequential "
          "| exact: ours | ffmpeg | sequential | worst max/min |")  # fmt: skip
    print("|---|" + "---|" * 9)
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            if arguments.only in source.name:
                print(measure(source, Path(folder), arguments.seconds, arguments.repeats), flush=True)
    print("\n" + conditions(arguments))


if __name__ == "__main__":
    main()
