"""`ray symmetric-run`, which starts Ray, runs a command and at the end stops every Ray that it can see.

So it is run where it sees its own alone: in a PID namespace.
"""

import os
import secrets
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ray_nodes import SETTINGS, free_port

BIN = Path(sys.executable).parent
ALONE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


@pytest.fixture
def alone():
    """What a command begins with that sees no other processes."""
    try:
        tried = subprocess.run([*ALONE, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare (util-linux) to make a PID namespace with")
    if tried.returncode:
        pytest.skip(f"this user may not make a PID namespace: {tried.stderr.strip()}")
    return ALONE


@pytest.mark.nightly  # Ray is started and stopped, and two runs
def test_symmetric_run_ends_as_the_run_does(alone, tmp_path, make_video, media_index):
    """With 3 where a file was set aside, after another run that ended with 0, by `--ok 3`, in the same Ray;
    the index says 3 of both."""
    library, address = tmp_path / "library", f"127.0.0.1:{free_port()}"
    library.mkdir()
    make_video(library / "a.mp4")
    (library / "b.mp4").write_bytes(b"no film")
    run = [BIN / "media-index", "run", "--library", library, "--signal", "cues", "--ray-address", address]
    first, second = tmp_path / "first", tmp_path / "second"
    both = [[*run, "--new-index", "--index", first, "--ok", "3"], [*run, "--new-index", "--index", second]]
    script = " && ".join(shlex.join(map(str, one)) for one in both)
    counts = ["--num-cpus=2", "--num-gpus=0", "--object-store-memory=80000000", "--include-dashboard=false"]
    # Where a token lies in the home folder Ray starts with tokens and says so to nobody: here on purpose.
    tokens = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory(prefix="mi-symmetric-", dir="/tmp") as folder:
        done = subprocess.run(
            [*alone, BIN / "ray", "symmetric-run", "--address", address, *counts, "--", "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=600,
            env=os.environ | SETTINGS | tokens | path | {"RAY_TMPDIR": folder},
        )
    assert done.returncode == 3, done.stdout + done.stderr
    for index in (first, second):
        query = "select exit_code, num_indexed, num_quarantined from runs"
        rows = media_index("sql", query, "--index", index, "--json").json
        assert rows == [{"exit_code": 3, "num_indexed": 1, "num_quarantined": 1}], done.stderr
