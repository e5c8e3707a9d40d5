"""The built-in checkpoint understands drawn films: files through reader, model and answers to a score."""

import pytest
from ablations import Variant, long_films, score_of
from evaluate import index_films

# What it reaches on 200 films is in videoxl2/small/README.md; a few films scatter around that.
LEAST = {
    "scene boundary F1": 0.95,
    "setting": 0.95,
    "time of day": 0.95,
    "action": 0.9,
    "character F1": 0.3,
    "characters by scene F1": 0.75,
    "highlight hit@1": 0.95,
    "no highlight told so": 0.9,
}


@pytest.mark.nightly
def test_the_small_checkpoint_is_as_right_as_it_was(tmp_path):
    """Held-out films, twelve of half a minute: no measure falls below what the checkpoint is known for."""
    score = score_of(Variant("default"), long_films(tmp_path, "test", 30, 12), "small")
    measures = score.measures()
    assert {name: measures[name] for name, least in LEAST.items() if measures[name] < least} == {}


@pytest.mark.nightly
def test_what_the_rows_say_is_judged(tmp_path):
    """The whole pipeline: films to files, files to rows, rows to a score, with the built-in weights."""
    score = index_films(tmp_path, "test", 3, "small")
    assert score.num_films == 3
    measures = score.measures()
    assert min(measures["setting"], measures["action"]) > 0.6
    assert measures["characters by scene F1"] > 0.3
