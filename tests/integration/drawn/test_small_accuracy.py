"""The built-in checkpoint understands drawn films: files through frame reader, model and answers to a score."""

import pytest
from ablations import Variant, long_films, score_of

# What it reaches on 200 films is in videoxl2/small/README.md; a few films scatter around that.
LEAST = {
    "scene boundary F1": 0.85,
    "setting": 0.85,
    "time of day": 0.85,
    "action": 0.8,
    "character F1": 0.8,
    "characters by scene F1": 0.8,
}


@pytest.mark.slow
def test_the_small_checkpoint_is_as_right_as_it_was(tmp_path):
    """Held-out films, twelve of half a minute: no measure falls below what the checkpoint is known for."""
    score = score_of(Variant("default"), long_films(tmp_path, "test", 30, 12), "small")
    measures = score.measures()
    assert {name: measures[name] for name, least in LEAST.items() if measures[name] < least} == {}
