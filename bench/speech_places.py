"""When sound is heard against the picture, by container: ours beside faster-whisper's own reading.

    python bench/speech_places.py

Films have a tone at two known times after the first picture. Ours places sound by its stamps; beside it
samples are counted from the first one, as `faster_whisper.decode_audio` hands them over. Needs no weights.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper import decode_audio

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from tone_films import tones, write_film

from videoxl2.frames import probe
from videoxl2.frames.files.container import DEFAULT_LIMITS, open_video
from videoxl2.speech.listening import clock_of, sample_clock
from videoxl2.speech.sound.sound import RATE, SoundReader
from videoxl2.speech.sound.tracks import choose_track

TONES_S = (0.5, 2.5)
LOUD = 0.1
NOTHING: dict[str, Any] = {}


@dataclass(frozen=True)
class Case:
    """One film; `how` is what `write_film` is told of it, `late_s` when its tones sound later than drawn."""

    name: str
    ending: str
    codec: str
    how: dict[str, Any]
    late_s: float = 0.0


def cases() -> Iterator[Case]:
    """Every pair of container and codec, and what happens to sound."""
    pairs = {
        "mp4": "aac libmp3lame ac3 libopus",
        "mov": "aac pcm_s16le",
        "mkv": "aac libmp3lame ac3 flac libopus pcm_s16le",
        "ts": "aac mp2 ac3",
        "mpg": "mp2 ac3",
        "avi": "libmp3lame pcm_s16le ac3",
    }
    for ending, codecs in pairs.items():
        for codec in codecs.split():
            yield Case("plain", ending, codec, NOTHING)
    yield Case("plain, H.264", "flv", "aac", {"pictures": "h264"})
    yield Case("plain, VP8", "webm", "libopus", {"pictures": "libvpx"})
    yield Case("plain, MPEG-2", "mxf", "pcm_s16le", {"pictures": "mpeg2video"})
    for ending in ("mp4", "mkv", "ts"):
        yield Case("sound 1.2 s late", ending, "aac", {"sound_from_s": 1.2}, 1.2)
        yield Case("picture 0.4 s late", ending, "aac", {"pictures_from_s": 0.4}, -0.4)
        yield Case("a second of sound lost", ending, "aac", {"is_kept": lambda at_s: not 1 <= at_s < 2})


def ours_s(path: Path) -> list[float]:
    """When tones begin after the first picture, by the product's reading."""
    info = probe(path)
    with open_video(path, DEFAULT_LIMITS) as video:
        track = choose_track(video.container, ())
        assert track is not None
        clock = sample_clock(info.clock, video.time_base)
        placing = clock_of(path, video, info).of_track(track.stream.id)
        blocks = list(SoundReader(video, track.stream, clock).blocks())
    heard: list[float] = []
    for block in blocks:
        for onset in onsets(block.samples):
            at_s = block.start_s + Fraction(onset, RATE)
            heard += [ms / 1000 for ms, _ in placing.placed(at_s, at_s + 1)]
    return sorted(one for number, one in enumerate(heard) if number == 0 or one - heard[number - 1] > 0.2)


def counted_s(path: Path) -> list[float]:
    """The same by counting samples."""
    return [onset / RATE for onset in onsets(decode_audio(str(path), sampling_rate=RATE))]


def onsets(samples: npt.NDArray[np.float32]) -> list[int]:
    """Where a tone begins: the first loud sample after a fifth of a second without one."""
    loud = np.flatnonzero(np.abs(samples) > LOUD)
    return [int(one) for one in loud[np.diff(loud, prepend=-RATE) > RATE // 5]]


def error_ms(heard_s: list[float], true_s: list[float]) -> str:
    """The largest error; or how many tones there are where it should be two."""
    if len(heard_s) != len(true_s):
        return f"{len(heard_s)} tones"
    errors = [1000 * (heard - true) for heard, true in zip(heard_s, true_s, strict=True)]
    return f"{max(errors, key=abs):+.0f}"


def main() -> None:
    """Print a line for each film."""
    print("| container | sound | film | ours, ms | samples counted, ms |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for case in cases():
            path = Path(folder) / f"a.{case.ending}"
            try:
                write_film(path, case.codec, [tones(4.0, *TONES_S)], **case.how)
            except (OSError, ValueError) as error:
                print(f"| {case.ending} | {case.codec} | {case.name} | not made: {error} | |")
                continue
            true_s = [at_s + case.late_s for at_s in TONES_S]
            found = error_ms(ours_s(path), true_s), error_ms(counted_s(path), true_s)
            print(f"| {case.ending} | {case.codec} | {case.name} | {found[0]} | {found[1]} |", flush=True)


if __name__ == "__main__":
    main()
