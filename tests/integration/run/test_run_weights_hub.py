"""`--model OWNER/NAME`: what is fetched of the hub by who plans, and by who loads, from one on loopback."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from hub_server import serving_hub

HUB_ID = "nobody/parrot"
LOOK = """
import json, sys
from pathlib import Path
from jobs.weights import Copies, fetch_weights, find_weights
copies = Copies(Path(sys.argv[1]))
weights = find_weights("nobody/parrot", copies, sys.argv[2] or None)
if sys.argv[3]:
    weights = fetch_weights(weights, copies)
sizes = {path.name: path.stat().st_size for path in weights.folder.iterdir() if path.is_file()}
said = [weights.model_id, weights.revision, weights.num_bytes, str(weights.config), sizes]
print(json.dumps(said))
"""


@pytest.fixture
def hub(tmp_path, parrot):
    """With the parrot."""
    shutil.copytree(parrot, tmp_path / "repository")
    with serving_hub(HUB_ID, tmp_path / "repository") as made:
        yield made


@pytest.fixture
def look(hub, tmp_path):
    """Find the weights in a process of its own, whose machine has a cache and a scratch folder."""

    def run(machine: str = "one", revision: str = "", loads: bool = False, offline: bool = False):
        home = tmp_path / machine
        away = {"HF_HUB_OFFLINE": "1"} if offline else {}
        return subprocess.run(
            [sys.executable, "-c", LOOK, home / "scratch", revision, "yes" if loads else ""],
            env=os.environ | hub.environment(home) | away,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_a_plan_reads_the_heads_and_who_loads_fetches_the_whole_once(hub, look, parrot):
    """The same config, size and revision by both; what is whole here is found without the hub, and a commit
    that came since is another revision, which a node of the run does not take."""
    weights = (parrot / "model.safetensors").stat().st_size
    head = 8 + int.from_bytes((parrot / "model.safetensors").read_bytes()[:8], "little")
    planned = look()
    assert planned.returncode == 0, planned.stderr
    model_id, revision, num_bytes, config, sizes = json.loads(planned.stdout)
    assert (model_id, revision, num_bytes) == (HUB_ID, hub.commit, weights)
    assert sizes["model.safetensors"] < 2 * head < weights
    assert hub.sent["model.safetensors"] <= max(head, 100_001) < weights
    again = look()
    assert json.loads(again.stdout)[:4] == json.loads(planned.stdout)[:4]
    assert hub.sent["model.safetensors"] <= max(head, 100_001)

    loaded = look(loads=True)
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout)[:4] == [HUB_ID, hub.commit, weights, config]
    assert json.loads(loaded.stdout)[4]["model.safetensors"] == weights
    sent = hub.sent["model.safetensors"]
    assert sent <= weights + 100_001
    for offline in (False, True):
        there = look(loads=True, offline=offline)
        assert json.loads(there.stdout) == json.loads(loaded.stdout)
    assert hub.sent["model.safetensors"] == sent

    first, hub.commit = hub.commit, "a" * 40
    assert json.loads(look().stdout)[1] == hub.commit
    assert json.loads(look(revision=first).stdout) == json.loads(loaded.stdout)


def test_a_hub_that_does_not_deliver_is_told(look, tmp_path):
    """With what it said."""
    done = look("two", offline=True)
    assert done.returncode
    assert "nobody/parrot is a hub id and not on this machine, and the hub did not deliver it" in done.stderr
