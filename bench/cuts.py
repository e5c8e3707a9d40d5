"""What snapping costs: seconds per boundary on a long file, against decoding all of it.

Makes a film of a texture that slides, with a cut every 7 s (H.264, B-frames, a key every 10 s and at cuts,
25 pictures a second), then measures in CPU seconds of one thread

* `together`: `cuts_near` for all boundaries, one pass;
* `one by one`: `cuts_near` for every tenth boundary alone, scaled up;
* `whole`: PyAV decoding every picture.

    python bench/cuts.py [--minutes 60] [--boundaries 100] [--height 180]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from videoxl2.frames import probe
from videoxl2.frames.reading.cuts import Cut, cuts_near

RATE, SHOT_S = 25, 7


def make(path: Path, minutes: float, height: int) -> Path:
    """One shade per shot; the texture slides on a pixel at a time."""
    width = height * 16 // 9
    y, x = np.mgrid[:height, : width * 2]
    texture = (60 + 40 * np.sin(x * 36 * np.pi / width) + 20 * np.cos(y / 7)).astype(np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "bf": "3", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(int(minutes * 60 * RATE)):
            shade = 40 * (number // (SHOT_S * RATE) % 3)
            gray = np.ascontiguousarray(texture[:, number % width :][:, :width]) + np.uint8(shade)
            frame = av.VideoFrame.from_ndarray(gray, format="gray").reformat(format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def cpu_seconds(act: Callable[[], object]) -> float:
    before = time.thread_time()
    act()
    return time.thread_time() - before


def decode_all(path: Path) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for _ in container.decode(stream):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--boundaries", type=int, default=100)
    parser.add_argument("--height", type=int, default=180)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder) / "film.mp4", arguments.minutes, arguments.height)
        info = probe(path)
        instants_ms = np.linspace(0, info.duration_ms, arguments.boundaries + 2).astype(int)[1:-1].tolist()
        found: dict[int, Cut] = {}
        together = cpu_seconds(lambda: found.update(cuts_near(path, info, instants_ms)))
        every_tenth = instants_ms[::10]
        alone = cpu_seconds(lambda: [cuts_near(path, info, [ms]) for ms in every_tenth]) / len(every_tenth)
        whole = cpu_seconds(lambda: decode_all(path))
        probed = cpu_seconds(lambda: probe(path))
    wrong = [cut.at_ms for cut in found.values() if cut.at_ms % (SHOT_S * 1000)]
    print(f"{len(found)} of {len(instants_ms)} boundaries have a cut, {len(wrong)} of them are wrong")
    print(f"together    {together:6.2f} s, {together / len(instants_ms) * 1000:.0f} ms a boundary")
    print(f"one by one  {alone * len(instants_ms):6.2f} s, {alone * 1000:.0f} ms a boundary")
    print(f"whole       {whole:6.2f} s decoding; together is {together / whole:.0%} of it")
    print(f"probe       {probed:6.2f} s")


if __name__ == "__main__":
    main()
