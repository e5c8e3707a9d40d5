"""What is asked of which model, how, and which signals are read: a row's identity but for the video's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from jobs.prompts.answer_text import describe_format
from jobs.prompts.checks import marked
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import Prompt
from jobs.signals.signal import Signal, described, identity_of
from schemas.answers import Answer, CharacterAnswer, FromRoster, SceneAnswer
from schemas.identity import digest
from schemas.recipe import Budget, RecipeRecord, recipe_id_of
from videoxl2.network.configs.picture_size import OWN_PIXELS, PixelBudget
from videoxl2.network.configs.weight_bits import FULL_BITS

OF_SAID = "captions"  # the signal that `{said}` in a prompt is filled from
OF_HEARD = "speech"  # and that in place of it, where a prompt hears
_OPTION = "option "
ENGINE_VERSION = 1  # raised when the same model and prompts would give other rows than before


@dataclass(frozen=True)
class Recipe:
    """The settings that rows depend on: runs with equal recipes would write equal rows, and any difference is
    new work.

    `model_id` is for people and stays out of the hash: the same weights in another folder are the same.
    Without a model there are no prompts, and what speaks of frames and numbers is of no account.
    """

    model_id: str | None
    model_revision: str | None
    dtype: str
    fps: Fraction
    max_frames: int
    prompts: tuple[Prompt, ...]
    is_split: bool = False
    signals: tuple[Signal, ...] = ()
    domain_revision: str | None = None  # of what decides which videos the model is given; None: any
    kv: BiLevelKv | None = None  # None: prompts are decoded on all of the video, dense
    weight_bits: int = FULL_BITS  # of the language model's layers
    pixels: PixelBudget = OWN_PIXELS  # that are shown, where the model leaves it open
    model_options: tuple[tuple[str, str], ...] = ()  # of its family, other than in its checkpoint
    pictures_and_chat: str = ""  # digest of what its files change of them, of what its makers have

    @property
    def recipe_id(self) -> str:
        """Hash over model revision, number format, sampling, prompts, answer schemas, signals and, where
        decoding is bi-level, how."""
        return self.record.recipe_id

    @property
    def tasks_of_said(self) -> tuple[str, ...]:
        """The prompts that tell the model what is said."""
        return tuple(prompt.name for prompt in self.prompts if prompt.tells_said)

    @property
    def tasks_of_heard(self) -> tuple[str, ...]:
        """The prompts that tell speech where there are no captions."""
        return tuple(prompt.name for prompt in self.prompts if prompt.hears)

    @property
    def of_sidecars(self) -> tuple[str, ...]:
        """The signals that read what lies beside a video."""
        return tuple(signal.name for signal in self.signals if signal.reads_sidecars)

    @cached_property
    def record(self) -> RecipeRecord:
        """The recipe in its parts, as the index keeps it."""
        settings: dict[str, str] = {}
        model_part = sampling_part = kv_part = ""
        if self.model_revision is not None:
            model = {"revision": self.model_revision, "dtype": self.dtype, "engine": str(ENGINE_VERSION)}
            if self.weight_bits != FULL_BITS:
                model["weight_bits"] = str(self.weight_bits)
            if self.domain_revision is not None:
                model["domain"] = self.domain_revision
            if self.pictures_and_chat:
                model["pictures_and_chat"] = self.pictures_and_chat
            own = tuple(model.values())
            sampling = {"fps": str(self.fps), "max_frames": str(self.max_frames), "split": str(self.is_split)}
            budgets = pixels_said(self.pixels)
            model |= {option_name(key): value for key, value in self.model_options}
            chosen = (f"{key}={value}" for key, value in self.model_options)
            model_part = digest("model", *own, *chosen)
            said = (f"{name}={budgets[name]}" for name in budgets)
            sampling_part = digest("sampling", *sampling.values(), *said)
            settings = model | sampling | budgets
            if self.kv is not None:
                settings["kv"] = str(self.kv)
                kv_part = digest("kv", settings["kv"])
        signals = {signal.name: identity_of(signal) for signal in self.signals}
        tasks = dict(_task_ids(self.prompts, signals))
        return RecipeRecord(
            recipe_id=recipe_id_of(model_part, sampling_part, tasks, signals, kv_part),
            model_id=self.model_id,
            model=model_part,
            sampling=sampling_part,
            kv=kv_part,
            tasks=tasks,
            signals=signals,
            settings=settings | {signal.name: described(signal) for signal in self.signals},
            prompts={prompt.name: prompt.text for prompt in self.prompts},
            budgets={
                prompt.name: Budget(max_new_tokens=prompt.max_new_tokens, window_ms=prompt.window_ms)
                for prompt in self.prompts
            },
        )


def option_name(key: str) -> str:
    """The name under which a recipe's settings tell an option of the model."""
    return f"{_OPTION}{key}"


def is_option(name: str) -> bool:
    """Tell whether a recipe's setting is an option of the model."""
    return name.startswith(_OPTION)


def pixels_said(pixels: PixelBudget) -> dict[str, str]:
    """The budgets that were given, by the name of their setting."""
    budgets = {"max_pixels_per_frame": pixels.per_frame, "max_pixels_at_once": pixels.at_once}
    return {name: str(budget) for name, budget in budgets.items() if budget is not None}


def pixels_of(settings: Mapping[str, str]) -> PixelBudget:
    """The budgets that a recipe's settings tell."""
    per_frame, at_once = settings.get("max_pixels_per_frame"), settings.get("max_pixels_at_once")
    return PixelBudget(int(per_frame) if per_frame else None, int(at_once) if at_once else None)


def _task_ids(prompts: tuple[Prompt, ...], signals: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each prompt's name, and an id of all that its answer depends on: itself and what it is told.

    `signals` are the identities of those that say what is said, among others.
    """
    ids: dict[str, str] = {}
    for number, prompt in enumerate(prompts):
        told = [ids[other.name] for other in prompts[:number] if _is_told(prompt, other)]
        own = [prompt.version, prompt.max_new_tokens, prompt.window_ms, prompt.text]
        form = [describe_format(prompt.answer), _rules(prompt.answer)]
        told += [signals.get(OF_SAID, ""), str(prompt.said_tokens)] if prompt.tells_said else []
        told += [signals.get(OF_HEARD, "")] if prompt.hears else []
        ids[prompt.name] = digest("task", prompt.name, json.dumps([*own, *form, told], sort_keys=True))
        yield prompt.name, ids[prompt.name]


def _is_told(prompt: Prompt, other: Prompt) -> bool:
    if other.answer is CharacterAnswer:
        return "{characters}" in prompt.text or bool(marked(prompt.answer, FromRoster))
    return other.answer is SceneAnswer and "{scenes}" in prompt.text


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
