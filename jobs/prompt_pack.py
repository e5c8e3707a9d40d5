"""Prompts are files: TOML front matter between `+++` lines, then the text with its placeholders.

`{format}` is filled with the answer's wire format, `{duration}` with the video's seconds and
`{characters}` with the labels of the characters answer. Files are asked in the order of their names.
"""

import string
import tomllib
from dataclasses import dataclass
from pathlib import Path

from jobs.wire import describe_format
from schemas.answers import ANSWERS, Answer
from schemas.failures import UsageError

DEFAULT_PACK = Path(__file__).parent / "prompts"
PLACEHOLDERS = frozenset({"format", "duration", "characters"})


@dataclass(frozen=True)
class Prompt:
    """One question about a video. `name` selects the answer type; `text` still has its placeholders."""

    name: str
    version: int
    max_new_tokens: int
    text: str

    @property
    def prompt_id(self) -> str:
        """Name and version as rows carry them."""
        return f"{self.name}@{self.version}"

    @property
    def answer(self) -> type[Answer]:
        """The record type that the answer consists of."""
        return ANSWERS[self.name]

    def fill(self, duration_ms: int, characters: list[str]) -> str:
        """The text as the model reads it; the model speaks of seconds with one decimal."""
        return self.text.format(
            format=describe_format(self.answer),
            duration=f"{duration_ms / 1000:.1f}",
            characters="; ".join(characters) or "none",
        )


def load_prompts(folder: Path = DEFAULT_PACK) -> tuple[Prompt, ...]:
    """The folder's prompts in file order. Raises `UsageError` for a file that is no prompt."""
    prompts = tuple(_load(file) for file in sorted(folder.glob("*.md")))
    if not prompts:
        raise UsageError(f"no prompt files in {folder}", "a prompt is a .md file with +++ front matter")
    return prompts


def _load(file: Path) -> Prompt:
    _, front, text = [*file.read_text(encoding="utf-8").split("+++\n", 2), "", ""][:3]
    try:
        head = tomllib.loads(front)
        prompt = Prompt(head["id"], int(head["version"]), int(head["max_new_tokens"]), text.strip())
    except (tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise UsageError(
            f"prompt {file}: bad front matter: {error!r}", "needs id, version, max_new_tokens"
        ) from None
    if prompt.name not in ANSWERS:
        raise UsageError(f"prompt {file}: no answer type {prompt.name!r}", f"known: {', '.join(ANSWERS)}")
    used = {name for _, name, _, _ in string.Formatter().parse(prompt.text) if name is not None}
    if unknown := used - PLACEHOLDERS:
        raise UsageError(
            f"prompt {file}: unknown placeholder {sorted(unknown)}", "double a literal brace: {{ }}"
        )
    if not prompt.text:
        raise UsageError(f"prompt {file} has no text", "write the question below the front matter")
    return prompt
