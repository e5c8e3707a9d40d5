"""What captions cost beside probing a film and reading a frame a second of it: CPU time of one process.

    python bench/captions.py [--minutes 6] [--rounds 3] [--seen 10]

Twenty seconds are coded and repeated, packet by packet, with caption codes beside the pictures or without.
Rounds of the two take turns, and the least of each counts. Of a long film frames may be read of the first
minutes alone (`--seen`), and counted as if all were alike, which they are.
"""

import argparse
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import islice
from math import ceil
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from captioned import Coded, with_triplets
from line21 import PADDING, RETURN, ROLL_UP, triplets, words

from videoxl2.captions import probe_texts, read_texts
from videoxl2.frames import MediaInfo, plan_sampling, probe, read_frames

CODED_S = 20
_SPAN = 32  # frames read at once
_LINES = ("The quick brown fox jumps", "over the lazy dog again", "and nobody minds at all")


@dataclass(frozen=True)
class Kind:
    """One film: how it is coded, and what is said in it."""

    name: str
    codec: str
    ending: str
    size: tuple[int, int]
    rate: Fraction
    bit_rate: int
    talk: str  # none, real or endless

    @property
    def pictures(self) -> tuple[str, tuple[int, int], Fraction, int]:
        """What `code` makes of them."""
        return self.codec, self.size, self.rate, self.bit_rate


KINDS = [
    Kind("H.264 1080p24 MP4", "h264", "mp4", (1920, 1080), Fraction(24), 5_000_000, "none"),
    Kind("H.264 1080p24 MP4", "h264", "mp4", (1920, 1080), Fraction(24), 5_000_000, "endless"),
    Kind("H.264 1080p24 TS", "h264", "ts", (1920, 1080), Fraction(24), 5_000_000, "none"),
    Kind("H.264 360p30 MP4", "h264", "mp4", (640, 360), Fraction(30), 800_000, "none"),
    Kind("H.264 360p30 MP4", "h264", "mp4", (640, 360), Fraction(30), 800_000, "real"),
    Kind("H.264 360p30 MP4", "h264", "mp4", (640, 360), Fraction(30), 800_000, "endless"),
    Kind("MPEG-2 404p30 TS", "mpeg2video", "ts", (720, 404), Fraction(30), 3_000_000, "endless"),
]
_ENCODERS = {"h264": "libx264", "mpeg2video": "mpeg2video"}


def talk(kind: str, num_pictures: int) -> Iterator[bytes]:
    """A pair for each picture: endless talk is 320 words a minute, real talk is silent half of the time."""
    if kind == "none":
        return iter(())
    said = list(ROLL_UP[2])
    for number in range(num_pictures):
        line = RETURN + words(f"{_LINES[number % 3]} {number}")
        said += line + [PADDING] * (len(line) if kind == "real" else 0)
        if len(said) > num_pictures:
            break
    return (triplets(codes) for codes in said[:num_pictures])


@cache
def code(codec: str, size: tuple[int, int], rate: Fraction, bit_rate: int) -> list[Coded]:
    """CODED_S seconds of drifting texture with a camera's noise, with a cut every five seconds."""
    width, height = size
    chance = np.random.default_rng(7)
    grain = chance.normal(0, 6, (height, width))
    packets: list[Packet] = []
    with av.open("/dev/null", "w", format="mpegts") as output:
        options = {"preset": "veryfast", "x264-params": "threads=1"} if codec == "h264" else {"bf": "2"}
        stream = output.add_stream(_ENCODERS[codec], rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.gop_size = bit_rate, int(2 * rate)
        for number in range(int(CODED_S * rate)):
            if number % int(5 * rate) == 0:
                scene = chance.integers(16, 235, (height // 8 + 1, width // 8 + 1), dtype=np.uint8)
                scene = scene.repeat(8, 0).repeat(8, 1)[:height, :width]
            noise = np.roll(grain, chance.integers(0, width), 1)
            light = np.clip(np.roll(scene, number, 1) + noise, 16, 235).astype(np.uint8)
            picture = np.concatenate([light, np.full((height // 2, width), 128, np.uint8)])
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p"))
        packets += stream.encode(None)
    first = min(packet.dts or 0 for packet in packets)
    return [Coded(bytes(p), (p.pts or 0) - first, (p.dts or 0) - first, p.is_keyframe) for p in packets]


def make(path: Path, kind: Kind, minutes: float) -> Path:
    """The coded pictures over and over, with what is said beside them."""
    coded, rounds = code(*kind.pictures), max(1, round(minutes * 60 / CODED_S))
    num = len(coded)
    delay = min(picture.shown for picture in coded)
    said = list(talk(kind.talk, num * rounds))
    with av.open(str(path), "w") as output:
        stream = output.add_stream(_ENCODERS[kind.codec], rate=kind.rate)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = kind.size
        for number in range(num * rounds):
            told, shift = coded[number % num], number // num * num
            place = told.shown - delay + shift
            packet = Packet(with_triplets(told.data, said[place], kind.codec) if said else told.data)
            packet.pts, packet.dts = told.shown + shift, told.decoded + shift
            packet.time_base, packet.duration = 1 / kind.rate, 1
            packet.is_keyframe, packet.stream = told.is_key, stream
            output.mux(packet)
    return path


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def frames(path: Path, info: MediaInfo, seen_minutes: int) -> float:
    """CPU seconds for one a second, of a long film fewer, as a run reads them; told by the first minutes."""
    grid = plan_sampling(info, fps=Fraction(1))
    spans = ceil(grid.num_targets / _SPAN)
    share = min(1.0, seen_minutes * 60_000 / info.duration_ms) if seen_minutes else 1.0
    seen = max(1, round(spans * share))
    took_s = cpu_seconds(lambda: deque(islice(read_frames(path, grid, 384, _SPAN, info=info), seen), 0))
    return took_s * spans / seen


def cpu_times(path: Path, info: MediaInfo, seen_minutes: int) -> tuple[float, float, float, float]:
    """Of frames, of probing, of probing with captions, and of captions alone."""
    return (
        frames(path, info, seen_minutes),
        cpu_seconds(lambda: probe(path)),
        cpu_seconds(lambda: probe_texts(path)),
        cpu_seconds(lambda: read_texts(path, info)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seen", type=int, default=0, help="minutes of which frames are read [all]")
    parser.add_argument("--only", default="", help="films whose names hold this")
    arguments = parser.parse_args()
    print("| film | talk | cues | probe + 1 fps: CPU s | in that pass | share | a pass of its own | share |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(KINDS):
            if arguments.only not in kind.name:
                continue
            path = make(Path(folder) / f"{number}.{kind.ending}", kind, arguments.minutes)
            info, texts = probe_texts(path)
            times = [cpu_times(path, info, arguments.seen) for _ in range(arguments.rounds)]
            of_frames, of_probe, of_both, apart = (min(column) for column in zip(*times, strict=True))
            whole, inside = of_frames + of_probe, of_both - of_probe
            shares = f"{inside:.3f} | **{inside / whole:.1%}** | {apart:.3f} | {apart / whole:.1%}"
            cues = sum(len(track.cues) for track in texts.tracks)
            print(f"| {kind.name} | {kind.talk} | {cues} | {whole:.2f} | {shares} |", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
