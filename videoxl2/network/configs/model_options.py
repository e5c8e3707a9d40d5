"""Settings that one family has and others do not, by name: `pool=average`. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import astuple, dataclass, replace
from typing import get_args

from videoxl2.errors import CheckpointError, ModelInputError
from videoxl2.network.configs.chat import ChatFrame, published_frame
from videoxl2.network.configs.chat_template import frame_in
from videoxl2.network.configs.config import FrameTokens, ModelConfig, Newline, Pool
from videoxl2.network.configs.families import Family

AS_PUBLISHED = "as published"
_PROBE = "a system prompt that no template writes by itself"
_NO_SYSTEM = "Leave out the option system: this checkpoint is asked without one of your own."


@dataclass(frozen=True)
class ModelOption:
    """One setting: of which families, what it takes, and what it says.

    `get` reads it off a config; `put` returns a config with another value, and raises `ValueError` for one
    that it does not take.
    """

    key: str
    families: tuple[Family, ...]
    default: str
    takes: str
    said: str
    get: Callable[[ModelConfig], str]
    put: Callable[[ModelConfig, str], ModelConfig]


def options_of(config: ModelConfig) -> dict[str, str]:
    """Return the options of a model with their present values."""
    return {option.key: option.get(config) for option in _of(config)}


def with_options(config: ModelConfig, given: Mapping[str, str]) -> ModelConfig:
    """Return a config with other values of its options.

    Raises `ModelInputError` for an option that the model has not, or for a value that it does not take.
    """
    known = {option.key: option for option in _of(config)}
    for key, value in given.items():
        if key not in known:
            raise ModelInputError(f"{config.family} has no option {key}", _known_said(known))
        try:
            config = known[key].put(config, value)
        except ModelInputError:  # it says what to do
            raise
        except ValueError as error:
            raise ModelInputError(
                f"{config.family} does not take {key}={value}: {error}", f"Give {known[key].takes}."
            ) from None
    return config


def changed_options(own: ModelConfig, config: ModelConfig) -> dict[str, str]:
    """Return the options that are not as the checkpoint itself has them."""
    before = options_of(own)
    return {key: value for key, value in sorted(options_of(config).items()) if before[key] != value}


def _of(config: ModelConfig) -> list[ModelOption]:
    return [option for option in OPTIONS if config.family in option.families]


def _known_said(known: Collection[str]) -> str:
    return f"It has {', '.join(known)}." if known else "It has none: leave it out."


def _tokens(config: ModelConfig) -> FrameTokens:
    return config.frame_tokens or FrameTokens()


def _one_of(value: str, known: Collection[str]) -> str:
    if value not in known:
        raise ValueError(f"it is none of {', '.join(known)}")
    return value


def _put_pool(config: ModelConfig, value: str) -> ModelConfig:
    pool: Pool = _one_of(value, get_args(Pool))  # type: ignore[assignment]  # one of them
    return _with_tokens(config, replace(_tokens(config), pool=pool))


def _put_stride(config: ModelConfig, value: str) -> ModelConfig:
    return _with_tokens(config, replace(_tokens(config), stride=int(value)))


def _with_tokens(config: ModelConfig, tokens: FrameTokens) -> ModelConfig:
    patches = config.vision.patches_per_side
    if not 1 <= tokens.stride <= patches:
        raise ValueError(f"a frame has {patches} rows of patches")
    return replace(config, frame_tokens=tokens)


def _put_newline(config: ModelConfig, value: str) -> ModelConfig:
    newline: Newline = _one_of(value, get_args(Newline))  # type: ignore[assignment]  # one of them
    return _with_tokens(config, replace(_tokens(config), newline=newline))


def _put_times(config: ModelConfig, value: str) -> ModelConfig:
    tells = _one_of(value, ("yes", "no")) == "yes"
    return _with_tokens(config, replace(_tokens(config), tells_times=tells))


def _put_ratio(config: ModelConfig, value: str) -> ModelConfig:
    ratio = float(value)
    if not 0 < ratio <= 1:
        raise ValueError("it is no share")
    return replace(config, keep_ratio=ratio)


def _put_system(config: ModelConfig, value: str) -> ModelConfig:
    if not value.strip() or "<|" in value:
        raise ValueError("it is empty, or has marks of a chat")
    template = config.chat_template
    chat = published_frame(config.family, value) if template is None else _told_in(template, value)
    return replace(config, chat=chat, system=value)


def _told_in(template: str, system: str) -> ChatFrame:
    """Return what a template writes after a system turn.

    Raises `ModelInputError` where it takes none, or leaves its text out.
    """
    try:
        found, probed = (frame_in(template, text) for text in (system, _PROBE))
    except CheckpointError as error:
        raise ModelInputError(f"no system prompt can be told: {error.message}", _NO_SYSTEM) from error
    if not any(_PROBE in text for text in astuple(probed)):
        raise ModelInputError("the chat template leaves out what it is told as a system prompt", _NO_SYSTEM)
    return found


_LLAVA, _PRO = (Family.LLAVA_VIDEO,), (Family.VIDEO_XL_PRO,)
OPTIONS = (
    ModelOption(
        "pool",
        _LLAVA,
        "the checkpoint's, else bilinear",
        f"one of {', '.join(get_args(Pool))}",
        "How neighbouring patches become a token. The official evaluation takes average.",
        lambda config: _tokens(config).pool,
        _put_pool,
    ),
    ModelOption(
        "pool-stride",
        _LLAVA,
        "2",
        "a whole number from 1 to a frame's rows of patches",
        "So many patches by so many become a token.",
        lambda config: str(_tokens(config).stride),
        _put_stride,
    ),
    ModelOption(
        "newline",
        _LLAVA,
        "the checkpoint's, else one_token",
        f"one of {', '.join(get_args(Newline))}",
        "Where the learned newline stands: after each row, each frame, once after the video, or nowhere.",
        lambda config: _tokens(config).newline,
        _put_newline,
    ),
    ModelOption(
        "tell-times",
        _LLAVA,
        "the checkpoint's, else no",
        "yes or no",
        "Whether a sentence after the video says when each frame was shown.",
        lambda config: "yes" if _tokens(config).tells_times else "no",
        _put_times,
    ),
    ModelOption(
        "keep-ratio",
        _PRO,
        "0.99",
        "a share above 0, up to 1, e.g. 0.7",
        "The share of visual tokens that each prompt keeps. The reference draws one between 0.7 and 0.99.",
        lambda config: f"{config.keep_ratio:g}",
        _put_ratio,
    ),
    ModelOption(
        "system",
        (Family.QWEN2_5_VL, Family.QWEN3_VL),
        AS_PUBLISHED,
        "a text",
        "The system prompt, where the checkpoint's chat template puts one.",
        lambda config: AS_PUBLISHED if config.system is None else config.system,
        _put_system,
    ),
)
