"""The built-in checkpoint understands drawn films: files through reader, model and answers to a score."""

from contextlib import contextmanager
from fractions import Fraction

import pytest
import torch
from ablations import score_of_drawn
from card import long_films
from drawn_reader import read_drawn
from evaluate import index_films
from films import make_films
from growing import load_wide, wire_anew
from judging import Score, Told
from skills import Exam
from storyboard import draw_film
from wiring import decoder_layers

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker
from jobs.prompts.pack import load_packs
from jobs.weights import find_weights
from videoxl2.frames import plan_sampling, probe, read_frames
from videoxl2.generate.models.video_xl2 import VideoXL2

# What it reaches on many films is in videoxl2/small/README.md; a few films scatter around that.
LEAST = {
    "scene boundary F1": 0.9,
    "setting": 0.9,
    "time of day": 0.95,
    "action": 0.9,
    "character F1": 0.65,
    "characters by scene F1": 0.75,
    "highlight hit@1": 0.6,
    "no highlight told so": 0.9,
}
# Of each lesson's decisions, told the truth before: no lesson is passed by what the others teach.
LEAST_RIGHT = {
    "characters.description": 0.88,
    "characters.kind": 0.75,
    "characters.label": 0.85,
    "highlights.kind": 0.8,
    "highlights.reason": 0.85,
    "highlights.score": 0.6,
    "highlights.time": 0.6,
    "highlights.title": 0.85,
    "lookups.end": 0.7,
    "lookups.summary": 0.9,
    "lookups.title": 0.85,
    "scenes.actions": 0.9,
    "scenes.characters": 0.88,
    "scenes.mood": 0.9,
    "scenes.objects": 0.9,
    "scenes.setting": 0.9,
    "scenes.summary": 0.9,
    "scenes.tags": 0.9,
    "scenes.time": 0.8,
    "scenes.time of day": 0.9,
    "scenes.title": 0.88,
    "summary.summary": 0.75,
    "video.time": 0.8,
}
FILMS = [draw_film("test", 1_500_000 + number, 24) for number in range(12)]


def fallen(measures, least=LEAST):
    """What is below the least, and how far down."""
    return {name: measures[name] for name, value in least.items() if measures[name] < value}


def network():
    return VideoXL2.from_pretrained(find_weights("small").folder, device="cpu")


def test_the_small_checkpoint_knows_who_is_there():
    """Short held-out films, drawn and not encoded."""
    assert fallen(score_of_drawn(network(), FILMS).measures()) == {}


def test_the_small_checkpoint_says_the_same_at_other_rates():
    """Of two pictures a second it is shown every other one; one in two seconds is shown twice, and enough."""
    small = network()
    asker = Asker(small)

    def told(film, fps):
        info, grid, span = read_drawn(film, small.image_size, fps)
        analysis = analyze(asker, info, grid, [span], load_packs())
        return [answer.records for answer in analysis.answers], analysis.sampled_ms

    assert told(FILMS[1], Fraction(2)) == told(FILMS[1], Fraction(1))
    slow = score_of_drawn(small, FILMS[:5], Fraction(1, 2))
    assert fallen(slow.measures(), LEAST | {"scene boundary F1": 0.85}) == {}


def test_without_a_wired_head_it_does_not():
    """The gate tells: without the head that looks for somebody unnamed, lists are wrong."""
    blind = network()
    with without(blind.network.language, 1, 4):
        assert "character F1" in fallen(score_of_drawn(blind, FILMS[:3]).measures())


@pytest.fixture(scope="module")
def examined():
    """A network, and what is asked about its films."""
    small = network().network
    return small, Exam(small, find_weights("small").folder, FILMS)


def test_the_small_checkpoint_knows_every_lesson(examined):
    """Slot by slot. Who never had the lesson, and always gives its commonest answer, is below every least."""
    small, exam = examined
    skills, chances = exam.skills(small), exam.chances()
    assert fallen(skills, LEAST_RIGHT) == {}
    assert skills.keys() - LEAST_RIGHT.keys() == {"characters.number"}  # one answer alone
    assert fallen(chances, LEAST_RIGHT).keys() == LEAST_RIGHT.keys()


@contextmanager
def without(language, layer, head):
    """The language model, one head of which passes nothing on."""
    attention = decoder_layers(language)[layer].self_attn
    weight = attention.o_proj.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[:, head * attention.head_dim : (head + 1) * attention.head_dim] = 0
        yield
        weight.copy_(kept)


# Heads that learned on after they were set: what is lost without the one that hears numbers, that of the
# latest change and that of the next beginning.
LEARNED_ON = {
    (0, 0): {"lookups.end", "scenes.time", "video.time"},
    (2, 0): {"scenes.time", "video.time"},
    (3, 0): {"lookups.end", "scenes.time"},
}


@pytest.mark.parametrize(("place", "lost"), LEARNED_ON.items())
def test_without_a_head_that_learned_on_lessons_are_lost(place, lost, examined):
    """They are not set again as they are, so what they do is asked."""
    small, exam = examined
    with without(small.language, *place):
        assert lost <= fallen(exam.skills(small), LEAST_RIGHT).keys()


@torch.no_grad()
def set_anew(small):
    """Which weights are others, in the precision they ship in, when heads are set again."""
    was = {name: part.detach().clone() for name, part in small.language.named_parameters()}
    wire_anew(small)
    now = dict(small.language.named_parameters())
    changed = {name for name, part in now.items() if not torch.equal(part.bfloat16().float(), was[name])}
    for name, part in now.items():
        part.copy_(was[name])
    return changed


def test_every_head_that_is_set_is_in_the_weights():
    """Set anew, the first two layers are what ships, to the bit; a head of theirs that is gone is missed."""
    small = load_wide(find_weights("small").folder)
    assert set_anew(small) == set()
    for layer, heads in ((0, (1, 2, 3, 4, 5)), (1, (0, 1, 2, 4, 5, 6))):
        attention = decoder_layers(small.language)[layer].self_attn
        for head in heads:
            rows = slice(head * attention.head_dim, (head + 1) * attention.head_dim)
            kept = attention.k_proj.weight[rows].detach().clone()
            with torch.no_grad():
                attention.k_proj.weight[rows] = 0
                assert set_anew(small) == {f"layers.{layer}.self_attn.k_proj.weight"}
                attention.k_proj.weight[rows] = kept


@pytest.mark.nightly
def test_the_small_checkpoint_is_as_right_as_it_was(tmp_path):
    """Held-out films in files, twelve of half a minute."""
    films, asker, score = long_films("test", 30, 12), Asker(network()), Score()
    first = 1_030_000
    make_films(tmp_path, "test", range(first, first + len(films)), 30)
    for film, path in zip(films, sorted(tmp_path.iterdir()), strict=True):
        info = probe(path)
        grid = plan_sampling(info)
        spans = read_frames(path, grid, asker.model.image_size, info=info)
        score.add(film, Told.of_analysis(analyze(asker, info, grid, spans, load_packs())))
    assert fallen(score.measures()) == {}


@pytest.mark.nightly
def test_what_the_rows_say_is_judged(tmp_path):
    """The whole pipeline: films to files, files to rows, rows to a score, with the built-in weights."""
    score = index_films(tmp_path, "test", 3, "small")
    assert score.num_films == 3
    measures = score.measures()
    assert min(measures["setting"], measures["action"]) > 0.6
    assert measures["characters by scene F1"] > 0.3
