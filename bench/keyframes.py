"""What keyframes cost beside snapping: CPU time of their pass over a film, and bytes of the pictures.

Makes the film of `cuts.py`, lays scenes over it evenly, and measures in CPU seconds of one thread

* `snapping`: `cuts_near` for all boundaries;
* `keyframes`: `read_keyframes` for three pictures in the middle of each scene, of which a run keeps one;
* `one each`: the same for a single picture of each scene.

Bytes are those of camera clips out of Python packages, which `real_videos.py` downloads: the largest of three
pictures for every 3 s.

    python bench/keyframes.py [--minutes 10] [--scenes 17] [--height 1080]
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
from cuts import cpu_seconds, make
from real_videos import fetch_clips

from videoxl2.frames import probe
from videoxl2.frames.reading.cuts import cuts_near
from videoxl2.frames.reading.stills.keyframes import read_keyframes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--scenes", type=int, default=17)
    parser.add_argument("--height", type=int, default=1080)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder) / "film.mp4", arguments.minutes, arguments.height)
        info = probe(path)
        bounds = np.linspace(0, info.duration_ms, arguments.scenes + 1).astype(int)
        middles = ((bounds[:-1] + bounds[1:]) // 2 // 1000 * 1000).tolist()
        three = [ms + off for ms in middles for off in (-1000, 0, 1000)]
        snapping = cpu_seconds(lambda: cuts_near(path, info, bounds[1:-1].tolist()))
        keyframes = cpu_seconds(lambda: read_keyframes(path, info, three))
        one_each = cpu_seconds(lambda: read_keyframes(path, info, middles))
    with tempfile.TemporaryDirectory() as folder:
        sizes = real_sizes(Path(folder))
    for name, seconds in (("snapping", snapping), ("keyframes", keyframes), ("one each", one_each)):
        print(f"{name:9} {seconds:6.2f} s, {seconds / arguments.scenes * 1000:.0f} ms a scene")
    print(f"keyframes are {keyframes / snapping:.0%} of snapping")
    print(
        f"{len(sizes)} keyframes of camera clips: median {statistics.median(sizes)} bytes, "
        f"mean {statistics.mean(sizes):.0f}, largest {max(sizes)}"
    )


def real_sizes(folder: Path) -> list[int]:
    """Bytes of the keyframes of all clips."""
    sizes = []
    for clip in fetch_clips(folder):
        info = probe(clip)
        found = read_keyframes(clip, info, range(0, info.duration_ms, 1000))
        images = [len(found[ms].image) for ms in sorted(found)]
        sizes += [max(images[at : at + 3]) for at in range(0, len(images), 3)]
    return sizes


if __name__ == "__main__":
    main()
