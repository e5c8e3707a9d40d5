"""The signal `speech`: what makes its rows stale, and which videos it leaves out."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.signals.known import signals_named
from jobs.signals.signal import identity_of
from jobs.signals.speech import SpeechSignal, find_speech
from jobs.workers.deadlines import longest_s
from schemas.failures import PreflightError, UsageError

ENGINES = (("faster-whisper", "1.2.1"), ("ctranslate2", "4.8.5"))
SPEECH = SpeechSignal("tiny.en", Path("/weights"), "abc", 75_500_000, ENGINES)


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": "abd"},
        {"engines": ENGINES[:1]},
        {"languages": ("de",)},
        {"only_missing": True},
    ],
)
def test_other_rows_have_another_identity(changes: dict[str, Any]) -> None:
    """Whatever changes what would be heard."""
    assert identity_of(replace(SPEECH, **changes)) != identity_of(SPEECH)


def test_the_same_weights_elsewhere_are_the_same() -> None:
    """Their name and folder are for people."""
    moved = replace(SPEECH, model_id="Systran/faster-whisper-tiny.en", place=Path("/elsewhere"))
    assert identity_of(moved) == identity_of(SPEECH)


def _track(**values: Any) -> Any:
    plain = {"language": None, "is_forced": False, "is_commentary": False, "cues": ("cue",)}
    return SimpleNamespace(**plain | values)


@pytest.mark.parametrize(
    ("languages", "track", "is_enough"),
    [
        ((), _track(), True),
        ((), _track(language="de"), True),
        (("en",), _track(), True),
        (("en",), _track(language="en-GB"), True),
        (("en",), _track(language="de"), False),
        ((), _track(is_forced=True), False),
        ((), _track(is_commentary=True), False),
        ((), _track(cues=()), False),
    ],
)
def test_which_captions_say_what_is_said(languages: tuple[str, ...], track: Any, is_enough: bool) -> None:
    """Those in a wanted language, or in one that nobody names; without words there are none."""
    assert replace(SPEECH, languages=languages)._is_enough(track) is is_enough


def test_it_reads_sidecars_only_where_they_matter() -> None:
    """One that comes or goes makes speech stale then, and only then."""
    assert not SPEECH.reads_sidecars
    assert replace(SPEECH, only_missing=True).reads_sidecars


def test_larger_weights_may_take_longer() -> None:
    """A plan prices them so, and no task is ended while it may still be hearing."""
    large = replace(SPEECH, num_bytes=40 * SPEECH.num_bytes)
    assert large.rough_costs.piece_s > 30 * SPEECH.rough_costs.piece_s
    assert large.rough_costs.memory_bytes > SPEECH.rough_costs.memory_bytes > 300_000_000
    assert longest_s((), 3) == 3600
    assert longest_s((SPEECH,), 3) > 3600 + 10 * SPEECH.rough_costs.seconds(1, 3)
    assert longest_s((large,), 3) > 10 * longest_s((SPEECH,), 3)


def test_speech_is_not_read_without_weights() -> None:
    """The hint says how they are named."""
    with pytest.raises(UsageError, match="needs weights") as raised:
        signals_named(("captions", "speech"))
    assert "--speech" in raised.value.hint


def test_weights_that_are_not_there_end_a_run_before_it_begins(tmp_path: Path) -> None:
    """As an error with a hint."""
    with pytest.raises(PreflightError, match=r"has no config\.json") as raised:
        find_speech(str(tmp_path))
    assert "CTranslate2" in raised.value.hint
