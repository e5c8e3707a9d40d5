"""Prompt packs: folders of questions. A prompt is a file, its answer type ours or a JSON Schema beside it.

A prompt file is TOML front matter between `+++` lines, then the text with its placeholders: `{format}` is
filled with the answer's text format, `{start}` and `{end}` with the seconds that the answer is about,
`{characters}` with the labels of the characters answer, `{scenes}` with the times and titles of the scenes
answer, `{said}` with the captions of the window or, in a prompt that `hears`, with what speech says where
there are none. With `window_s`, a video longer than that is asked about window by window. Files are asked
in the order of their names, packs in the order given.
"""

import re
import string
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from jobs.prompts.answer_text import NOTHING, describe_format
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.said import MAX_TOKENS, Count, SaidLine, told_within
from jobs.prompts.schema.answer_schema import answer_from_schema
from jobs.prompts.stamps import seconds, span_text
from jobs.settings.config import DEFAULT_PACK
from schemas.answer_tables import RESERVED_TABLES, row_type
from schemas.answers import ANSWERS, Answer, Layout, Moments, One, SceneAnswer, Several, Tiles
from schemas.failures import UsageError
from schemas.rows import Row
from videoxl2.network.configs.pace import Pace

MIN_WINDOW_MS = 10_000
PACKS = Path(__file__).parent / "packs"
PLACEHOLDERS = frozenset({"format", "start", "end", "characters", "scenes", "said"})
_LAYOUTS: dict[str, type[Layout]] = {"one": One, "several": Several, "tiles": Tiles, "moments": Moments}
_TABLE = re.compile("[a-z][a-z0-9_]*")
_GUIDE = "Docs/packs.md shows how a prompt file is written."


@dataclass(frozen=True)
class OwnAnswer:
    """An answer type that a pack brings: one record's JSON Schema, and how records follow each other."""

    schema: str
    layout: Layout


@dataclass(frozen=True)
class Prompt:
    """One question about a video. `name` is its answer type, or, with one of its own, its table."""

    name: str
    version: int
    max_new_tokens: int  # of one window
    text: str
    window_ms: int | None = None
    own: OwnAnswer | None = None
    said_tokens: int = MAX_TOKENS  # what is said in one window may take of the prompt
    hears: bool = False  # speech says what captions do not

    @property
    def tells_said(self) -> bool:
        """Whether it tells the model what is said: what captions say, or speech where it `hears`."""
        return "{said}" in self.text

    @property
    def prompt_id(self) -> str:
        """Name and version as rows carry them; `+said` where the model was told the captions, `+heard` where
        it was told speech in their place."""
        told = ("+heard" if self.hears else "+said") if self.tells_said else ""
        return f"{self.name}@{self.version}{told}"

    @property
    def answer(self) -> type[Answer]:
        """The record type that the answer consists of."""
        return (
            answer_from_schema(self.name, self.own.schema, self.own.layout)
            if self.own
            else ANSWERS[self.name]
        )

    def fill(self, context: AnswerContext, count: Count = len) -> str:
        """The text as the model reads it, in seconds with one decimal, at its pace. `count` counts a text's
        tokens."""
        start_ms, end_ms = context.window_ms or (0, context.duration_ms)
        return self.text.format(
            format=describe_format(self.answer),
            start=seconds(context.told(start_ms)),
            end=seconds(context.told(end_ms)),
            characters="; ".join(context.roster) or NOTHING,
            scenes="\n".join(
                _scene_line(scene, context.pace) for scene in _inside(context.scenes, start_ms, end_ms)
            )
            or NOTHING,
            said=told_within(
                self._told(context.said), start_ms, end_ms, self.said_tokens, count, context.pace
            )
            or NOTHING,
        )

    def _told(self, said: Sequence[SaidLine]) -> list[SaidLine]:
        return [line for line in said if self.hears or not line.is_heard]


def _inside(scenes: Sequence[SceneAnswer], start_ms: int, end_ms: int) -> list[SceneAnswer]:
    return [s for s in scenes if s.start_ms < end_ms and s.end_ms > start_ms]


def _scene_line(scene: SceneAnswer, pace: Pace) -> str:
    """A scene found before; `<|` in its title would open a control token."""
    span = span_text(pace.told_ms(scene.start_ms), pace.told_ms(scene.end_ms))
    return f"{span} seconds: {scene.title.replace('|', '/')}"


def own_tables(prompts: Sequence[Prompt]) -> dict[str, type[Row]]:
    """The tables that prompts with an answer type of their own fill."""
    return {prompt.name: row_type(prompt.answer) for prompt in prompts if prompt.own}


def load_packs(packs: Sequence[str] = (DEFAULT_PACK,)) -> tuple[Prompt, ...]:
    """The prompts of all packs, each one of ours by name or a folder. Raises `UsageError` for others."""
    prompts: dict[str, Prompt] = {}
    for pack in packs:
        for prompt in _load_pack(_find(pack)):
            if prompt.name in prompts:
                raise UsageError(
                    f"two prompts are called {prompt.name}", "Give every prompt an id of its own."
                )
            prompts[prompt.name] = prompt
    return tuple(prompts.values())


def pack_names() -> list[str]:
    """Return the names of the prompt packs that come with media-index."""
    return sorted(folder.name for folder in PACKS.iterdir() if folder.is_dir())


def _find(pack: str) -> Path:
    ours = pack_names()
    folder = PACKS / pack if pack in ours else Path(pack)
    if not folder.is_dir():
        raise UsageError(f"there is no prompt pack {pack}", f"Name a folder, or one of {', '.join(ours)}.")
    return folder


def _load_pack(folder: Path) -> Iterator[Prompt]:
    files = sorted(folder.glob("*.md"))
    if not files:
        raise UsageError(f"no prompt files in {folder}", "A prompt is a .md file with +++ front matter.")
    for file in files:
        try:
            yield _load(file)
        except OSError as error:
            raise UsageError(
                f"prompt {file}: {error.strerror}", "Check the file and its permissions."
            ) from None
        except UnicodeDecodeError:
            raise UsageError(f"prompt {file}: it or its answer schema is not UTF-8", _GUIDE) from None


def _load(file: Path) -> Prompt:
    _, front, text = [*file.read_text(encoding="utf-8").split("+++\n", 2), "", ""][:3]
    try:
        head = tomllib.loads(front)
        name, schema, records = str(head.pop("id")), head.pop("answer", None), head.pop("records", None)
        prompt = Prompt(
            name=name,
            version=int(head.pop("version")),
            max_new_tokens=int(head.pop("max_new_tokens")),
            window_ms=round(head.pop("window_s", 0) * 1000) or None,
            said_tokens=int(head.pop("said_tokens", MAX_TOKENS)),
            hears=_is_true(head.pop("hears", False)),
            text=text.strip(),
            own=_own_answer(file, name, schema, records),
        )
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"prompt {file}: bad front matter: {error!r}", _GUIDE) from None
    if head:
        raise UsageError(f"prompt {file}: unknown {', '.join(head)}", "Remove it from the front matter.")
    _check(prompt, file)
    return prompt


def _is_true(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _own_answer(
    file: Path, name: str, schema: str | None, records: dict[str, Any] | None
) -> OwnAnswer | None:
    if schema is None:
        if records is not None or name not in ANSWERS:
            raise UsageError(
                f"prompt {file}: no answer type {name!r}",
                f'Name a JSON Schema beside it (answer = "{name}.json"), or ask for {", ".join(ANSWERS)}.',
            )
        return None
    if name in RESERVED_TABLES or name in ANSWERS or not _TABLE.fullmatch(name) or name.endswith("_all"):
        raise UsageError(
            f"prompt {file}: {name!r} cannot be a table",
            "Its id names one: lower case letters, digits and _, and none of ours.",
        )
    layout = _layout(file, dict(records or {}))
    path = file.parent / schema
    try:
        own = OwnAnswer(path.read_text(encoding="utf-8"), layout)
        answer_from_schema(name, own.schema, layout)
    except OSError as error:
        raise UsageError(f"answer schema {path}: {error.strerror}", f"{file} names it.") from None
    except UsageError as error:
        raise UsageError(f"prompt {file}: {error.message}", error.hint) from None
    return own


def _layout(file: Path, values: dict[str, Any]) -> Layout:
    kind = _LAYOUTS.get(values.pop("layout", ""))
    if kind is None:
        hint = f'Write records = {{ layout = "several", at_most = 10 }}; layouts are {", ".join(_LAYOUTS)}.'
        raise UsageError(f"prompt {file}: no layout of records", hint)
    if unknown := values.keys() - {field.name for field in fields(kind)}:
        raise UsageError(f"prompt {file}: unknown records.{min(unknown)}", _GUIDE)
    try:
        layout: Layout = TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise UsageError(f"prompt {file}: records.{problem['loc'][0]}: {problem['msg']}", _GUIDE) from None
    return layout


def _check(prompt: Prompt, file: Path) -> None:
    if prompt.said_tokens < 1:
        raise UsageError(f"prompt {file}: said_tokens is {prompt.said_tokens}", "Give 1 or more.")
    if prompt.hears and not prompt.tells_said:
        raise UsageError(f"prompt {file}: it hears, and tells nothing of it", "Write {said} into its text.")
    if prompt.window_ms is not None and prompt.window_ms < MIN_WINDOW_MS:
        raise UsageError(f"prompt {file}: a window under 10 s", "Make window_s longer, or leave it out.")
    try:
        fields = [field for field in string.Formatter().parse(prompt.text) if field[1] is not None]
    except ValueError as error:
        raise UsageError(f"prompt {file}: {error}", "Double a literal brace: {{ }}.") from None
    if unknown := [name for _, name, form, kind in fields if name not in PLACEHOLDERS or form or kind]:
        raise UsageError(f"prompt {file}: unknown placeholder {unknown}", "Double a literal brace: {{ }}.")
    if not prompt.text:
        raise UsageError(f"prompt {file} has no text", "Write the question below the front matter.")
