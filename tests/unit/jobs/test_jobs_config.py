"""Settings: file, then flags; mistakes are named before anything happens."""

from fractions import Fraction

import pytest

from jobs.settings.config import Settings, load_settings, resolve
from schemas.failures import UsageError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_flags_override_the_file(tmp_path):
    """A flag given wins, a flag left out does not."""
    (tmp_path / "media-index.toml").write_text('library = "a"\nindex = "b"\nfps = "1/2"\nmax_frames = 99\n')
    flags = {"library": "c", "model": "m", "max_frames": None, "include": ()}
    settings = resolve(load_settings(None, flags, needs=("library", "index")))
    assert (settings.library, settings.index, settings.fps, settings.max_frames) == (
        "c",
        "b",
        Fraction(1, 2),
        99,
    )


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
    ("file", "complaint"),
    [
        ('libary = "x"', "unknown setting libary"),
        ("fps = ", "is not TOML"),
        (None, "does not exist"),
    ],
)
def test_a_bad_settings_file_is_named(tmp_path, file, complaint):
    """A typing error in the file never becomes a default."""
    path = tmp_path / "my.toml"
    if file is not None:
        path.write_text(file)
    with pytest.raises(UsageError, match=complaint):
        load_settings(path, {}, needs=())


def test_an_unknown_setting_suggests_the_near_one(tmp_path):
    """The hint names what was probably meant."""
    (tmp_path / "media-index.toml").write_text('libary = "x"')
    with pytest.raises(UsageError) as caught:
        load_settings(None, {}, needs=())
    assert caught.value.hint == "did you mean library?"


@pytest.mark.parametrize(
    "wrong",
    [{"fps": "0"}, {"fps": "-1"}, {"fps": "fast"}, {"fps": "1/0"}, {"max_frames": 0}, {"num_actors": 0}],
)
def test_an_impossible_value_is_named(wrong):
    """The message says which setting and which value."""
    with pytest.raises(UsageError, match=f"setting {next(iter(wrong))}"):
        resolve({"library": "a", "index": "b", "model": "m"} | wrong)


def test_what_is_missing_is_asked_for():
    """Without an index there is nothing to do, and the hint says both ways to name one."""
    with pytest.raises(UsageError, match="no index given") as caught:
        load_settings(None, {"library": "a"}, needs=("library", "index"))
    assert "--index" in caught.value.hint
