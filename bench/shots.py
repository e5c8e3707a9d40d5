"""How right the borders of shots are, and what finding them costs, beside PySceneDetect's detectors.

    python bench/shots.py [--seeds 2] [--drawn 12] [--clips FOLDER] [--detector ours --detector Content]

Hard cases edited from clips by a seed (`shots_edits.py`), drawn films with their storyboard, clips from
Python packages with labels of our own (`shots_clips.py`, about 160 MB by pip), a music video, a large film.
Every detector sees every film in the same run. CPU (user and system, one thread) is told for whole films of
each set, beside decoding alone; the draft's with keyframes, as in a run. PySceneDetect is in the extra
`bench`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median

import av
import numpy as np
import shots_clips
from av.video.frame import VideoFrame
from shots_edits import KINDS, Edit, Truth, write
from shots_score import Found, Score, score
from signals import CODED_S, RATE, SIZES, code

from videoxl2.frames import probe
from videoxl2.frames.reading.small_pictures import in_chunks
from videoxl2.shots import ShotDetector, Transition
from videoxl2.watching import watch
from videoxl2.watching.shots import ShotWatcher

sys.path.insert(0, str(Path(__file__).parents[1] / "infra" / "small"))

SIZE = (320, 180)
CUTS = tuple(range(4 * RATE, CODED_S * RATE, 4 * RATE))  # of the film at 720p
_DECODING = "decoding alone"
_SCENE_DETECTORS = ("Content", "Adaptive", "Hash", "Histogram", "Threshold")

Detect = Callable[[Path, list[int]], Found]


@dataclass(frozen=True)
class Film:
    path: Path
    truth: Truth
    start_ms: list[int]  # of each picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2, help="Hard films: so many times eleven.")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--drawn", type=int, default=12)
    parser.add_argument("--clips", type=Path, help="Where clips are, or are put; a temporary folder without.")
    parser.add_argument("--detector", action="append", help="One of the rows; all without.")
    parser.add_argument("--rounds", type=int, default=1, help="Of CPU time; the middle one counts.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = shots_clips.fetch(arguments.clips or Path(folder) / "clips")
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        sets = {
            "hard": list(hard_films(Path(folder), clips, seeds)),
            "drawn": list(drawn_films(Path(folder), arguments.drawn)),
            "clips": [film(clips[clip.name], clip.truth) for clip in shots_clips.CLIPS],
            "music": [film(clips[shots_clips.MUSIC.name], shots_clips.MUSIC.truth)],
            "720p": [film(code(Path(folder) / "720p.mp4", *SIZES["720p"]), Truth(CUTS))],
        }
        sets = {name: films for name, films in sets.items() if films}
        for name, films in sets.items():
            truths = [f.truth for f in films]
            cuts, graduals = sum(len(t.cuts) for t in truths), sum(len(t.graduals) for t in truths)
            pictures = sum(len(f.start_ms) for f in films)
            print(f"{name}: {len(films)} films, {pictures} pictures, {cuts} cuts, {graduals} graduals")
        compare(sets, arguments.detector, arguments.rounds)


@dataclass
class Tally:
    """Score of a detector on some films, and CPU seconds of each round."""

    found: Score
    spent: list[float]

    @property
    def seconds(self) -> float:
        return median(self.spent)


def compare(sets: dict[str, list[Film]], wanted: list[str] | None, rounds: int) -> None:
    """One row a detector, of all or of those that are wanted. On each film they take turns."""
    used = {name: detect for name, detect in detectors().items() if not wanted or name in wanted}
    tallies = {name: _measured(films, used, rounds) for name, films in sets.items()}
    columns = "cuts F1 | gradual F1 | ms a picture"
    heads = " | ".join(f"{name}: {columns}" for name in [*sets, "all"])
    print(f"\n| detector | {heads} | touched | cuts at events |")
    print("|" + "---|" * (3 * len(sets) + 6))
    for name in [_DECODING, *used]:
        own = [tallies[each][name] for each in sets]
        numbers = [sum(len(film.start_ms) for film in films) for films in sets.values()]
        whole = sum((one.found for one in own), Score())
        cells = [cell for one, number in zip(own, numbers, strict=True) for cell in _cells(one, number)]
        seconds = sum(one.seconds for one in own)
        cells += _cells(Tally(whole, [seconds]), sum(numbers))
        cells += [f"{whole.touched}/{whole.gradual_right + whole.gradual_missed}", str(whole.events)]
        print("|", " | ".join([name, *cells]), "|", flush=True)


def _measured(films: list[Film], used: dict[str, Detect], rounds: int) -> dict[str, Tally]:
    """Measure each detector; decoding alone stands before them."""
    tallies = {name: Tally(Score(), [0.0] * rounds) for name in [_DECODING, *used]}
    for one in films:
        for turn in range(rounds):
            for name, detect in ({_DECODING: decode} | used).items():
                before = time.process_time()
                found = detect(one.path, one.start_ms)
                tallies[name].spent[turn] += time.process_time() - before
                if turn == 0:
                    tallies[name].found += score(one.truth, found)
    return tallies


def _cells(tally: Tally, num_pictures: int) -> list[str]:
    found, each = tally.found, tally.seconds / num_pictures * 1000
    cuts = f"{found.cut_f1:.3f}" if found.right + found.wrong else "–"
    return [cuts, _gradual(found), f"{each:.3f}"]


def _gradual(score: Score) -> str:
    """F1 of gradual transitions, of detectors that tell them apart from cuts."""
    return f"{score.gradual_f1:.3f}" if score.gradual_right + score.gradual_wrong else "–"


def detectors() -> dict[str, Detect]:
    """Ours, and those that are installed."""
    found: dict[str, Detect] = {"ours": ours, "ours, cuts without slides": without_slides, "draft": draft}
    try:
        import cv2
        import scenedetect
    except ImportError:
        print("PySceneDetect is missing: pip install -e .[bench]")
        return found
    cv2.setNumThreads(1)
    print(f"PySceneDetect {scenedetect.__version__}, OpenCV {cv2.__version__}, PyAV {av.__version__}")
    return found | {name: scene_detector(name) for name in _SCENE_DETECTORS}


def ours(path: Path, start_ms: list[int], cut_kinds: tuple[str, ...] = ("cut", "slide")) -> Found:
    """A cut lies before the picture that begins then."""
    detector = ShotDetector()
    found: list[Transition] = []
    for pictures in in_chunks(zip(decoded(path), start_ms, strict=True)):
        found += detector.feed(pictures)
    return placed([*found, *detector.finish()], start_ms, cut_kinds)


def placed(
    found: list[Transition], start_ms: list[int], cut_kinds: tuple[str, ...] = ("cut", "slide")
) -> Found:
    """Transitions by the numbers of their pictures."""

    def number(at_ms: int) -> int:
        return int(np.searchsorted(start_ms, at_ms))

    return Found(
        [number(t.at_ms) for t in found if t.kind in cut_kinds],
        [(number(t.start_ms), number(t.end_ms) - 1) for t in found if t.kind in ("dissolve", "fade")],
    )


def without_slides(path: Path, start_ms: list[int]) -> Found:
    return ours(path, start_ms, ("cut",))


def draft(path: Path, start_ms: list[int]) -> Found:
    """Read a file as `--shots draft` does."""
    info = probe(path)
    watcher = ShotWatcher(path, info, is_draft=True)
    watch(path, info, [watcher], is_draft=True)
    watcher.finish()
    return placed(watcher.exact, start_ms)


def scene_detector(name: str) -> Detect:
    """One of PySceneDetect's, with its defaults, but shots as short as ours."""
    import scenedetect

    def detect(path: Path, start_ms: list[int]) -> Found:
        video = scenedetect.open_video(str(path), backend="opencv")
        manager = scenedetect.SceneManager()
        manager.add_detector(getattr(scenedetect, f"{name}Detector")(min_scene_len=3))
        manager.detect_scenes(video)
        times = [round(start.seconds * 1000) for start, _ in manager.get_scene_list()[1:]]
        return Found([int(np.abs(np.array(start_ms) - ms).argmin()) for ms in times])

    return detect


def hard_films(folder: Path, clips: dict[str, Path], seeds: range) -> Iterator[Film]:
    """Every kind of edit, once per seed."""
    footage = shots_clips.footage(clips, *SIZE)
    for seed in seeds:
        for kind, make in KINDS.items():
            edit = Edit(footage, random.Random(f"{seed} {kind}"))
            make(edit)
            path = folder / f"{seed} {kind}.mp4"
            write(edit.pictures, path)
            yield film(path, edit.truth)


def drawn_films(folder: Path, count: int) -> Iterator[Film]:
    """Films of the recipe's test part; their storyboards say where scenes begin."""
    from films import encode, encoding_of
    from storyboard import DISSOLVE_S, draw_film

    for number in range(count):
        board = draw_film("test", number)
        how = encoding_of(board, number)
        path = folder / f"{number}.{how.suffix}"
        encode(board, how, path)
        start_ms = film(path, Truth(())).start_ms
        at = [int(np.searchsorted(start_ms, round(s.start_s * 1000) - 1)) for s in board.scenes]
        half_ms = DISSOLVE_S * 500
        spans = [
            tuple(np.searchsorted(start_ms, [s.start_s * 1000 - half_ms, s.start_s * 1000 + half_ms]))
            for s in board.scenes
        ]
        yield Film(
            path,
            Truth(
                tuple(a for a, s in zip(at, board.scenes, strict=True) if s.start_s and not s.dissolves),
                tuple(
                    (int(a), int(b) - 1, "dissolve")
                    for (a, b), s in zip(spans, board.scenes, strict=True)
                    if s.dissolves
                ),
            ),
            start_ms,
        )


def film(path: Path, truth: Truth) -> Film:
    """Read a film with the times of its pictures, each at least a millisecond after the one before."""
    times = [round(float(frame.time or 0) * 1000) for frame in decoded(path)]
    return Film(path, truth, list(accumulate((ms - times[0] for ms in times), lambda a, b: max(a + 1, b))))


def decoded(path: Path) -> Iterator[VideoFrame]:
    """All pictures, decoded by one thread."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        yield from container.decode(stream)


def decode(path: Path, _: list[int]) -> Found:
    """Find nothing."""
    for _picture in decoded(path):
        pass
    return Found([])


if __name__ == "__main__":
    main()
