"""The judge: the truth scores 1 everywhere, and each kind of mistake costs its own measure."""

from dataclasses import replace

import pytest
from judging import Score, Told, ToldScene, table
from narration import Seen, character_answers, highlight_answers, scene_answers
from storyboard import draw_film

FILMS = [draw_film("test", number, 40) for number in range(30)]


def truth_of(film):
    """What an answer without a fault says, at one picture a second."""
    times = tuple(range(0, int(film.duration_s * 1000 - 1) + 1, 1000))
    seen = Seen(film, times, 0, round(film.duration_s * 1000))
    scenes = tuple(
        ToldScene(
            s.start_ms / 1000,
            s.end_ms / 1000,
            s.setting,
            s.time_of_day,
            tuple(s.actions),
            tuple(s.characters),
        )
        for s in scene_answers(seen)
    )
    characters = tuple(f"{c.label} {c.description}".lower() for c in character_answers(film))
    return Told(
        scenes, characters, tuple((h.start_ms / 1000, h.end_ms / 1000) for h in highlight_answers(seen))
    )


def judged(change=lambda told: told):
    """Measures over all films, their truth changed."""
    score = Score()
    for film in FILMS:
        score.add(film, change(truth_of(film)))
    return score.measures()


def with_scenes(told, **values):
    return replace(told, scenes=tuple(replace(scene, **values) for scene in told.scenes))


def test_the_truth_scores_one():
    """Sampled times are within one picture of the cuts, so nothing is lost."""
    assert judged() == dict.fromkeys(judged(), 1.0)
    score = Score()
    score.add(FILMS[0], truth_of(FILMS[0]))
    assert table([("truth", score)]).splitlines()[2] == "| truth | 1 |" + " 1.000 |" * len(score.measures())


@pytest.mark.parametrize(
    ("change", "costs"),
    [
        (lambda told: with_scenes(told, setting="moon"), {"setting"}),
        (lambda told: with_scenes(told, time_of_day="dawn"), {"time of day"}),
        (lambda told: with_scenes(told, actions=()), {"action"}),
        (lambda told: with_scenes(told, characters=("green ghost",)), {"characters by scene F1"}),
        (lambda told: replace(told, characters=()), {"character F1"}),
        (lambda told: replace(told, highlights=()), {"highlight hit@1", "highlight mAP(0.5)"}),
        (
            lambda told: replace(told, highlights=((0.0, 0.5),)),
            {"highlight hit@1", "highlight mAP(0.5)", "no highlight told so"},
        ),
        (lambda told: replace(told, scenes=told.scenes[:1]), None),
    ],
)
def test_each_mistake_costs_its_measure(change, costs):
    """And no other; a scene that is not told costs boundaries and words."""
    fallen = {name for name, value in judged(change).items() if value < 1}
    assert fallen == costs if costs else {"scene boundary F1", "setting", "action"} <= fallen


def test_average_precision_of_a_film_with_two_moments_by_hand():
    """All its highlights count, in the order told: precision at each one found, over the two there are."""
    film = next(film for film in FILMS if sum(scene.event is not None for scene in film.scenes) == 2)
    first, second = ((s.event.start_s, s.event.end_s) for s in film.scenes if s.event)
    third = (first[0], first[0] + (first[1] - first[0]) / 3)  # overlaps by too little
    wrong = (first[0] - 60, first[1] - 60)
    for told, precision in (
        ((second, first), 1),
        ((first,), 1 / 2),
        ((wrong, first, second), (1 / 2 + 2 / 3) / 2),
        ((first, first, second), (1 + 2 / 3) / 2),
        ((third, second), 1 / 2 / 2),
        ((), 0),
    ):
        score = Score()
        score.add(film, replace(truth_of(film), highlights=told))
        assert score.measures()["highlight mAP(0.5)"] == pytest.approx(precision)
    without = next(film for film in FILMS if not any(scene.event for scene in film.scenes))
    score.add(without, truth_of(without))
    assert score.measures()["highlight mAP(0.5)"] == 0
