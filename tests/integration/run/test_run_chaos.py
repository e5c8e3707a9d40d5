"""The short form of bench/chaos.py: kills at random while somebody reads."""

import subprocess
import sys

import pytest
from places import ROOT

CHAOS = ROOT / "bench" / "chaos.py"


@pytest.mark.nightly
def test_random_kills_lose_double_and_halve_nothing(tmp_path):
    """Driver, actors, readers and the store, struck by lot: every video is there once, and whole."""
    command = [sys.executable, CHAOS, "--videos", "24", "--kills", "8", "--seed", "7"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rows lost 0, doubled 0, half-visible 0" in done.stdout
