"""What is asked of which model, how: the part of a row's identity that is not the video's."""

import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from jobs.prompt_pack import Prompt
from jobs.wire import describe_format
from schemas.answers import Answer
from schemas.identity import digest

ENGINE_VERSION = 1  # raised when the same model and prompts would give other rows than before


@dataclass(frozen=True)
class Recipe:
    """Two runs with equal recipes would write equal rows; any difference here is new work.

    `model_id` is for people and stays out of the hash: the same weights in another folder are the same.
    """

    model_id: str
    model_revision: str
    dtype: str
    fps: Fraction
    max_frames: int
    prompts: tuple[Prompt, ...]
    is_split: bool = False

    @cached_property
    def recipe_id(self) -> str:
        """Hash over model revision, number format, sampling, prompt texts and answer schemas."""
        prompts = [
            [
                p.name,
                p.version,
                p.max_new_tokens,
                p.window_ms,
                p.text,
                describe_format(p.answer),
                _rules(p.answer),
            ]
            for p in self.prompts
        ]
        sampling = [self.dtype, str(self.fps), str(self.max_frames), str(self.is_split)]
        engine = [self.model_revision, str(ENGINE_VERSION), *sampling]
        return digest("recipe", *engine, json.dumps(prompts, sort_keys=True))


def _rules(answer: type[Answer]) -> Any:
    """The answer's JSON schema without its prose, which may be reworded for nothing."""
    return _without_prose(answer.model_json_schema())


def _without_prose(schema: Any) -> Any:
    if isinstance(schema, dict):
        prose = [
            k for k in ("title", "description") if isinstance(schema.get(k), str)
        ]  # else: a field so named
        return {k: _without_prose(v) for k, v in schema.items() if k not in prose}
    return [_without_prose(item) for item in schema] if isinstance(schema, list) else schema
