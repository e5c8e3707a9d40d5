"""A drawn film's pictures as a reader of files gives them, without a file."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from drawing import draw_picture
from storyboard import Film

from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid

SIZE, SMOOTH = (320, 180), 2  # as long films are encoded


def read_drawn(
    film: Film, side: int, fps: Fraction = Fraction(1)
) -> tuple[MediaInfo, SamplingGrid, FrameSpan]:
    """Return what is known of the film, when it is sampled, and its pictures `[F, side, side, 3]`."""
    grid = SamplingGrid(1 / fps, int(Fraction(film.duration_s) * fps - Fraction(1, 1000)) + 1)
    instants = [float(grid.target_s(n)) for n in range(grid.num_targets)]
    shown = [draw_picture(film, second, SIZE, SMOOTH).resize((side, side)) for second in instants]
    numbers = np.arange(grid.num_targets, dtype=np.int32)
    times_ms = np.array([round(1000 * second) for second in instants], dtype=np.int64)
    problems = np.zeros(grid.num_targets, np.uint8)
    span = FrameSpan(0, np.stack([np.asarray(s) for s in shown]), times_ms, numbers, problems, (), 0.0)
    return _info(film), grid, span


def _info(film: Film) -> MediaInfo:
    width, height = SIZE
    return MediaInfo(
        container="mp4",
        video_codec="h264",
        audio_codecs=(),
        width=width,
        height=height,
        rotation=0,
        fps_num=10,
        fps_den=1,
        is_vfr=False,
        duration_ms=round(1000 * film.duration_s),
        start_ms=0,
        num_frames=round(10 * film.duration_s),
        timestamps="exact",
        title=None,
        size_bytes=1,
        warnings=(),
    )
