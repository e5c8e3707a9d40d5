"""The chat template in a checkpoint's folder, rendered once: what it writes around a video and a prompt.

Templates are rendered in a sandbox that knows of nothing but the turn, not even the date. Loads no torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.chat import NO_THOUGHT, ChatFrame
from videoxl2.network.configs.json_files import read_json
from videoxl2.network.configs.source import CHAT_FILES

if TYPE_CHECKING:
    from jinja2 import Environment

_TOKENIZER = "tokenizer_config.json"
_PAD = "<|video_pad|>"
_VIDEO = f"<|vision_start|>{_PAD}<|vision_end|>"
_PROMPT = "what is asked of the video"
_THOUGHT = "<think>"
_HINT = "Restore the file from its source, or remove it: then the prompt is as the makers published it."


def read_template(folder: Path) -> str | None:
    """Read the first template that a file of the folder has; None: there is none.

    A tokenizer's counts where it knows of videos. Raises `CheckpointError` where a file cannot be read.
    """
    for path in (folder / name for name in CHAT_FILES):
        found = _template_in(path) if path.is_file() else None
        if found is not None and (path.name != _TOKENIZER or _PAD in found):
            return found
    return None


def _template_in(path: Path) -> str | None:
    if path.suffix == ".jinja":
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path} is not readable text: {error}", _HINT) from error
    said = read_json(path).get("chat_template")
    if isinstance(said, list):  # several by name, as tokenizers save them
        said = {one.get("name"): one.get("template") for one in said if isinstance(one, dict)}
    if isinstance(said, dict):
        said = said.get("default")
    return said if isinstance(said, str) else None


def frame_in(template: str, system: str | None = None) -> ChatFrame:
    """Return what a template writes around a video that is asked about, after a `system` turn or none.

    A thought that it opens is closed empty: answers are made of slots, none of which is a thought. Raises
    `CheckpointError` where it cannot be rendered, or writes a video or a prompt otherwise than once.
    """
    text = _rendered(template, system)
    before_video, video, rest = text.partition(_VIDEO)
    before_prompt, prompt, after_prompt = rest.partition(_PROMPT)
    if not video or not prompt or _VIDEO in rest or _PROMPT in before_video + after_prompt:
        raise CheckpointError(
            f"the chat template writes {_shown(text)}, which is no video and a prompt after it", _HINT
        )
    if after_prompt.rstrip().endswith(_THOUGHT):
        after_prompt = after_prompt.rstrip().removesuffix(_THOUGHT) + NO_THOUGHT
    return ChatFrame(before_video, before_prompt, after_prompt)


def _rendered(template: str, system: str | None) -> str:
    asked: dict[str, Any] = {
        "role": "user",
        "content": [{"type": "video"}, {"type": "text", "text": _PROMPT}],
    }
    told = [] if system is None else [{"role": "system", "content": [{"type": "text", "text": system}]}]
    turn = {"add_generation_prompt": True, "enable_thinking": False, "tools": None, "documents": None}
    try:
        return _environment().from_string(template).render(messages=[*told, asked], **turn)
    except Exception as error:  # a template may fail in whatever way its expressions do
        raise CheckpointError(f"the chat template cannot be rendered: {error}", _HINT) from error


def _environment() -> Environment:
    """Return what templates are written for: blocks leave no blank lines, and may refuse a turn."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    found = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    found.globals["raise_exception"] = refuse
    found.filters["tojson"] = lambda value, **how: json.dumps(value, ensure_ascii=False, **how)
    return found


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")
