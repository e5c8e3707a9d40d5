"""Everything that a run needs, opened and checked before anything is spent."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from jobs.folders import default_scratch, make_writable
from jobs.prompts.kv import kv_of
from jobs.prompts.pack import Prompt, load_packs, own_tables
from jobs.prompts.recipe import OF_HEARD, OF_SAID, Recipe
from jobs.settings.config import Settings
from jobs.settings.given import NO_MODEL
from jobs.settings.model_options import options_in
from jobs.settings.times import parse_since
from jobs.signals.known import signals_named
from jobs.signals.screen_text import find_text
from jobs.signals.shots import Shots
from jobs.signals.signal import Signal
from jobs.signals.speech import find_speech
from jobs.weights import Copies, Weights, find_weights
from schemas.failures import UsageError
from schemas.rows import Row
from storage.index.index import Index, open_index, read_index
from storage.index.marker import check_place
from storage.library.library import Library, open_library
from storage.library.selection import VIDEO_EXTENSIONS, Selection
from videoxl2.network.configs.weight_bits import FULL_BITS


@dataclass(frozen=True)
class Preflight:
    """The inputs of a run, opened and checked before anything is spent."""

    settings: Settings
    library: Library
    selection: Selection
    weights: Weights | None  # None: signals only
    recipe: Recipe
    scratch: Path
    index: Index


def check_preflight(settings: Settings, makes_index: bool = False) -> Preflight:
    """Open library, weights and, last, the index, which is made only where that was said.

    Raises `PreflightError` or `UsageError`.
    """
    check_place(settings.index, settings.endpoint_url, makes_index)
    return _open(
        settings,
        lambda: make_scratch(settings),
        lambda own: open_index(settings.index, settings.endpoint_url, create=makes_index, own=own),
    )


def check_plan(settings: Settings) -> Preflight:
    """The same for a plan, which writes nothing: the index may be read-only, or not be made yet."""
    return _open(
        settings,
        lambda: scratch_folder(settings),
        lambda own: read_index(settings.index, settings.endpoint_url, own),
    )


def _open(
    settings: Settings,
    find_scratch: Callable[[], Path],
    open_it: Callable[[Mapping[str, type[Row]]], Index],
) -> Preflight:
    named = chosen_signals(settings)
    selection = selection_of(settings)
    library = open_library(settings.library, settings.endpoint_url, settings.inventory, settings.follow_links)
    weights = weights_of(settings)
    kv = kv_of(settings.kv, settings.kv_compression, settings.kv_dense_chunks)
    signals = (*named, *_speech_of(settings), *_text_of(settings))
    prompts = load_packs(settings.packs) if weights else ()
    check_said(prompts, {signal.name for signal in signals})
    if weights:
        # These load tokenizers, which signals do without.
        from jobs.prompts.budget import check_budgets, check_kv, check_pixels, check_weight_bits

        check_weight_bits(settings.weight_bits, weights)
        check_kv(kv, weights)
        check_pixels(settings.pixels, weights.pictures, settings.max_frames)
        check_budgets(prompts, weights, settings.max_frames, settings.pixels)
    recipe = Recipe(
        model_id=weights.model_id if weights else None,
        model_revision=weights.revision if weights else None,
        dtype=settings.dtype,
        weight_bits=settings.weight_bits if weights else FULL_BITS,
        fps=fps_for(settings, weights),
        max_frames=settings.max_frames,
        prompts=prompts,
        is_split=settings.split,
        signals=signals,
        domain_revision=weights.domain.revision if weights and weights.domain else None,
        kv=kv if weights else None,
        pixels=settings.pixels,
        model_options=weights.options if weights else (),
        pictures_and_chat=weights.pictures_and_chat if weights else "",
    )
    scratch = find_scratch()
    index = open_it(own_tables(prompts))
    return Preflight(settings, library, selection, weights, recipe, scratch, index)


def weights_of(settings: Settings) -> Weights | None:
    """The model's weights, with the options that were given; None: signals only.

    Raises as `find_weights`, and UsageError for an option that the model has not.
    """
    given = options_in(settings.model_options)
    if settings.model is None:
        if given:
            raise UsageError(f"option {next(iter(given))} of a model, and none is named", NO_MODEL)
        return None
    return find_weights(settings.model, copies_of(settings)).with_options(given)


def fps_for(settings: Settings, weights: Weights | None) -> Fraction:
    """Pictures a second: as was said, else as the checkpoint's files say for videos, else one."""
    named = weights.config.fps if weights else None
    return settings.fps or named or Fraction(1)


def check_said(prompts: Sequence[Prompt], signals: Collection[str]) -> None:
    """Check that what prompts tell is read. UsageError: one tells what captions say, or what is heard, and
    that is not."""
    for prompt in prompts:
        if prompt.tells_said and OF_SAID not in signals:
            raise UsageError(
                f"prompt {prompt.prompt_id} tells what is said, and captions are not read",
                f"Leave out --signal, or name {OF_SAID}.",
            )
        if prompt.hears and OF_HEARD not in signals:
            raise UsageError(
                f"prompt {prompt.prompt_id} tells what is heard, and nothing is",
                f"Name weights that hear with --{OF_HEARD}.",
            )


def _speech_of(settings: Settings) -> tuple[Signal, ...]:
    """Speech, where weights are named that hear it."""
    if settings.speech is None:
        return ()
    languages, only_missing = settings.speech_languages, settings.speech_missing
    return (find_speech(settings.speech, languages, only_missing, copies_of(settings)),)


def _text_of(settings: Settings) -> tuple[Signal, ...]:
    """Text in the pictures, where it is asked for."""
    return (find_text(),) if settings.text else ()


def chosen_signals(settings: Settings) -> tuple[Signal, ...]:
    """Return the signals that are read besides speech and text. UsageError: an unknown one, or nothing to do
    at all."""
    named = signals_named(settings.signals, settings.shots == "draft")
    if settings.shots == "draft" and not any(isinstance(signal, Shots) for signal in named):
        raise UsageError("a draft of shots, which are not read", "Leave out --shots, or --signal.")
    if settings.model is None and settings.speech is None and not settings.text and not named:
        raise UsageError("nothing to do without a model and without signals", NO_MODEL)
    return named


def selection_of(settings: Settings) -> Selection:
    """Return which objects of the library are meant."""
    extensions = frozenset(e.lower().removeprefix(".") for e in settings.extensions) or VIDEO_EXTENSIONS
    since_ns = _since_ns(settings.since)
    signals = signals_named(settings.signals)
    return Selection(
        extensions,
        settings.include,
        settings.exclude,
        settings.prefixes,
        since_ns,
        with_sidecars=any(signal.reads_sidecars for signal in signals) or settings.speech_missing,
    )


def _since_ns(since: str | None) -> int | None:
    return int(parse_since(since, datetime.now(UTC)).timestamp()) * 1_000_000_000 if since else None


def scratch_folder(settings: Settings) -> Path:
    """Return the folder for copies of S3 objects; it need not be there yet."""
    return settings.scratch or default_scratch()


def copies_of(settings: Settings) -> Copies:
    """Return the folder for copies of weights, and the S3 server they come from."""
    return Copies(scratch_folder(settings), settings.endpoint_url)


def make_scratch(settings: Settings) -> Path:
    """The folder for copies of S3 objects, which can be written to. Raises `PreflightError`."""
    scratch = scratch_folder(settings)
    make_writable(scratch, "scratch folder", "Name another with --scratch.")
    return scratch
