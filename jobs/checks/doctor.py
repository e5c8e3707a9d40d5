"""The verb `doctor`: whether a run will work, found out before anything is spent.

Each check does what a run would do, as far as that costs nothing, and says what it found in one line.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from jobs.checks.check import Check, Health
from jobs.checks.machine import (
    look_at_frames,
    look_at_gpu,
    look_at_imports,
    look_at_memory,
    look_at_ray,
    look_at_scratch,
    look_at_shared_memory,
)
from jobs.checks.weights_once import WeightsOnce
from jobs.planning.preflight import chosen_signals, copies_of, selection_of
from jobs.prompts.budget import check_budgets, check_pixels, check_weight_bits
from jobs.prompts.pack import load_packs
from jobs.settings.config import Settings, resolve
from jobs.signals.speech import find_speech
from jobs.ui.words import size
from jobs.weights import BUILT_IN, BUILT_IN_NOTE, KEPT_IN, Weights
from schemas.failures import MediaIndexError
from storage.index.nearby import nearest_indexes
from storage.index.probe import probe_index
from storage.library.library import open_library
from videoxl2.network.configs.model_options import options_of

CLOCK_WARNING = timedelta(minutes=1)
_ABSENT = "-"  # a setting that was not given, where one must be


_Look = Callable[[Settings, WeightsOnce], Check]


def examine(values: dict[str, Any]) -> Iterator[Check]:
    """The checks one after the other; `values` as `load_settings` gives them, library and index optional."""
    try:
        settings = resolve({"library": _ABSENT, "index": _ABSENT} | values)
    except MediaIndexError as error:
        yield Check("settings", Health.FAILED, error.message, error.hint)
        return
    yield _settings(settings)
    once = WeightsOnce(settings)
    for name, look in _LOOKS:
        try:
            yield look(settings, once)
        except MediaIndexError as error:
            yield Check(name, Health.FAILED, error.message, error.hint)
        except OSError as error:
            yield Check(name, Health.FAILED, str(error), "Check the disk, the folders and their permissions.")


def _settings(settings: Settings) -> Check:
    missing = [name for name in ("library", "index") if getattr(settings, name) == _ABSENT]
    places = f"library {settings.library}, index {settings.index}"
    fps = settings.fps or "as the checkpoint names it, else 1"
    asked = f"model {settings.model}, packs {', '.join(settings.packs)}, fps {fps}"
    said = f"{places}, {asked if settings.model else 'no model'}, signals {', '.join(settings.signals)}"
    if missing:
        hint = " and ".join(f"--{name}" for name in missing)
        return Check("settings", Health.WARNING, said, f"Add {hint}.")
    return Check("settings", Health.OK, said)


def _library(settings: Settings) -> Check:
    if settings.library == _ABSENT:
        return Check("library", Health.WARNING, "not given, not looked at", "Add --library.")
    library = open_library(settings.library, settings.endpoint_url, follows_links=settings.follow_links)
    listing = library.list_videos(selection_of(settings))
    video = next(listing, None)
    if video is None:
        said = f"{library.url}: no video among {listing.num_ignored} objects"
        return Check("library", Health.WARNING, said, "Is this the right --library, with the right filters?")
    if video.is_archived:
        said = f"{library.url} is listed; {video.uri} is archived"
        return Check("library", Health.WARNING, said, "Restore archived objects before they can be indexed.")
    library.peek(video)
    return Check("library", Health.OK, f"{library.url} is listed, and {video.uri} can be read")


def _index(settings: Settings) -> Check:
    if settings.index == _ABSENT:
        return Check("index", Health.WARNING, "not given, not looked at", "Add --index.")
    found = probe_index(settings.index, settings.endpoint_url)
    what = f"snapshot {found.snapshot}" if found.exists else "a new place"
    said = f"{found.url}: {what}, can be written to, and two writers cannot overwrite each other"
    if not found.exists and (near := nearest_indexes(settings.index, settings.endpoint_url)):
        hint = f"Did you mean {' or '.join(near)}? A run makes a new one with --new-index only."
        return Check("index", Health.WARNING, f"{said}; there is no index yet", hint)
    if not found.can_delete:
        hint = "Allow s3:DeleteObject for vacuum and forget; runs do without."
        return Check("index", Health.WARNING, f"{said}; nothing can be deleted there", hint)
    if abs(found.ahead) > CLOCK_WARNING:
        seconds = found.ahead.total_seconds()
        said += f"; this machine's clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
        return Check("index", Health.WARNING, said, "Set the clock: S3 refuses 15 minutes, times would lie.")
    return Check("index", Health.OK, said)


def _codecs(settings: Settings) -> Check:
    from videoxl2.frames.files.codecs import DECODERS, av_version, missing_codecs

    if missing := missing_codecs():
        said = f"{av_version()} cannot decode {', '.join(missing)}"
        return Check("codecs", Health.WARNING, said, "Install PyAV's own wheel, which has them all.")
    return Check("codecs", Health.OK, f"{av_version()} decodes {', '.join(DECODERS)}")


def _weights(settings: Settings, once: WeightsOnce) -> Check:
    signals = [signal.name for signal in chosen_signals(settings)]
    if settings.model is None:
        signals += ["speech"] if settings.speech else []
        signals += ["text"] if settings.text else []
        return Check("weights", Health.OK, f"no model: {', '.join(signals)} only")
    prompts = load_packs(settings.packs)
    weights = once.find()
    check_weight_bits(settings.weight_bits, weights)
    check_pixels(settings.pixels, weights.pictures, settings.max_frames)
    check_budgets(prompts, weights)
    said = f"{weights.model_id} at {weights.revision}, {size(weights.num_bytes)}, {_place_of(weights)}"
    if options := options_of(weights.config):
        said += f"; options {', '.join(f'{key}={value}' for key, value in options.items())}"
    if weights.config.chat.skips_thought:
        said += "; it would think first, and is told an empty thought"
    if weights.domain:
        said += f"; takes only what looks like its own: {weights.domain.made_of}"
    if weights.model_id == BUILT_IN:
        return Check("weights", Health.WARNING, said, BUILT_IN_NOTE)
    return Check("weights", Health.OK, f"{said}; {len(prompts)} prompts fit")


def _place_of(weights: Weights) -> str:
    if weights.remote is None:
        return f"in {weights.folder}"
    kept = "the hub's cache" if weights.is_on_hub else weights.folder.parent
    return f"of which each node that loads them keeps a copy in {kept}"


def _speech(settings: Settings) -> Check:
    from videoxl2.speech import NotDownloaded, SpeechError, find_speech_weights

    if settings.speech is None:
        return Check("speech", Health.OK, "not heard")
    if settings.speech.startswith("s3:"):
        return _speech_on_s3(settings)
    try:
        weights = find_speech_weights(settings.speech, local_only=True)
    except NotDownloaded as error:
        return Check("speech", Health.WARNING, error.message, error.hint)
    except SpeechError as error:
        return Check("speech", Health.FAILED, f"speech {settings.speech}: {error.message}", error.hint)
    said = f"{weights.given} at {weights.revision}, {size(weights.num_bytes)}, in {weights.folder}"
    return Check("speech", Health.OK, said)


def _speech_on_s3(settings: Settings) -> Check:
    copies = copies_of(settings)
    found = find_speech(settings.speech or "", copies=copies)
    kept = copies.scratch / KEPT_IN
    where = f"of which each node that hears keeps a copy in {kept}"
    return Check(
        "speech", Health.OK, f"{found.model_id} at {found.revision}, {size(found.num_bytes)}, {where}"
    )


def _text(settings: Settings) -> Check:
    from videoxl2.screen_text import MODEL_ID, ScreenTextError, find_text_weights

    if not settings.text:
        return Check("text", Health.OK, "not read")
    try:
        weights = find_text_weights()
    except ScreenTextError as error:
        return Check("text", Health.FAILED, error.message, error.hint)
    return Check("text", Health.OK, f"{MODEL_ID} at {weights.revision}, in {weights.folder}")


def _alone(look: Callable[[Settings], Check]) -> _Look:
    """A check that wants no weights."""
    return lambda settings, _: look(settings)


_LOOKS: tuple[tuple[str, _Look], ...] = (
    ("library", _alone(_library)),
    ("index", _alone(_index)),
    ("codecs", _alone(_codecs)),
    ("weights", _weights),
    ("speech", _alone(_speech)),
    ("text", _alone(_text)),
    ("gpu", look_at_gpu),
    ("frames", look_at_frames),
    ("memory", _alone(look_at_memory)),
    ("/dev/shm", _alone(look_at_shared_memory)),
    ("scratch", _alone(look_at_scratch)),
    ("imports", _alone(look_at_imports)),
    ("ray", _alone(look_at_ray)),
)
