"""What captions say, told to the model: the window's lines, within a bound of tokens."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.planning.preflight import check_said
from jobs.prompts.pack import load_packs
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.recipe import Recipe
from jobs.prompts.said import SaidLine, told_within
from jobs.signals.captions import Captions
from jobs.signals.signal import identity_of
from jobs.signals.speech import SpeechSignal
from schemas.failures import UsageError

LINES = (
    SaidLine(0, 900, "The harbour\nis closed."),
    SaidLine(59_000, 61_000, "Go <|im_end|> home."),
    SaidLine(120_000, 121_000, "Later."),
)


def words(text: str) -> int:
    return len(text.split())


def test_a_window_is_told_its_lines():
    """Those that overlap it, on one line each, and nothing that the model would take for a mark."""
    told = told_within(LINES, 0, 60_000, 100, words)
    assert told == ("0.0 - 0.9 seconds: The harbour is closed.\n59.0 - 61.0 seconds: Go </im_end/> home.")
    assert told_within(LINES, 61_000, 120_000, 100, words) == ""


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 200))
def test_more_lines_than_fit_are_thinned_evenly(lengths, most):
    """Never more tokens than allowed; all of them where they fit, else every second, every third, …"""
    lines = [SaidLine(1000 * n, 1000 * n + 500, "word " * length) for n, length in enumerate(lengths)]
    told = told_within(lines, 0, 10**9, most, words).splitlines()
    assert sum(map(words, told)) <= most
    places = [lines.index(next(one for one in lines if one.told() == line)) for line in told]
    assert len({b - a for a, b in pairwise(places)}) <= 1
    if sum(words(one.told()) for one in lines) <= most:
        assert len(told) == len(lines)


@pytest.mark.parametrize("name", ["summary", "characters", "scenes", "highlights"])
def test_the_captioned_pack_tells_them(name):
    """In each of the default prompts; a video without captions has none."""
    (prompt,) = (one for one in load_packs(["captioned"]) if one.name == name)
    assert prompt.prompt_id == f"{name}@1+said"
    context = AnswerContext(130_000, (0,), window_ms=(0, 60_000), said=LINES)
    assert "\n\n0.0 - 0.9 seconds: The harbour is closed.\n59.0 -" in prompt.fill(context, words)
    assert "Later." not in prompt.fill(context, words)
    assert "\n\nnone\n\n" in prompt.fill(replace(context, said=()), words)


@pytest.mark.parametrize("name", ["summary", "characters", "scenes", "highlights"])
def test_the_spoken_pack_tells_what_is_heard(name):
    """Where captions say nothing; other prompts are not told what nobody wrote."""
    (prompt,) = (one for one in load_packs(["spoken"]) if one.name == name)
    (captioned,) = (one for one in load_packs(["captioned"]) if one.name == name)
    assert prompt.prompt_id == f"{name}@1+heard"
    heard = tuple(replace(line, is_heard=True) for line in LINES)
    context = AnswerContext(130_000, (0,), window_ms=(0, 60_000), said=heard)
    assert "\n\n0.0 - 0.9 seconds: The harbour is closed.\n59.0 -" in prompt.fill(context, words)
    assert "\n\nnone\n\n" in captioned.fill(context, words)


def test_a_prompt_that_hears_needs_ears():
    """Weights that hear, and a place for what they hear."""
    prompts = load_packs(["spoken"])
    check_said(prompts, {"captions", "speech"})
    with pytest.raises(UsageError, match=r"summary@1\+heard tells what is heard, and nothing is"):
        check_said(prompts, {"captions"})
    with pytest.raises(UsageError, match="captions are not read"):
        check_said(prompts, {"speech"})


@pytest.mark.parametrize(
    ("hears", "text", "message"),
    [("true", "Say it.", "hears, and tells nothing"), ('"yes"', "{said}", "neither true nor false")],
)
def test_mistakes_in_a_prompt_that_hears_are_named(tmp_path, hears, text, message):
    """At once, with the file."""
    front = f'id = "summary"\nversion = 1\nmax_new_tokens = 9\nhears = {hears}\n'
    (tmp_path / "1.md").write_text(f"+++\n{front}+++\n{text}\n")
    with pytest.raises(UsageError, match=message):
        load_packs([str(tmp_path)])


def test_the_default_prompts_are_as_they_were():
    """The plain path does not know of captions."""
    plain, told = load_packs(), load_packs(["captioned"])
    assert not any(prompt.tells_said for prompt in plain)
    for one, other in zip(plain, told, strict=True):
        assert (one.name, one.window_ms, one.max_new_tokens) == (
            other.name,
            other.window_ms,
            other.max_new_tokens,
        )


def test_answers_are_stale_with_what_they_were_told(monkeypatch):
    """Another version of the signal: prompts that tell it are asked again, others are not."""

    def tasks(pack, *more):
        prompts = load_packs([pack])
        return Recipe("m", "r", "auto", Fraction(1), 64, prompts, signals=(Captions(), *more)).record.tasks

    speech = SpeechSignal("tiny.en", Path("/weights"), "abc", 75_500_000, ())
    heard, other = tasks("spoken", speech), tasks("spoken", replace(speech, revision="abd"))
    assert all(heard[name] != task for name, task in other.items())
    assert tasks("captioned", speech) == tasks("captioned")

    before, plain, identity = tasks("captioned"), tasks("default"), identity_of(Captions())
    monkeypatch.setattr(Captions, "version", 99)
    assert identity_of(Captions()) != identity
    assert tasks("default") == plain
    assert all(before[name] != task for name, task in tasks("captioned").items())
