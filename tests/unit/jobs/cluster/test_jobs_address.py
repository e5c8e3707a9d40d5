"""Which cluster a run joins: chosen as Ray's own tools choose, and refused in seconds with the reason."""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import ray
from ray_nodes import is_open, wait_for

from jobs.cluster.address import check_admitted, chosen_address
from schemas.failures import PreflightError, UsageError


@pytest.mark.parametrize(
    ("said", "environment", "chosen"),
    [
        (None, {}, "local"),
        (None, {"RAY_ADDRESS": ""}, "local"),
        (None, {"RAY_ADDRESS": "head:6379"}, "head:6379"),
        ("other:6380", {"RAY_ADDRESS": "head:6379"}, "other:6380"),
        ("local", {"RAY_ADDRESS": "head:6379"}, "local"),
        ("auto", {}, "auto"),
        ("[::1]:6379", {}, "[::1]:6379"),
    ],
)
def test_the_flag_comes_before_the_environment_and_both_before_this_machine(said, environment, chosen):
    """`--ray-address local` is the way out of a cluster that the environment names."""
    assert chosen_address(said, environment) == chosen


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("ray://head:10001", "Ray Client"),
        ("http://head:8265", "dashboard"),
        ("head", "no address"),
        ("head:six", "no address"),
        ("::1", "no address"),
        (":6379", "no address"),
    ],
)
@pytest.mark.parametrize("by_flag", [True, False])
def test_an_address_of_another_kind_is_refused_with_the_reason(named, reason, by_flag):
    """Wherever it was said; the hint says what would do."""
    with pytest.raises(UsageError, match=reason) as refused:
        chosen_address(named if by_flag else None, {} if by_flag else {"RAY_ADDRESS": named})
    assert named in refused.value.message
    assert "HOST:PORT" in refused.value.hint


def test_where_nobody_listens_is_no_cluster():
    """The port is named, and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(PreflightError, match=f"no Ray cluster at 127.0.0.1:{port}: .*refused") as refused:
        check_admitted(f"127.0.0.1:{port}")
    assert "--ray-address local" in refused.value.hint


ASK = """
import os, sys
import jobs.cluster.address as address
from schemas.failures import PreflightError
address.ASK_S = 0.3
try:
    address.check_admitted(sys.argv[1])
except PreflightError as error:
    print(error.message, error.hint, sep="\\n", flush=True)
os._exit(0)
"""


def ask(**environment: str) -> str:
    """What is said of a port that takes connections and never answers; in a process of its own, as Ray's
    client goes on trying, and reads its settings once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", ASK, f"127.0.0.1:{server.getsockname()[1]}"]
        return subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=100
        ).stdout


def test_what_listens_and_is_no_control_store_is_told_from_one():
    """Ray's client would wait for 40 seconds for the answer of a web server."""
    said = ask(RAY_AUTH_MODE="disabled")
    assert "does not answer as a control store of Ray (GCS)" in said
    assert "6379" in said


def test_a_missing_token_is_named_before_ray_is_asked(tmp_path):
    """Its client of the control store would end the process."""
    said = ask(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(tmp_path / "none"))
    assert "does not let us in: RAY_AUTH_TOKEN_PATH is set but" in said
    assert "Put its token in RAY_AUTH_TOKEN" in said


STORE = Path(ray.__file__).parent / "core/src/ray/gcs/gcs_server"


@contextmanager
def control_store(folder: Path, **environment: str) -> Iterator[str]:
    """Ray's control store alone, which takes a second; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said: dict[str, object] = {
        "gcs_server_port": port,
        "node_ip_address": "127.0.0.1",
        "session_name": "session",
        "session_dir": folder,
        "log_dir": folder,
        "node_id": "1" * 56,
        "config_list": base64.b64encode(b"{}").decode(),
    }
    command = [str(STORE), *(f"--{name}={value}" for name, value in said.items())]
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_open(port), "the control store")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("cluster", "here", "said"),
    [
        ("disabled", "token", "uses no tokens, and RAY_AUTH_MODE=token is set here"),
        ("token", "disabled", "wants a token, and RAY_AUTH_MODE is not set here"),
        ("token", "token", ""),
    ],
)
def test_tokens_on_one_side_alone_are_named(tmp_path, cluster, here, said):
    """A run would wait for answers that are refused, or be refused itself after long; both may have them."""
    token = {"RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    with control_store(tmp_path, RAY_AUTH_MODE=cluster, **token) as address:
        command = [sys.executable, "-c", ASK.replace("ASK_S = 0.3", "ASK_S = 30.0"), address]
        environment = os.environ | token | {"RAY_AUTH_MODE": here}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith(f"the Ray cluster at {address} {said}" if said else ""), done
    assert bool(done.stdout) == bool(said)
