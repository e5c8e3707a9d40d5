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
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]  # [H, W, 3]
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
            if not self.pictures or _apart(self.pictures[-1], pictures[0]) > _UNLIKE:
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
        mix = _MIXES[kind]
        old = self.pictures[first:]
        self.pictures[first:] = [
            _clipped(mix(a.astype(np.float32), b.astype(np.float32), (n + 1) / (length + 1)))
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
                edit.pictures[n] = _clipped(edit.pictures[n] * (1 - level) + 255 * level)
            edit.happens(at, at + length - 1, "flash")
    for period in (1, 2, 3):
        first = edit.cut_to(edit.shot(44))
        for n in range(first + 8, first + 40):
            if (n - first) // period % 2:
                edit.pictures[n] = _clipped(edit.pictures[n] * 0.15)
        edit.happens(first + 8, first + 40, f"strobe {period}")


def motion(edit: Edit) -> None:
    """Whip pans, pans, zooms and a shaking camera, with cuts between them."""
    for way in ("whip", "pan", "zoom", "shake", "whip", "shake", "pan", "zoom", "whip"):
        shot = edit.shot(40)
        moved = [_moved(p, way, n / 39, edit.draw) for n, p in enumerate(shot)]
        first = edit.cut_to(moved)
        edit.happens(first, first + 39, way)


def moving_mixes(edit: Edit) -> None:
    """Dissolves while the camera pans or zooms on both sides."""
    edit.cut_to(edit.shot(40))
    for length in (8, 12, 16, 20, 25, 32):
        way = edit.draw.choice(["pan", "zoom", "slow"])
        total = length + 40
        edit.cut_to([_moved(p, way, n / 79, edit.draw) for n, p in enumerate(edit.shot(length + 30))])
        way = edit.draw.choice(["pan", "zoom", "slow"])
        coming = [_moved(p, way, n / 99, edit.draw) for n, p in enumerate(edit.shot(total))]
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
        edit.pictures[first + n] = _inset(edit.pictures[first + n], inner[n])
    edit.happens(first + 18, first + 18, "picture in picture")
    for _ in range(2):
        first = edit.cut_to(edit.shot(40))
        for n in range(first + 15, first + 36):
            edit.pictures[n] = _lower_third(edit.pictures[n])
        edit.happens(first + 15, first + 36, "lower third")
    for number in range(6):
        slide = _slide(edit.pictures[0].shape, number, edit.draw)
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
        edit.pictures[at] = _glitch(edit.pictures[at], way, foreign, noise)
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
        _clipped(p * 0.35 + noise.normal(0, 9, p.shape).astype(np.float32)) for p in edit.pictures
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
    edit.pictures[:half] = [_bars(p, share, 1) for p in edit.pictures[:half]]
    edit.pictures[half:] = [_bars(p, share, 0) for p in edit.pictures[half:]]
    edit.happens(half, half, "other bars")


def lights(edit: Edit) -> None:
    """Exposure that drifts, jumps and flickers, with cuts between."""
    for way in ("drift", "jump", "flicker", "colour", "drift", "jump"):
        shot = edit.shot(44)
        first = edit.cut_to([_lit(p, way, n / 43, edit.draw) for n, p in enumerate(shot)])
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


def _through(level: float) -> Callable[[NDArray, NDArray, float], NDArray]:
    def mixed(old: NDArray, new: NDArray, share: float) -> NDArray:
        kept, picture = (1 - 2 * share, old) if share < 0.5 else (2 * share - 1, new)
        return picture * kept + level * (1 - kept)

    return mixed


_MIXES: dict[str, Callable[[NDArray, NDArray, float], NDArray]] = {
    "dissolve": lambda old, new, share: old * (1 - share) + new * share,
    "black": _through(0.0),
    "white": _through(255.0),
}


def _clipped(picture: NDArray) -> Picture:
    return np.clip(picture, 0, 255).astype(np.uint8)


def _apart(a: Picture, b: Picture) -> float:
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())


def _moved(picture: Picture, way: str, share: float, draw: random.Random) -> Picture:
    """What a camera sees of twice the picture's size."""
    height, width, _ = picture.shape
    zoom, x, y = 0.5, 0.25, 0.25  # size, left and top of the view, as shares of the picture
    if way == "whip":
        x = 0.5 / (1 + np.exp(-(share * 40 - 20) / 1.2))
    elif way == "pan":
        x, y = 0.5 * share, 0.25 * (1 - share)
    elif way == "slow":
        zoom, x, y = 0.8, 0.2 * share, 0.1
    elif way == "shake":
        x, y = 0.25 + draw.uniform(-0.04, 0.04), 0.25 + draw.uniform(-0.04, 0.04)
    else:
        zoom = 1 / (1 + min(1.0, max(0.0, (share - 0.3) * 4)))
        x = y = (1 - zoom) / 2
    box = (x * width, y * height, (x + zoom) * width, (y + zoom) * height)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR, box))


def _inset(picture: Picture, inner: Picture) -> Picture:
    height, width, _ = picture.shape
    small = np.asarray(Image.fromarray(inner).resize((width // 3, height // 3), Image.Resampling.BILINEAR))
    out = picture.copy()
    out[height // 10 :][: height // 3, width // 16 :][:, : width // 3] = small
    return out


def _lower_third(picture: Picture) -> Picture:
    height, width, _ = picture.shape
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    pen.rectangle((width // 20, int(height * 0.75), int(width * 0.6), int(height * 0.9)), (20, 40, 160))
    pen.text((width // 16, int(height * 0.79)), "Prof. Example, City Hall", "white", _font(height // 14))
    return np.asarray(image)


def _slide(shape: tuple[int, ...], number: int, draw: random.Random) -> Picture:
    height, width = shape[:2]
    image = Image.new("RGB", (width, height), (draw.choice([255, 245, 250]),) * 3)
    pen = ImageDraw.Draw(image)
    title = draw.choice(["Results", "Method", "Budget 2026", "Outlook", "Team"])
    pen.text((width // 12, height // 9), f"{title} {number}", (20, 30, 120), _font(height // 9))
    for line in range(draw.randint(2, 6)):
        words = (draw.choice(["value", "index", "shots", "cost", "cpu", "film", "line"]) for _ in range(9))
        text = "- " + " ".join(list(words)[: draw.randint(3, 6)])
        pen.text((width // 10, int(height * (0.32 + 0.1 * line))), text, "black", _font(height // 16))
    return np.asarray(image)


def _glitch(picture: Picture, way: str, foreign: Picture, noise: np.random.Generator) -> Picture:
    if way == "foreign":
        return foreign
    if way == "shifted":
        return np.roll(picture, len(picture) // 2, 0)
    if way == "noise":
        return noise.integers(0, 255, picture.shape).astype(np.uint8)
    return np.full_like(picture, (0, 135, 0) if way == "green" else 0)


def _bars(picture: Picture, share: float, axis: int) -> Picture:
    out = np.swapaxes(picture, 0, axis).copy()
    thick = int(len(out) * share)
    out[:thick] = out[len(out) - thick :] = 0
    return np.swapaxes(out, 0, axis)


def _lit(picture: Picture, way: str, share: float, draw: random.Random) -> Picture:
    gain = {"drift": 0.6 + 0.8 * share, "jump": 1.0 if share < 0.5 else 0.45}.get(way, 1.0)
    if way == "flicker":
        gain = draw.uniform(0.75, 1.2)
    tint = np.array([1.0, 1 - 0.5 * share, 1 - 0.7 * share]) if way == "colour" else 1.0
    return _clipped(picture.astype(np.float32) * gain * tint)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, size))
