"""Training: the whole recipe, stopped in each stage and repeated, ends where it would have ended."""

import re

import pytest
import torch
import training
from planning import plan
from recipe import Recipe, School, train_whole

STEPS = 4
RECIPE = Recipe().shortened(STEPS, films=4, size=8)


def trained(folder):
    """From nothing to a checkpoint: its weights, in float32 and as they are written."""
    folder.mkdir(exist_ok=True)
    train_whole(School(folder, training.Log(folder), RECIPE))
    state = torch.load(folder / "going on.pt")["language"]
    return state, (folder / "checkpoint" / "model.safetensors").read_bytes()


@pytest.mark.nightly
def test_what_was_stopped_goes_on_and_ends_in_the_same_weights(tmp_path, monkeypatch):
    """Stopped in each stage's third step, going on from the second: the same, bit for bit."""
    monkeypatch.setattr(training, "SAVE_EVERY", 2)
    whole, written = trained(tmp_path / "whole")
    descend = training.Training.descend
    stops = {stage.name for stage in RECIPE.stages}
    assert len(stops) == 10

    def stop_once(self, loss):
        if self.step == 2 and self.stage.name in stops:
            stops.remove(self.stage.name)
            raise KeyboardInterrupt
        descend(self, loss)

    monkeypatch.setattr(training.Training, "descend", stop_once)
    for _ in range(len(stops)):
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "stopped")
    resumed, rewritten = trained(tmp_path / "stopped")
    assert not stops
    assert all(torch.equal(resumed[name], weights) for name, weights in whole.items())
    assert rewritten == written


@pytest.mark.nightly
def test_a_plan_says_what_every_stage_costs():
    """Each with its own length, by what a few of its steps took."""
    lines = plan(RECIPE).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:-2]]
    assert [row[:2] for row in cells[1:]] == [[stage.name, str(stage.steps)] for stage in RECIPE.stages]
    assert all(float(row[2]) > 0 for row in cells[1:])
    assert re.fullmatch(r"\d+ minutes on two cores, \d+ on one\.", lines[-1])
