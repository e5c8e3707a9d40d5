"""What reading all signals of a film takes beside decoding it once: CPU time, one thread each.

    python bench/signals.py [--seconds 60] [--rounds 3] [--size 720p]

The last lines say what a model's frames take besides: read in spans of their own, with keyframes of a scene
every ten seconds looked up at the end, or all in the same pass.

Twenty seconds of moving shots with a camera's noise and sound are coded and repeated, packet by packet.
Decoding is `ffmpeg -threads 1 -i FILM -f null -`, sound included, or, without an ffmpeg, PyAV's loop over
all packets. Rounds take turns, and the least of each counts.
"""

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.packet import Packet

from jobs.signals.captions import Captions
from jobs.signals.cues import Cues
from jobs.signals.reading import read_signals
from jobs.signals.shots import Shots
from jobs.signals.signal import Beforehand, Signal, VideoFile
from jobs.signals.strip import Strips
from jobs.signals.watching import WatchedBefore, watch_beside_model, watching_of
from schemas.identity import VideoObject
from videoxl2.captions import probe_texts
from videoxl2.frames import DEFAULT_LIMITS, plan_sampling, probe, read_frames
from videoxl2.frames.reading.stills.keyframes import read_keyframes
from videoxl2.watching import FramesWanted, watch

CODED_S, RATE = 20, 25
SIZES = {"360p": (640, 360, 600_000), "720p": (1280, 720, 1_600_000), "1080p": (1920, 1080, 3_500_000)}
GOALS = {"360p": 1.6, "720p": 1.2, "1080p": 1.12}
ALL = (Captions(), Shots(), Cues(), Strips())


class Onlooker:
    """Watches and does nothing: what the pass itself takes."""

    def picture(self, picture: object, at_ms: int) -> None:
        """The next picture."""

    def sound(self, block: object) -> None:
        """The next second of sound."""


@dataclass(frozen=True)
class Way:
    """One way to go through a film, and the CPU seconds it takes."""

    name: str
    measure: Callable[[Path], float]


def code(path: Path, width: int, height: int, bit_rate: int) -> Path:
    """Shots of four seconds that pan, with grain; a tune that rises and falls."""
    chance = np.random.default_rng(7)
    grain = chance.normal(0, 5, (height, width))
    with av.open(str(path), "w") as out:
        options = {"preset": "veryfast", "x264-params": "threads=1", "bf": "3", "g": "50"}
        video = out.add_stream("libx264", rate=RATE, options=options)
        audio = out.add_stream("aac", rate=48_000, layout="stereo")
        assert isinstance(video, av.VideoStream)
        assert isinstance(audio, av.AudioStream)
        video.width, video.height, video.pix_fmt, video.bit_rate = width, height, "yuv420p", bit_rate
        for number in range(CODED_S * RATE):
            if number % (4 * RATE) == 0:
                large = chance.integers(40, 210, (height // 24 + 1, width // 24 + 1), dtype=np.uint8)
                scene = large.repeat(24, 0).repeat(24, 1)[:height, :width].astype(np.int16)
                colour = chance.integers(90, 166, 2)
            noise = np.roll(grain, int(chance.integers(0, width)), 1)
            luma = np.clip(np.roll(scene, 2 * number, 1) + noise, 16, 235).astype(np.uint8)
            chroma = np.concatenate([np.full((height // 4, width), one, np.uint8) for one in colour])
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start in range(0, CODED_S * 48_000, 1024):
            at = np.arange(start, start + 1024) / 48_000
            wave = 0.3 * np.sin(2 * np.pi * (300 + 200 * np.sin(at)) * at).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, start, Fraction(1, 48_000)
            out.mux(audio.encode(sound))
        out.mux(audio.encode(None))
    return path


def repeat(coded: Path, path: Path, times: int) -> Path:
    """The packets of a file over and over, one after the other in time."""
    with av.open(str(coded)) as source, av.open(str(path), "w") as out:
        kept = [packet for packet in source.demux() if packet.size]
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        lengths = {index: length_of([p for p in kept if p.stream_index == index]) for index in streams}
        for turn in range(times):
            for one in kept:
                packet = Packet(bytes(one))
                shift = turn * lengths[one.stream_index]
                packet.pts, packet.dts = (one.pts or 0) + shift, (one.dts or 0) + shift
                packet.time_base, packet.duration, packet.is_keyframe = (
                    one.time_base,
                    one.duration,
                    one.is_keyframe,
                )
                packet.stream = streams[one.stream_index]
                out.mux(packet)
    return path


def length_of(packets: Sequence[Packet]) -> int:
    """Ticks from the first packet of a stream to the end of its last one."""
    return max((p.dts or 0) + (p.duration or 0) for p in packets) - min(p.dts or 0 for p in packets)


def in_process(work: Callable[[Path], Any]) -> Callable[[Path], float]:
    """CPU seconds of this process."""

    def measure(path: Path) -> float:
        start = time.process_time()
        work(path)
        return time.process_time() - start

    return measure


def by_ffmpeg(path: Path) -> float:
    """CPU seconds of ffmpeg, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), "-threads", "1", "-f", "null", "-"]
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_pyav(path: Path) -> None:
    """Decode everything."""
    with av.open(str(path)) as container:
        for stream in (*container.streams.video, *container.streams.audio):
            stream.codec_context.thread_count = 1
        for packet in container.demux():
            packet.decode()


def read(signals: Sequence[Signal]) -> Callable[[Path], None]:
    """Probe a film and read these signals of it."""

    def work(path: Path) -> None:
        read_off(probed(path), signals)

    return work


def probed(path: Path) -> VideoFile:
    """A film as signals are given it."""
    info, texts = probe_texts(path)
    video = VideoObject(str(path), path.stat().st_size, 0, None)
    return VideoFile(video, path, info, DEFAULT_LIMITS, lambda sidecar: b"", Beforehand(texts))


def read_off(file: VideoFile, signals: Sequence[Signal]) -> None:
    """All of them, or it is no bench."""
    found = read_signals(file, signals, lineage_of)
    assert not found.failures, found.failures


def lineage_of(signal: str) -> dict[str, Any]:
    """Columns that rows share."""
    ids = dict.fromkeys(("video_id", "object_rev", "recipe_id", "analysis_key", "run_id"), "bench")
    none = dict.fromkeys(("model_id", "model_revision", "prompt_id"))
    return ids | none | {"created_at": datetime.now(UTC), "signal_id": signal}


def frames(path: Path) -> None:
    """One a second, as a model sees them."""
    info = probe(path)
    for _ in read_frames(path, plan_sampling(info, fps=Fraction(1)), info=info):
        pass


def apart(path: Path) -> None:
    """A model's frames, then all signals, then keyframes of what the model said."""
    frames(path)
    read(ALL)(path)
    info = probe(path)
    read_keyframes(path, info, scene_pictures_ms(info.duration_ms))


def scene_pictures_ms(duration_ms: int) -> list[int]:
    """Three pictures around the middle of every ten seconds, as for scenes."""
    return [ms + at_ms for ms in range(0, duration_ms, 10_000) for at_ms in (4000, 5000, 6000)]


def together(path: Path) -> None:
    """The same in one pass."""
    file = probed(path)
    grid = plan_sampling(file.info, fps=Fraction(1))
    steps = watch_beside_model(file, watching_of(ALL), FramesWanted(grid, tuple(grid.spans(128)), 384))
    watched = end_of(steps)
    assert watched.stills.keys() >= set(scene_pictures_ms(file.info.duration_ms))
    read_off(replace(file, before=replace(file.before, watched=watched)), ALL)


def end_of(steps: Generator[object, None, WatchedBefore]) -> WatchedBefore:
    """Run a pass to its end, and let its frames go."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            watched: WatchedBefore = end.value
            return watched


def onlook(path: Path) -> None:
    """The pass alone."""
    watch(path, probe(path), [Onlooker()])


WAYS = [
    Way("ffmpeg", by_ffmpeg if shutil.which("ffmpeg") else in_process(by_pyav)),
    Way("PyAV, all packets decoded", in_process(by_pyav)),
    Way("probe", in_process(probe)),
    Way("the pass, nobody interested", in_process(onlook)),
    Way("+ cues", in_process(read((Captions(), Cues())))),
    Way("+ shots", in_process(read((Captions(), Shots())))),
    Way("all signals", in_process(read(ALL))),
    Way("shots and cues of a draft", in_process(read((Shots(is_draft=True), Cues(is_draft=True))))),
    Way("frames for a model, one a second", in_process(frames)),
    Way("frames, all signals, keyframes: apart", in_process(apart)),
    Way("frames, all signals, keyframes: one pass", in_process(together)),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=SIZES, action="append")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.size or SIZES:
            coded = code(Path(folder) / f"coded-{size}.mp4", *SIZES[size])
            film = repeat(coded, Path(folder) / f"{size}.mp4", max(1, asked.seconds // CODED_S))
            rounds = [[way.measure(film) for way in WAYS] for _ in range(asked.rounds)]
            best = [min(times) for times in zip(*rounds, strict=True)]
            print(f"{size}, {asked.seconds} s, {film.stat().st_size * 8 // asked.seconds // 1000} kb/s")
            for way, seconds in zip(WAYS, best, strict=True):
                goal = f" (goal {GOALS[size]})" if way.name == "all signals" else ""
                print(f"  {way.name:41} {seconds:6.2f} s  x {seconds / best[0]:.2f}{goal}", flush=True)


if __name__ == "__main__":
    main()
