"""Which checkpoint a run has, and that the built-in one is told wherever it lies."""

import json
import shutil
from pathlib import Path

import videoxl2
from jobs.weights import BUILT_IN, find_weights, note_on

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


def test_another_checkpoint_keeps_its_name(tmp_path):
    """Whatever it has in common with the built-in one."""
    other = tmp_path / "other"
    shutil.copytree(SMALL, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"trained": "again"}))
    weights = find_weights(str(other))
    assert weights.model_id == str(other)
    assert note_on(weights.model_id) is None
