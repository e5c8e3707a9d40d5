"""Wiring of figures: before anything is learned, heads find who is not named, what is worn, what is best."""

import random
from dataclasses import replace

import pytest
import torch
from answers_stage import Code, run_batch
from attributes import film_labels
from figure_columns import COLOUR, FIRST_COLUMN, ITS, NOTHING, SEEN, SHOWN, SIZE, WIDTH, WORN, figure_code
from growing import take_over
from lessons import Lessons, imagine
from narration import Seen, highlight_answers
from recipe import small_network
from storyboard import draw_film
from torch.nn import functional
from wiring import OWN, decoder_layers, number_features
from words import ACCESSORIES, COLOURS, SHAPES

from jobs.prompts.pack import load_packs
from videoxl2.constrained.masks import TokenTable
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.network import Network
from videoxl2.random_checkpoint import random_network


@pytest.fixture(scope="module")
def fresh():
    """Network and perfect eyes, as training begins, and what makes lessons."""
    torch.manual_seed(0)
    network, tokenizer = small_network()
    table = TokenTable(tokenizer, network.config.language.vocab_size, network.config.eos_ids[0], "cpu")
    return network, tokenizer, Code(network.config), table


def columns_behind(fresh, monkeypatch, film, prompt, layer):
    """A default prompt's lesson about a film, and what each of its tokens has before that layer `[T, D]`."""
    network, tokenizer, code, table = fresh
    [asked] = [one for one in load_packs() if one.name == prompt]
    taught = Lessons(Vocabulary(tokenizer), table, [asked]).of(film, random.Random(1))
    [lesson] = taught.lessons
    seen = []
    watched = decoder_layers(network.language)[layer]
    project = watched.project

    def keep(x_TD, *angles):
        seen.append(x_TD.detach())
        return project(x_TD, *angles)

    with monkeypatch.context() as patch:
        patch.setattr(watched, "project", keep)
        run_batch(network, code, [taught], PrefillOptions())
    words = [tokenizer.decode([i]) for i in lesson.ids]
    return words, seen[0][-len(lesson.ids) :]


def films(count, fits=lambda film: True):
    found = (imagine("train", number) for number in range(500))
    return [one for one in found if fits(one.film)][:count]


def test_a_list_of_figures_goes_on_until_everybody_is_named(fresh, monkeypatch):
    """At the end of each record but the last, somebody unnamed is found, with a colour; then nobody."""
    for film in films(6, lambda film: len(film.cast) > 1):
        words, found = columns_behind(fresh, monkeypatch, film, "characters", 2)
        ends = [n for n, word in enumerate(words) if word == "." and n > words.index("Label:")]
        labels = [words[n + 1].strip() for n, word in enumerate(words) if word == "Label:"]
        assert len(ends) == len(labels) == len(film.film.cast)
        for number, end in enumerate(ends):
            is_last = number == len(ends) - 1
            assert (found[end, NOTHING.start] > 0.5) == is_last
            if not is_last:
                best = int(found[end, COLOUR].argmax())
                shape, colour = divmod(best, len(COLOURS))
                assert f"{COLOURS[colour]} {list(SHAPES)[shape]}" in labels[number + 1 :]


def test_what_a_figure_wears_is_found_by_its_label(fresh, monkeypatch):
    """Behind the label in a description."""
    for film in films(6, lambda film: len({who.accessory for who in film.cast}) > 1):
        words, found = columns_behind(fresh, monkeypatch, film, "characters", 1)
        for n, word in enumerate(words):
            if word == " A":
                [who] = [one for one in film.film.cast if one.label == words[n + 1].strip()]
                assert ACCESSORIES[int(found[n + 1, ITS].argmax())] == who.accessory


def test_the_best_moment_is_found_however_late_it_is(fresh, monkeypatch):
    """Where the answer begins: the time of a group that shows an event of the best kind."""
    told = films(6, lambda film: any(s.event for s in film.scenes) and film.duration_s > 40)
    told += films(2, lambda film: any(s.event for s in film.scenes) and film.duration_s > 300)
    for film in told:
        words, found = columns_behind(fresh, monkeypatch, film, "highlights", 2)
        opens = max(n for n, word in enumerate(words) if word == "assistant\n")
        start_s = int((number_features(1000) @ found[opens, OWN]).argmax())
        moments = highlight_answers(Seen(film.film, film.times_ms, 0, round(film.film.duration_s * 1000)))
        best = [moment for moment in moments if moment.score == moments[0].score]
        assert any(-4000 < 1000 * start_s - moment.start_ms <= 4000 for moment in best)


def test_the_code_of_figures_says_what_is_shown():
    """Of each shape shown at an end of a group its colour and what it wears, half if at one end alone."""
    film = draw_film("train", 3, 40)
    times = range(0, 40_000, 1000)
    code = torch.zeros(10, FIRST_COLUMN), figure_code(film_labels(film, times)) / SIZE
    told = torch.cat(code, dim=1)
    assert SEEN.stop <= told.shape[1]
    for shape, name in enumerate(SHAPES):
        [*who] = [one for one in film.cast if one.shape == name]
        shown = told[:, SHOWN.start + shape]
        assert bool(shown.max() > 0) == bool(who)
        for one in who:
            colour = COLOUR.start + len(COLOURS) * shape + COLOURS.index(one.colour)
            worn = WORN.start + len(ACCESSORIES) * shape + ACCESSORIES.index(one.accessory)
            assert torch.equal(told[:, colour], shown)
            assert torch.equal(told[:, worn], shown)


def test_a_wider_layer_does_what_the_narrow_one_did():
    """Taken over, a layer gives the same first columns, and nothing in the others."""
    wide, tokenizer = small_network()
    language = wide.config.language
    narrower = replace(language, hidden_size=FIRST_COLUMN, intermediate_size=480, num_heads=4, num_kv_heads=4)
    narrow = random_network(replace(wide.config, language=narrower), 1)
    assert isinstance(narrow, Network)
    take_over(wide, narrow, tokenizer)
    x_TD, mixed_HTE = torch.randn(5, FIRST_COLUMN), torch.randn(4, 5, language.head_dim)
    padded_TD = functional.pad(x_TD, (0, WIDTH - FIRST_COLUMN))
    padded_HTE = functional.pad(mixed_HTE, (0, 0, 0, 0, 0, language.num_heads - 4))
    was, now = decoder_layers(narrow.language)[3], decoder_layers(wide.language)[3]
    torch.testing.assert_close(now(padded_TD, padded_HTE)[:, :FIRST_COLUMN], was(x_TD, mixed_HTE))
    assert now(padded_TD, padded_HTE)[:, FIRST_COLUMN:].count_nonzero() == 0
    for name in ("q_proj", "k_proj", "v_proj"):
        told = getattr(now.self_attn, name)(now.input_layernorm(padded_TD))
        torch.testing.assert_close(
            told[:, : 4 * language.head_dim], getattr(was.self_attn, name)(was.input_layernorm(x_TD))
        )
