"""Settings are checked before anything happens; where they come from: test_jobs_settings_file.py."""

from fractions import Fraction

import pytest

from jobs.settings.config import Settings, resolve
from jobs.settings.given import load_settings
from schemas.failures import UsageError


@pytest.mark.parametrize(
    ("given", "exact"), [("29.97", Fraction(2997, 100)), (0.1, Fraction(1, 10)), (2, Fraction(2))]
)
def test_rates_are_exact(given, exact):
    """0.1 pictures per second is one tenth, not the nearest binary fraction."""
    assert resolve({"library": "a", "index": "b", "model": "m", "fps": given}).fps == exact


def test_settings_survive_json():
    """The run stores its settings; they read back equal."""
    settings = resolve({"library": "a", "index": "b", "model": "m", "fps": "1/3"})
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"fps": "0"},
        {"fps": "-1"},
        {"fps": "fast"},
        {"fps": "1/0"},
        {"fps": "1e999999999"},
        {"max_frames": 0},
        {"num_actors": 0},
    ],
)
def test_an_impossible_value_is_named(wrong):
    """The message says which setting and which value."""
    with pytest.raises(UsageError, match=f"setting {next(iter(wrong)).replace('_', '-')}"):
        resolve({"library": "a", "index": "b", "model": "m"} | wrong)


@pytest.mark.parametrize("extension", ["*.mp4", "", "tar.gz", "mp4,mkv"])
def test_an_extension_is_the_end_of_a_name(extension):
    """A pattern or a list would take no file at all."""
    with pytest.raises(UsageError, match=r"setting extension = .*--include"):
        resolve({"library": "a", "index": "b", "model": "m", "extensions": ["mkv", extension]})


def test_what_is_missing_is_asked_for():
    """Without an index there is nothing to do, and the hint says both ways to name one."""
    with pytest.raises(UsageError, match="no index given") as caught:
        load_settings({"library": "a"}, needs=("library", "index"))
    assert "--index" in caught.value.hint
