"""Which checkpoint a run has, and that the built-in one is told wherever it lies."""

import json
import shutil
from pathlib import Path

import videoxl2
from jobs.weights import BUILT_IN, find_weights, note_on
from videoxl2.network.configs import hub
from videoxl2.network.configs.hub import HubCheckpoint

SMALL = Path(videoxl2.__file__).parent / "small"


def test_the_built_in_checkpoint_is_known_by_its_content(tmp_path):
    """A path to it, or to a copy, does not make it a model of films."""
    copy = tmp_path / "our-model"
    shutil.copytree(SMALL, copy)
    for path in (SMALL, copy):
        weights = find_weights(str(path))
        assert (weights.model_id, weights.folder) == (BUILT_IN, path)
        assert weights.revision == find_weights(BUILT_IN).revision
        assert note_on(weights.model_id)


def test_a_node_has_the_commit_that_was_planned(tmp_path, monkeypatch):
    """Also where the hub has moved on between two questions, or the cache's branch is at another commit."""
    planned = HubCheckpoint("nobody/parrot", "a" * 40, ())
    asked = []

    def download(hub_id, revision):
        asked.append(revision)
        return tmp_path / (revision or "b" * 40)

    monkeypatch.setattr(hub, "look_up", lambda hub_id: planned)
    monkeypatch.setattr(hub, "download", download)
    assert hub.fetch_whole(planned).name == planned.revision
    assert asked == [None, planned.revision]


def test_another_checkpoint_keeps_its_name(tmp_path):
    """Whatever it has in common with the built-in one."""
    other = tmp_path / "other"
    shutil.copytree(SMALL, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"trained": "again"}))
    weights = find_weights(str(other))
    assert weights.model_id == str(other)
    assert note_on(weights.model_id) is None
