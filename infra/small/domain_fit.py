"""Describe how drawn films look, and test that on what is not drawn: `domain.json` of the small checkpoint.

    python infra/small/domain_fit.py CHECKPOINT --outside FOLDER

Fits on films of the train part, encoded by codecs, qualities and sizes drawn by lot, and on unencoded ones.
Then measures films of the test part, by other codecs too, and every video in FOLDER, and writes the file only
where there is room for a limit between them. For a checkpoint of your own name its training films: `--inside
FOLDER`.
"""

from __future__ import annotations

import math
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import click
import numpy as np
from drawing import draw_picture
from films import ENCODINGS, encode
from storyboard import Film, draw_film

from videoxl2.domain import (
    NUM_PICTURES,
    SIDE,
    fit_domain,
    picture_statistics,
    read_pictures,
    video_statistics,
    write_domain,
)
from videoxl2.domain.statistics import Numbers
from videoxl2.frames import MediaError, probe

MARGIN = 1.08  # between the limit and what is on either side of it, as a ratio
_SIZES = ((240, 180), (320, 180), (320, 240), (426, 240), (480, 270), (640, 360), (854, 480), (1280, 720))
_TAIL = 2  # pictures after, and as many before, each one that is measured: it is no first one of a group


@dataclass(frozen=True)
class Quality:
    """A codec and a range of its quality number; `option` None: it has none, and takes its own default."""

    codec: str
    suffix: str
    option: str | None
    worst: int
    best: int
    more: tuple[tuple[str, str], ...] = ()
    pix_fmt: str = "yuv420p"


SEEN = (
    Quality("libx264", "mp4", "crf", 32, 16, (("preset", "veryfast"),)),
    Quality("libx265", "mkv", "crf", 32, 18, (("preset", "ultrafast"), ("x265-params", "log-level=none"))),
    Quality("libvpx-vp9", "webm", "crf", 50, 20, (("b", "0"), ("deadline", "realtime"), ("cpu-used", "8"))),
    Quality("mpeg4", "avi", "qmin", 12, 2),
    Quality("mpeg2video", "mpg", "qmin", 12, 2),
)
UNSEEN = (
    Quality("libsvtav1", "mkv", "crf", 55, 25, (("preset", "12"),)),
    Quality("libvpx", "webm", "crf", 50, 10, (("b", "4M"), ("deadline", "realtime"), ("cpu-used", "8"))),
    Quality("mjpeg", "avi", "qmin", 16, 2, pix_fmt="yuvj420p"),
    Quality("wmv2", "avi", "qmin", 14, 2),
    Quality("prores_ks", "mov", None, 0, 0, pix_fmt="yuv422p10le"),
    Quality("msmpeg4", "avi", "qmin", 12, 2),
)


def unencoded(film: Film, smooth: int = 2) -> Numbers:
    """The statistics of a film as it is drawn."""
    instants = ((k + 0.5) / NUM_PICTURES * film.duration_s for k in range(NUM_PICTURES))
    pictures = (np.asarray(draw_picture(film, at, (SIDE, SIDE), smooth)) for at in instants)
    return np.median([picture_statistics(picture) for picture in pictures], axis=0)


def encoded(film: Film, how: Quality, seed: int) -> Numbers:
    """The statistics of a film's digest, of which a lot decides size and quality."""
    draw = random.Random(seed)
    size, quality = draw.choice(_SIZES), draw.uniform(0, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film.{how.suffix}"
        with _same_scheduling():
            _write_digest(film, how, size, quality, path)
        return measured(path)


@contextmanager
def _same_scheduling() -> Iterator[None]:
    """As root SVT-AV1 leaves the process that opened it in the real-time class, which starves all others."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


def measured(path: Path) -> Numbers:
    """The statistics of a video file. Raises `MediaError`."""
    return video_statistics(read_pictures(path, probe(path)))


def _write_digest(film: Film, how: Quality, size: tuple[int, int], quality: float, path: Path) -> None:
    """Around each picture that is measured the ones right before and after it, and nothing else."""
    rate = 25
    with av.open(str(path), "w") as container:
        video = container.add_stream(how.codec, rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = size
        video.pix_fmt = how.pix_fmt
        video.options = dict(how.more)
        if how.option:
            number = round(how.worst + (how.best - how.worst) * quality)
            video.options = {**video.options, how.option: str(number)}
            if how.option == "qmin":
                video.options = {**video.options, "qmax": str(number)}
        video.codec_context.thread_count = 1
        around = range(-_TAIL, _TAIL + 1)
        for number, (k, step) in enumerate((k, step) for k in range(NUM_PICTURES) for step in around):
            at = (k + 0.5) / NUM_PICTURES * film.duration_s + step / rate
            frame = av.VideoFrame.from_image(draw_picture(film, at, size, 2))
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def _inside(count: int) -> Iterator[Numbers]:
    """Statistics to fit on: every train film encoded, and every third also as it is drawn."""
    for number in range(count):
        film = draw_film("train", number)
        yield encoded(film, SEEN[number % len(SEEN)], number)
        if number % 3 == 0:
            yield unencoded(film, 1 + number % 2)


def _held_out(count: int) -> Iterator[tuple[str, Numbers]]:
    """Statistics of test films: by codecs of the fit, by others, and whole files of `films.py`."""
    for number in range(count):
        ways = (*SEEN, *UNSEEN)
        film, how = draw_film("test", number), ways[number % len(ways)]
        yield f"{how.codec} {number}", encoded(film, how, 10_000 + number)
    for number in range(max(1, count // 8)):
        film, way = draw_film("test", 500 + number, 12.0), ENCODINGS[number % len(ENCODINGS)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"film.{way.suffix}"
            encode(film, way, path)
            yield f"film {way.codec} {way.size} {number}", measured(path)


def _videos(folder: Path) -> Iterator[tuple[str, Numbers]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            yield str(path.relative_to(folder)), measured(path)
        except MediaError as error:
            click.echo(f"left out {path.name}: {error}", err=True)


@click.command(help=__doc__)
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--inside", type=click.Path(path_type=Path, exists=True), help="Videos to fit on, instead.")
@click.option(
    "--outside", type=click.Path(path_type=Path, exists=True), required=True, help="Videos to refuse."
)
@click.option("--count", default=160, show_default=True, help="Drawn films to fit on; half as many to test.")
@click.option(
    "--max-distance", type=float, help="The limit. [midway, as a ratio, between inside and outside]"
)
@click.option("--about", default="drawn films of infra/small", show_default=True, help="What is inside.")
def main(
    checkpoint: Path, inside: Path | None, outside: Path, count: int, max_distance: float | None, about: str
) -> None:
    if inside is None:
        fitted, held_out = list(_inside(count)), list(_held_out(count // 2))
    else:
        known = list(_videos(inside))
        fitted, held_out = [one for number, (_, one) in enumerate(known) if number % 3], known[::3]
    domain = fit_domain(fitted, 1.0, "")
    near, far = (
        sorted((domain.distance(one), name) for name, one in measures)
        for measures in (held_out, _videos(outside))
    )
    for title, measures in (("inside, held out", near), ("outside", far)):
        click.echo(f"{title}: {len(measures)}")
        click.echo("\n".join(f"  {distance:6.2f}  {name}" for distance, name in measures))
    farthest, nearest = near[-1][0], far[0][0]
    limit = round(math.sqrt(farthest * nearest), 2) if max_distance is None else max_distance
    if not farthest * MARGIN < limit < nearest / MARGIN:
        raise click.ClickException(
            f"{limit} is too near to {farthest:.2f}, the farthest inside, or to "
            f"{nearest:.2f}, the nearest outside: no file is written"
        )
    made_of = (
        f"{about}: fitted on {len(fitted)}; {len(near)} held out reach {farthest:.2f}, "
        f"{len(far)} videos outside begin at {nearest:.2f}"
    )
    click.echo(write_domain(fit_domain(fitted, limit, made_of), checkpoint))


if __name__ == "__main__":
    main()
