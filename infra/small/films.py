"""Storyboards as ordinary video files, and the ground truth beside them.

    python infra/small/films.py FOLDER --part test --count 20

Containers, codecs, sizes and frame rates take turns; some films drop frames (variable frame rate), some have
sound. The same part and number give the same film for ever. Films already there are kept.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import click
import numpy as np
from drawing import draw_picture
from narration import title_of, true_video
from storyboard import Film, Part, draw_film

from schemas.truth import Truth

_RATE = 22_050  # of the sound, Hz
_NOTES = (262, 294, 330, 392, 440, 523)  # Hz; a scene plays around one of them
_SMOOTH = 2  # drawn that much larger than it is encoded


@dataclass(frozen=True)
class Encoding:
    """How a film is written. With `drops`, that share of its frames is left out."""

    suffix: str
    codec: str
    size: tuple[int, int]
    fps: Fraction
    drops: float = 0.0
    has_sound: bool = False


ENCODINGS = (
    Encoding("mp4", "libx264", (640, 360), Fraction(25), has_sound=True),
    Encoding("mkv", "libx264", (320, 180), Fraction(30000, 1001)),
    Encoding("webm", "libvpx-vp9", (426, 240), Fraction(24)),
    Encoding("mp4", "libx264", (480, 270), Fraction(15), drops=0.3),
    Encoding("mov", "libx264", (320, 240), Fraction(12), has_sound=True),
    Encoding("webm", "libvpx-vp9", (320, 180), Fraction(20), drops=0.2),
)
LONG = Encoding("mp4", "libx264", (320, 180), Fraction(10))  # of films over a minute or two
_LONG_S = 150


def encoding_of(film: Film, number: int) -> Encoding:
    """They take turns; long films are kept small."""
    return LONG if film.duration_s > _LONG_S else ENCODINGS[number % len(ENCODINGS)]


def encode(film: Film, how: Encoding, path: Path) -> None:
    """Write the file; it appears under its name only when complete. The film's title is in its metadata."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    with av.open(str(unfinished), "w") as container:
        container.metadata["title"] = title_of(film)
        video = container.add_stream(how.codec, rate=how.fps)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = how.size
        video.pix_fmt = "yuv420p"
        fast: dict[str, object] = (
            {"preset": "veryfast"} if how.codec == "libx264" else {"deadline": "realtime", "cpu-used": "8"}
        )
        video.options = fast
        video.codec_context.thread_count = 1
        sound = container.add_stream("aac", rate=_RATE) if how.has_sound else None
        draw = random.Random(film.seed)
        for number in range(math.ceil(film.duration_s * how.fps)):
            if number and draw.random() < how.drops:
                continue
            picture = draw_picture(film, float(number / how.fps), how.size, _SMOOTH)
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, 1 / how.fps
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            for block in _tune(film):
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    unfinished.replace(path)


def _tune(film: Film) -> list[av.AudioFrame]:
    """A quiet tune that changes its key with the scene."""
    blocks, size = [], 1024
    for first in range(0, int(film.duration_s * _RATE), size):
        at = (first + np.arange(size)) / _RATE
        scene = film.scenes[film.scene_at(float(at[0]))]
        note = _NOTES[scene.seed % len(_NOTES)] * (1, 1.25, 1.5, 2)[int(at[0] * 2) % 4]
        wave = 0.1 * np.sin(2 * np.pi * note * at) * np.exp(-3 * (at * 2 % 1))
        block = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = _RATE, first, Fraction(1, _RATE)
        blocks.append(block)
    return blocks


def make_films(
    folder: Path,
    part: Part,
    numbers: range,
    duration_s: float | None = None,
    name: str = "{part}-{number:04}",
) -> Truth:
    """Encode what is missing of these films; the truth about all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = []
    for number in numbers:
        film = draw_film(part, number, duration_s)
        how = encoding_of(film, number)
        path = folder / f"{name.format(part=part, number=number)}.{how.suffix}"
        if not path.exists():
            encode(film, how, path)
        videos.append(true_video(film, path.name))
    return Truth(videos=tuple(videos))


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--part", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True)
@click.option("--first", default=0, show_default=True, help="Number of the first film.")
@click.option("--count", default=20, show_default=True)
@click.option("--duration", type=float, help="Seconds; without it mostly short, now and then minutes.")
def main(folder: Path, part: Part, first: int, count: int, duration: float | None) -> None:
    truth = make_films(folder, part, range(first, first + count), duration)
    (folder / "truth.json").write_text(truth.model_dump_json(indent=1) + "\n")
    click.echo(f"{count} films and truth.json in {folder}")


if __name__ == "__main__":
    main()
