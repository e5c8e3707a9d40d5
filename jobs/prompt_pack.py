"""Prompts are files: TOML front matter between `+++` lines, then the text with its placeholders.

`{format}` is filled with the answer's wire format, `{start}` and `{end}` with the seconds that the answer is
about, and `{characters}` with the labels of the characters answer. With `window_s`, a video longer than that
is asked about window by window. Files are asked in the order of their names.
"""

import string
import tomllib
from dataclasses import dataclass
from pathlib import Path

from jobs.program_times import AnswerContext
from jobs.wire import NOTHING, describe_format
from schemas.answers import ANSWERS, Answer
from schemas.failures import UsageError

MIN_WINDOW_MS = 10_000
DEFAULT_PACK = Path(__file__).parent / "prompts"
PLACEHOLDERS = frozenset({"format", "start", "end", "characters"})


@dataclass(frozen=True)
class Prompt:
    """One question about a video. `name` selects the answer type; `text` still has its placeholders."""

    name: str
    version: int
    max_new_tokens: int  # of one window
    text: str
    window_ms: int | None = None

    @property
    def prompt_id(self) -> str:
        """Name and version as rows carry them."""
        return f"{self.name}@{self.version}"

    @property
    def answer(self) -> type[Answer]:
        """The record type that the answer consists of."""
        return ANSWERS[self.name]

    def fill(self, context: AnswerContext) -> str:
        """The text as the model reads it; the model speaks of seconds with one decimal."""
        start_ms, end_ms = context.window_ms or (0, context.duration_ms)
        return self.text.format(
            format=describe_format(self.answer),
            start=f"{start_ms / 1000:.1f}",
            end=f"{end_ms / 1000:.1f}",
            characters="; ".join(context.roster) or NOTHING,
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
        prompt = Prompt(
            name=head.pop("id"),
            version=int(head.pop("version")),
            max_new_tokens=int(head.pop("max_new_tokens")),
            window_ms=round(head.pop("window_s", 0) * 1000) or None,
            text=text.strip(),
        )
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as error:
        hint = "needs id, version, max_new_tokens"
        raise UsageError(f"prompt {file}: bad front matter: {error!r}", hint) from None
    if head:
        raise UsageError(f"prompt {file}: unknown {', '.join(head)}", "remove it from the front matter")
    _check(prompt, file)
    return prompt


def _check(prompt: Prompt, file: Path) -> None:
    if prompt.name not in ANSWERS:
        known = ", ".join(ANSWERS)
        raise UsageError(f"prompt {file}: no answer type {prompt.name!r}", f"known: {known}")
    if prompt.window_ms is not None and prompt.window_ms < MIN_WINDOW_MS:
        raise UsageError(f"prompt {file}: a window under 10 s", "make window_s longer, or leave it out")
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(prompt.text) if name is not None}
    except ValueError as error:
        raise UsageError(f"prompt {file}: {error}", "double a literal brace: {{ }}") from None
    if unknown := used - PLACEHOLDERS:
        raise UsageError(
            f"prompt {file}: unknown placeholder {sorted(unknown)}", "double a literal brace: {{ }}"
        )
    if not prompt.text:
        raise UsageError(f"prompt {file} has no text", "write the question below the front matter")
