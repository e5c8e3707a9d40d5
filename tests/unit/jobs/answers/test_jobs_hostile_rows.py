"""Whatever the model wants: rows of every pack and of a user's schema hold what a reader may rely on."""

import random
from dataclasses import replace

import pytest
from hostile_network import HostileNetwork
from hostile_rows import (
    OWN,
    PACKS,
    Film,
    Hostile,
    analysis_of,
    draw_film,
    draw_prompts,
    rows_of_analysis,
)
from row_checks import problems_of

from jobs.answers.moves import moves_of
from jobs.prompts.pack import OwnAnswer, Prompt, load_packs
from jobs.prompts.program.times import AnswerContext, Times
from jobs.prompts.stamps import span_text, tenths
from schemas.answers import One
from videoxl2.constrained.hostile import ALL_KINDS, NON_FINITE
from videoxl2.errors import NonFiniteError
from videoxl2.frames.reading.cuts import Cut
from videoxl2.network.configs.families import Family

FILMS = 300  # of these films three have windows, two sections, and none is so long that it takes seconds


@pytest.fixture(scope="module")
def hostile():
    return Hostile()


@pytest.mark.parametrize("pack", PACKS)
def test_rows_of_hostile_models_hold(hostile, pack):
    """Times inside the video and whole, scenes end to end, evidence inside, names known, texts bounded, own
    records valid under their schema; `tests/support/hostile_rows.py` makes 2,000."""
    for number, kind in enumerate(ALL_KINDS):
        if number % 8 == PACKS.index(pack):
            seed = FILMS + number
            assert hostile.generate(kind, pack, seed) == [], (kind, pack, seed)


@pytest.mark.parametrize("family", list(Family))
def test_rows_hold_behind_every_family_s_network(family, tmp_path):
    """The same with a real prefill and real rows before the hostile head; `--family` makes 2,000."""
    behind = Hostile(HostileNetwork(tmp_path, family))
    prompts = (Prompt("cars", 1, 420, "Cars?\n{format}", None, OwnAnswer(OWN, One())),)
    film = Film(5_049, (0, 2_500, 4_100), None)
    for seed, kind in enumerate(("uniform", "digits", "NaN")):
        assert behind.told(kind, film, prompts, seed) == [], kind
    assert behind.video.num_begun >= 2


def test_the_checks_find_what_is_wrong(hostile):
    """Each of these is one change away from a row that holds."""
    hostile.video.kind, hostile.video.seed = "uniform", 3
    film, prompts = Film(20_020, tuple(range(0, 20_000, 1000)), None), load_packs()
    tables = rows_of_analysis(analysis_of(hostile.asker, film, prompts), prompts, {})
    assert list(problems_of(tables, film.duration_ms, film.times_ms, {})) == []
    scene = tables["scenes"][-1]
    for change in (
        {"end_ms": 20_021},
        {"end_ms": 20_000},
        {"start_ms": scene["start_ms"] + 1},
        {"evidence_ms": [scene["start_ms"] - 1000]},
        {"is_grounded": False},
        {"title": "a\u2028b"},
        {"mood": "\u3164"},
        {"summary": " "},
        {"confidence": float("nan")},
        {"character_ids": ["C99"]},
        {"tags": ["a", "A"]},
        {"setting": "x" * 121},
    ):
        wrong = {**tables, "scenes": [*tables["scenes"][:-1], {**scene, **change}]}
        assert list(problems_of(wrong, film.duration_ms, film.times_ms, {})), change


@pytest.mark.parametrize("duration_ms", [1, 40, 49, 50, 51, 99, 100, 151])
def test_a_film_of_one_picture_has_its_answers(hostile, duration_ms):
    """Also where its start and its end have the same stamp."""
    hostile.video.kind = "uniform"
    summary, _, scenes, _ = load_packs()
    film, prompts = Film(duration_ms, (0,), None), (summary, scenes)
    rows = rows_of_analysis(analysis_of(hostile.asker, film, prompts), prompts, {})
    assert [(s["start_ms"], s["end_ms"], s["evidence_ms"]) for s in rows["scenes"]] == [(0, duration_ms, [0])]
    assert rows["videos"][0]["summary"]


@pytest.mark.parametrize("rest_ms", [1, 30, 80, 140, 1000])
def test_the_last_scene_ends_at_the_videos_end_however_short_the_last_section(hostile, rest_ms):
    """A rest without a stamp of its own belongs to the scene before it."""
    hostile.video.kind = "uniform"
    film = Film(4000 + rest_ms, (0, 1000, 2000, 3000, 4000), 4)
    prompts = (replace(load_packs()[2], max_new_tokens=450),)
    rows = rows_of_analysis(analysis_of(hostile.asker, film, prompts), prompts, {})
    assert list(problems_of(rows, film.duration_ms, film.times_ms, {})) == []


@pytest.mark.parametrize("kind", NON_FINITE)
def test_numbers_that_are_none_cost_their_answers_only(hostile, kind, monkeypatch):
    """The other prompts keep theirs, the video says that it is partial; all lost is the promised error."""
    ask = type(hostile.asker).ask

    def asked(self, session, prompt, context):
        hostile.video.kind = kind if prompt.name in lost else "uniform"
        return ask(self, session, prompt, context)

    monkeypatch.setattr(type(hostile.asker), "ask", asked)
    film, prompts = Film(20_040, tuple(range(0, 20_000, 2000)), None), load_packs()
    lost = {"scenes"}
    analysis = analysis_of(hostile.asker, film, prompts)
    rows = rows_of_analysis(analysis, prompts, {})
    assert (rows["scenes"], rows["videos"][0]["is_partial"]) == ([], True)
    assert rows["videos"][0]["summary"]
    assert {answer.prompt.name: answer.num_lost for answer in analysis.answers if answer.num_lost} == {
        "scenes": 1
    }
    assert list(problems_of(rows, film.duration_ms, film.times_ms, {})) == []
    lost = {prompt.name for prompt in prompts}
    with pytest.raises(NonFiniteError):
        analysis_of(hostile.asker, film, prompts)


def test_every_time_of_an_answer_means_one_instant():
    """Stamps rise and differ, each means a picture of the window, its ends mean the window's."""
    for seed in range(400):
        rng = random.Random(seed)
        film = draw_film(rng)
        first_ms = rng.choice([0, rng.randrange(film.duration_ms)])
        window_ms = (first_ms, rng.randrange(first_ms, film.duration_ms) + 1)
        times = Times.of(AnswerContext(film.duration_ms, film.times_ms, window_ms=window_ms))
        labels = [*times.stamps, times.last]
        assert labels == sorted(set(labels))
        instants_ms = [times.instant_ms(label) for label in labels]
        assert instants_ms == sorted(set(instants_ms))
        assert (instants_ms[0], instants_ms[-1]) == window_ms
        assert set(instants_ms[1:-1]) <= set(film.times_ms)
        assert all(tenths(ms) == label for ms, label in zip(instants_ms[:-1], labels[:-1], strict=True))
        with pytest.raises(ValueError, match="not among the times"):
            times.instant_ms(times.last + 1)
        start, end = span_text(*window_ms).split(" - ")
        assert float(start) < float(end)


def test_no_move_takes_the_last_picture_of_a_record(hostile):
    """Cuts just behind the only picture of a scene: its border stays, and the evidence is inside."""
    hostile.video.kind = "uniform"
    for seed in range(6):
        rng = random.Random(seed)
        film = Film(12_345, (0, 1900, 4100, 6050, 8200, 10_400), None)
        prompts = draw_prompts(rng.choice(["default", "own"]), rng)
        analysis = analysis_of(hostile.asker, film, prompts)
        cuts = {
            ms: Cut(min(max(1, ms + rng.choice([-2000, -700, 90, 2000])), 12_344), 5.0)
            for ms in film.times_ms[1:]
        }
        rows = rows_of_analysis(analysis, prompts, moves_of(analysis, cuts))
        assert list(problems_of(rows, film.duration_ms, film.times_ms, {})) == []
