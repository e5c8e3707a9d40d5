"""Whether every prompt can be asked of a model: checked with its tokenizer, before anything is spent."""

from collections.abc import Sequence

from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import Prompt
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from jobs.weights import Weights
from schemas.failures import PreflightError, UsageError
from videoxl2.errors import ModelError
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.picture_size import OWN_PIXELS, OwnShape, PictureRule, PixelBudget, Squares
from videoxl2.network.configs.weight_bits import QuantiserMissingError, quantised
from videoxl2.network.language.context import LONGEST_MS, most_frames
from videoxl2.network.language.tokens import Vocabulary


def check_budgets(
    prompts: Sequence[Prompt],
    weights: Weights,
    max_frames: int | None = None,
    pixels: PixelBudget = OWN_PIXELS,
) -> None:
    """Refuse a prompt that cannot be written, or is given too few tokens for one record, by a `UsageError`.

    Also where `max_frames` frames of these `pixels`, if they are given, and the longest prompt, with as much
    of what is said as it may tell, do not fit the context.
    """
    vocabulary = weights.vocabulary
    longest = 0
    for prompt in prompts:
        context = AnswerContext(LONGEST_MS, (0,), max_tokens=prompt.max_new_tokens)
        try:
            prompt_tokens = len(vocabulary.suffix_ids(prompt.fill(context)))
            told_tokens = prompt.said_tokens if prompt.tells_said else 0
            longest = max(longest, prompt_tokens + told_tokens + prompt.max_new_tokens)
            program_for(prompt.answer, context, vocabulary.count)
        except (ModelError, UsageError) as error:
            raise UsageError(f"prompt {prompt.prompt_id}: {error.message}", error.hint) from None
    if max_frames is not None:
        _check_room(weights.config.within(pixels), vocabulary, max_frames, longest)


def check_kv(kv: BiLevelKv | None, weights: Weights) -> None:
    """Refuse bi-level decoding of a model whose videos fit its context dense, by a `UsageError`."""
    family = weights.config.family
    if kv is not None and family is not Family.VIDEO_XL_2:
        raise UsageError(
            f"bi-level decoding is for {Family.VIDEO_XL_2}, and these weights are {family}",
            "Leave out --kv: what this model sees at a time is decoded dense.",
        )


def check_weight_bits(weight_bits: int, weights: Weights) -> None:
    """Check that these weights can be quantised so. UsageError: they cannot. PreflightError: none can
    here."""
    try:
        quantised(weights.config, weight_bits)
    except QuantiserMissingError as error:
        raise PreflightError(error.message, error.hint) from None
    except ModelError as error:
        raise UsageError(f"--weight-bits {weight_bits}: {error.message}", error.hint) from None


def check_pixels(pixels: PixelBudget, pictures: PictureRule, max_frames: int) -> None:
    """Check a budget of pixels. UsageError: the model takes squares, or no picture fits the budget."""
    if isinstance(pictures, Squares) and pixels != OWN_PIXELS:
        flag = "per-frame" if pixels.per_frame else "at-once"
        raise UsageError(
            f"--max-pixels-{flag} for a model that takes squares of {pictures.side} pixels",
            "Leave it out: it is for models that take pictures in their own shape.",
        )
    if isinstance(pictures, OwnShape):
        least = pictures.unit**2
        if pixels.per_frame is not None and pixels.per_frame < least:
            raise _too_few_pixels("per-frame", pixels.per_frame, least, "")
        if pixels.at_once is not None and pixels.at_once < least * max_frames:
            raise _too_few_pixels(
                "at-once", pixels.at_once, least * max_frames, ", or name fewer --max-frames"
            )


def _too_few_pixels(flag: str, given: int, least: int, instead: str) -> UsageError:
    return UsageError(
        f"--max-pixels-{flag} {given} is too little: the smallest pictures need {least}",
        f"Give at least {least}{instead}.",
    )


def check_context(
    weights: Weights, max_frames: int, prompt_tokens: int, pixels: PixelBudget = OWN_PIXELS
) -> None:
    """Check that so many frames leave room for a prompt and an answer of these tokens. UsageError: they do
    not."""
    config = weights.config.within(pixels)
    if config.context_tokens is not None:
        _check_room(config, weights.vocabulary, max_frames, prompt_tokens)


def _check_room(config: ModelConfig, vocabulary: Vocabulary, max_frames: int, prompt_tokens: int) -> None:
    limit = most_frames(config, vocabulary, prompt_tokens)
    if limit is not None and limit < 0:
        raise UsageError(
            f"prompt, answer and system prompt leave no room for a frame: {config.family}'s context holds "
            f"{config.context_tokens} tokens",
            "Shorten the longest of them, or lower its max_new_tokens.",
        )
    if limit is not None and max_frames > limit:
        raise UsageError(
            f"{config.family} takes at most {limit} frames at a time, not {max_frames}: "
            f"its context holds {config.context_tokens} tokens",
            _how_to_fit(config, limit),
        )


def _how_to_fit(config: ModelConfig, limit: int) -> str:
    """Say what leaves room in a context of which that many frames are the most."""
    fewer = (
        f"Name fewer, e.g. --max-frames {min(limit, config.trained_frames or limit)}; with --split a "
        "long video is taken in sections of so many."
    )
    if config.own_shape is None:
        return fewer
    smaller = "Show smaller pictures, with --max-pixels-at-once"
    return f"{fewer} Or s{smaller[1:]}." if limit else f"{smaller}."
