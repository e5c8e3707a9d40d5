"""Training: stopped and repeated it ends where it would have ended."""

import pytest
import torch
import train
import training
from lessons import Lessons
from vision_stage import AttributeHeads

from jobs.prompts.pack import load_packs
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.language.tokens import Vocabulary

STEPS = 4


@pytest.fixture
def short_stages(monkeypatch):
    """Four steps each, saved after every second."""
    monkeypatch.setattr(training, "SAVE_EVERY", 2)
    for name, size in {"PICTURES": 2, "LOOKUPS": 100, "LANGUAGE": 100, "SUMMARIES": 100}.items():
        stage = training.Stage(name.lower(), steps=STEPS, size=size, rate=1e-3)
        monkeypatch.setattr(train, name, stage)
    monkeypatch.setattr(train, "NUM_IMAGINED", 6)
    monkeypatch.setattr(train, "NUM_HELD_OUT", 1)


def trained(folder):
    """The first stage of the eyes, and the language model's three."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    network, tokenizer = train.small_network()
    table = TokenTable(tokenizer, network.config.language.vocab_size, network.config.eos_ids[0], "cpu")
    lessons = Lessons(Vocabulary(tokenizer), table, load_packs())
    log = training.Log(folder)
    train.train_tower(network, AttributeHeads(network.config), folder, log)
    train.train_language(network, lessons, folder, log)
    return network.state_dict()


@pytest.mark.nightly
def test_what_was_stopped_goes_on_and_ends_in_the_same_weights(short_stages, tmp_path, monkeypatch):
    """Stopped in each stage's third step, going on from the second: the same, bit for bit."""
    whole = trained(tmp_path / "whole")
    descend = training.Training.descend
    stops = {"pictures", "lookups", "language", "summaries"}

    def stop_once(self, loss):
        if self.step == 2 and self.stage.name in stops:
            stops.remove(self.stage.name)
            raise KeyboardInterrupt
        descend(self, loss)

    monkeypatch.setattr(training.Training, "descend", stop_once)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "stopped")
    resumed = trained(tmp_path / "stopped")
    assert not stops
    assert all(torch.equal(resumed[name], weights) for name, weights in whole.items())
