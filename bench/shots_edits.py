"""Hard cases for a shot detector, edited from footage by a seed, with the truth about every transition.

A film is a list of RGB pictures; `Edit` appends shots to it and writes down what it did. Pictures are counted
from 0. Shapes: H, W as the footage has it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from shots_pictures import (
    MIXES,
    Picture,
    difference,
    drawn_slide,
    glitched,
    in_light,
    seen_by_camera,
    to_levels,
    with_bars,
    with_inset,
    with_lower_third,
)

Footage = Sequence[Sequence[Picture]]  # shots without a border inside, each a list of pictures
RATE = 25
_UNLIKE = 16  # mean levels between pictures that are told apart at a glance


@dataclass(frozen=True)
class Truth:
    """Where the borders are, and what is none.

    `cuts` by the first picture of the new shot, `graduals` by first and last mixed picture, `gaps` by first
    and last empty picture between two shots, `events`, which are no borders, by their first and last.
    """

    cuts: tuple[int, ...]
    graduals: tuple[tuple[int, int, str], ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    events: tuple[tuple[int, int, str], ...] = ()


@dataclass
class Edit:
    """A film in the making."""

    footage: Footage
    draw: random.Random
    pictures: list[Picture] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    graduals: list[tuple[int, int, str]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    events: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def truth(self) -> Truth:
        return Truth(tuple(self.cuts), tuple(self.graduals), tuple(self.gaps), tuple(self.events))

    @property
    def unmixed(self) -> int:
        """How many pictures stand after the last transition."""
        ends = [0, *self.cuts, *(last + 1 for _, last, _ in self.graduals)]
        return len(self.pictures) - max(ends)

    def shot(self, length: int) -> list[Picture]:
        """Some pictures in a row that begin unlike the film's last one; now and then mirrored."""
        long = [shot for shot in self.footage if len(shot) >= length]
        while True:
            shot = self.draw.choice(long)
            first = self.draw.randint(0, len(shot) - length)
            pictures = list(shot[first : first + length])
            if self.draw.random() < 0.3:
                pictures = [picture[:, ::-1] for picture in pictures]
            if not self.pictures or difference(self.pictures[-1], pictures[0]) > _UNLIKE:
                return pictures

    def cut_to(self, pictures: Sequence[Picture]) -> int:
        """Append a shot; the number of its first picture."""
        first = len(self.pictures)
        if first:
            self.cuts.append(first)
        self.pictures.extend(pictures)
        return first

    def mix_to(self, pictures: Sequence[Picture], length: int, kind: str) -> None:
        """Append a shot whose first pictures are mixed with the last ones there."""
        if self.unmixed < length + 8:
            self.cut_to(self.shot(length + 24))
        first = len(self.pictures) - length
        mix = MIXES[kind]
        old = self.pictures[first:]
        self.pictures[first:] = [
            to_levels(mix(a.astype(np.float32), b.astype(np.float32), (n + 1) / (length + 1)))
            for n, (a, b) in enumerate(zip(old, pictures[:length], strict=True))
        ]
        self.pictures.extend(pictures[length:])
        self.graduals.append((first, first + length - 1, kind))

    def happens(self, first: int, last: int, what: str) -> None:
        """Note something that is no transition."""
        self.events.append((first, last, what))


def short_shots(edit: Edit) -> None:
    """Cuts between shots of a third of a second and more."""
    for _ in range(20):
        edit.cut_to(edit.shot(edit.draw.choice([8, 12, 16, 22, 28, 40])))


def dissolves(edit: Edit) -> None:
    """Make dissolves of 4 to 50 pictures."""
    edit.cut_to(edit.shot(40))
    for length in (4, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 12):
        edit.mix_to(edit.shot(length + edit.draw.randint(28, 44)), length, "dissolve")


def fades(edit: Edit) -> None:
    """Through black and through white."""
    edit.cut_to(edit.shot(40))
    for length in (8, 12, 16, 24, 32, 50):
        edit.mix_to(edit.shot(length + edit.draw.randint(28, 44)), length, "black")
    for length in (6, 10, 16, 24, 30):
        edit.mix_to(edit.shot(length + edit.draw.randint(28, 44)), length, "white")


def flashes(edit: Edit) -> None:
    """White flashes of one to three pictures, and strobes."""
    edit.cut_to(edit.shot(45))
    for _ in range(5):
        first = edit.cut_to(edit.shot(45))
        for _ in range(2):
            at, length = first + edit.draw.randint(10, 36), edit.draw.randint(1, 3)
            level = edit.draw.choice([0.5, 0.8, 1.0])
            for n in range(at, at + length):
                edit.pictures[n] = to_levels(edit.pictures[n] * (1 - level) + 255 * level)
            edit.happens(at, at + length - 1, "flash")
    for period in (1, 2, 3):
        first = edit.cut_to(edit.shot(44))
        for n in range(first + 8, first + 40):
            if (n - first) // period % 2:
                edit.pictures[n] = to_levels(edit.pictures[n] * 0.15)
        edit.happens(first + 8, first + 40, f"strobe {period}")


def motion(edit: Edit) -> None:
    """Whip pans, pans, zooms and a shaking camera, with cuts between them."""
    for way in ("whip", "pan", "zoom", "shake", "whip", "shake", "pan", "zoom", "whip"):
        shot = edit.shot(40)
        moved = [seen_by_camera(p, way, n / 39, edit.draw) for n, p in enumerate(shot)]
        first = edit.cut_to(moved)
        edit.happens(first, first + 39, way)


def moving_mixes(edit: Edit) -> None:
    """Dissolves while the camera pans or zooms on both sides."""
    edit.cut_to(edit.shot(40))
    for length in (8, 12, 16, 20, 25, 32):
        way = edit.draw.choice(["pan", "zoom", "slow"])
        total = length + 40
        edit.cut_to([seen_by_camera(p, way, n / 79, edit.draw) for n, p in enumerate(edit.shot(length + 30))])
        way = edit.draw.choice(["pan", "zoom", "slow"])
        coming = [seen_by_camera(p, way, n / 99, edit.draw) for n, p in enumerate(edit.shot(total))]
        edit.mix_to(coming, length, "dissolve")


def overlays(edit: Edit) -> None:
    """Letterbox switched on, a picture in the picture, a lower third: none a cut. Then slides, all cuts."""
    first = edit.cut_to(edit.shot(40))
    for n in range(first + 20, first + 40):
        height = len(edit.pictures[n])
        edit.pictures[n] = edit.pictures[n].copy()
        edit.pictures[n][: height // 8] = edit.pictures[n][-height // 8 :] = 0
    edit.happens(first + 20, first + 20, "letterbox")
    first, inner = edit.cut_to(edit.shot(40)), edit.shot(40)
    for n in range(18, 40):
        edit.pictures[first + n] = with_inset(edit.pictures[first + n], inner[n])
    edit.happens(first + 18, first + 18, "picture in picture")
    for _ in range(2):
        first = edit.cut_to(edit.shot(40))
        for n in range(first + 15, first + 36):
            edit.pictures[n] = with_lower_third(edit.pictures[n])
        edit.happens(first + 15, first + 36, "lower third")
    for number in range(6):
        slide = drawn_slide(edit.pictures[0].shape, number, edit.draw)
        edit.cut_to([slide] * edit.draw.randint(20, 40))


def gaps(edit: Edit) -> None:
    """Black between shots; then shots with one foreign, empty, shifted or noisy picture inside."""
    edit.cut_to(edit.shot(36))
    for length in (2, 5, 12, 30):
        first = len(edit.pictures)
        edit.pictures.extend([np.zeros_like(edit.pictures[0])] * length)
        edit.gaps.append((first, len(edit.pictures) - 1))
        edit.pictures.extend(edit.shot(36))
    noise = np.random.default_rng(edit.draw.randrange(2**31))
    for way in ("foreign", "black", "green", "shifted", "noise"):
        foreign = edit.shot(40)[0]
        first = edit.cut_to(edit.shot(40))
        at = first + edit.draw.randint(12, 30)
        edit.pictures[at] = glitched(edit.pictures[at], way, foreign, noise)
        edit.happens(at, at, f"glitch: {way}")


def grain(edit: Edit) -> None:
    """Cuts and dissolves in low light, under grain."""
    edit.cut_to(edit.shot(40))
    for length in (0, 12, 0, 20, 0, 30, 0, 16):
        if length:
            edit.mix_to(edit.shot(length + 36), length, "dissolve")
        else:
            edit.cut_to(edit.shot(36))
    noise = np.random.default_rng(edit.draw.randrange(2**31))
    edit.pictures[:] = [
        to_levels(p * 0.35 + noise.normal(0, 9, p.shape).astype(np.float32)) for p in edit.pictures
    ]


def barred(edit: Edit) -> None:
    """Cuts and dissolves between pillars, then between bars above and below."""
    edit.cut_to(edit.shot(40))
    for length in (0, 0, 16, 0, 25, 0):
        if length:
            edit.mix_to(edit.shot(length + 36), length, "dissolve")
        else:
            edit.cut_to(edit.shot(30))
    half = len(edit.pictures) // 2
    share = edit.draw.choice([0.08, 0.125, 0.2])
    edit.pictures[:half] = [with_bars(p, share, 1) for p in edit.pictures[:half]]
    edit.pictures[half:] = [with_bars(p, share, 0) for p in edit.pictures[half:]]
    edit.happens(half, half, "other bars")


def lights(edit: Edit) -> None:
    """Exposure that drifts, jumps and flickers, with cuts between."""
    for way in ("drift", "jump", "flicker", "colour", "drift", "jump"):
        shot = edit.shot(44)
        first = edit.cut_to([in_light(p, way, n / 43, edit.draw) for n, p in enumerate(shot)])
        edit.happens(first, first + 43, f"light: {way}")


KINDS: dict[str, Callable[[Edit], None]] = {
    "short shots": short_shots,
    "dissolves": dissolves,
    "fades": fades,
    "flashes": flashes,
    "motion": motion,
    "moving mixes": moving_mixes,
    "overlays": overlays,
    "gaps": gaps,
    "grain": grain,
    "barred": barred,
    "lights": lights,
}


def write(pictures: Sequence[Picture], path: Path, crf: int = 23, rate: int = RATE) -> None:
    """Encode as H.264."""
    height, width, _ = pictures[0].shape
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
