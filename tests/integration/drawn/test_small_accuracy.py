"""The built-in checkpoint understands drawn films: files through reader, model and answers to a score."""

import pytest
import torch
from ablations import Variant, long_films, score_of, score_of_drawn
from evaluate import index_films
from storyboard import draw_film
from wiring import decoder_layers

from jobs.weights import find_weights
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
FILMS = [draw_film("test", 1_500_000 + number, 24) for number in range(12)]


def fallen(measures):
    """What is below the least, and how far down."""
    return {name: measures[name] for name, least in LEAST.items() if measures[name] < least}


def network():
    return VideoXL2.from_pretrained(find_weights("small").folder, device="cpu")


def test_the_small_checkpoint_knows_who_is_there():
    """Short held-out films, drawn and not encoded."""
    assert fallen(score_of_drawn(network(), FILMS).measures()) == {}


@torch.no_grad()
def test_without_a_wired_head_it_does_not():
    """The gate tells: without the head that looks for somebody unnamed, lists are wrong."""
    blind = network()
    attention = decoder_layers(blind.network.language)[1].self_attn
    attention.o_proj.weight[:, 4 * attention.head_dim : 5 * attention.head_dim] = 0
    assert "character F1" in fallen(score_of_drawn(blind, FILMS[:3]).measures())


@pytest.mark.nightly
def test_the_small_checkpoint_is_as_right_as_it_was(tmp_path):
    """Held-out films in files, twelve of half a minute."""
    score = score_of(Variant("default"), long_films(tmp_path, "test", 30, 12), "small")
    assert fallen(score.measures()) == {}


@pytest.mark.nightly
def test_what_the_rows_say_is_judged(tmp_path):
    """The whole pipeline: films to files, files to rows, rows to a score, with the built-in weights."""
    score = index_films(tmp_path, "test", 3, "small")
    assert score.num_films == 3
    measures = score.measures()
    assert min(measures["setting"], measures["action"]) > 0.6
    assert measures["characters by scene F1"] > 0.3
