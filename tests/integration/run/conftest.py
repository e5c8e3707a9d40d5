"""The command on real video files, with the model in tests/data/parrot."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import av
import numpy as np
import pytest
from command_line import Outcome
from places import DATA
from shared_ray import SharedRay

COMMAND = Path(sys.executable).with_name("media-index")
STARTS_RAY = ("run", "backfill")
PARROT = DATA / "parrot"


_RAY = SharedRay()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the shared Ray before tests of other folders, some of which are about a process without one."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _RAY.leave()


@pytest.fixture(scope="session")
def shared_ray(s3_endpoint: str) -> SharedRay:
    """The Ray of all runs in this process; credentials for the S3 server are where its workers find them."""
    return _RAY


@pytest.fixture(scope="module")
def no_ray(shared_ray: SharedRay) -> None:
    """For tests that start a Ray of their own in this process."""
    shared_ray.leave()


@pytest.fixture
def media_index(
    tmp_path: Path,
    media_index: Callable[..., Outcome[str]],
    monkeypatch: pytest.MonkeyPatch,
    shared_ray: SharedRay,
) -> Callable[..., Outcome[str]]:
    """`media-index …` in this process and an empty folder, so that no settings file is in the way: a run uses
    the Ray of all tests, with models on a CPU."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("jobs.driver.execution.join_cluster", shared_ray.joined)

    def run(verb: str, *arguments: object) -> Outcome[str]:
        return media_index(verb, *(_on_a_cpu(*arguments) if verb in STARTS_RAY else arguments))

    return run


@pytest.fixture
def installed(media_index: Callable[..., Outcome[str]]) -> Callable[..., Outcome[str]]:
    """The installed command in a process of its own with a Ray of its own, in the folder of `media_index`."""

    def run(*arguments: object) -> Outcome[str]:
        command: list[str | Path] = [COMMAND, *map(str, _on_a_cpu(*arguments))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def without_ray(
    media_index: Callable[..., Outcome[str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome[str]]:
    """The same in this process for a run that has nothing to do for Ray: if it has, it fails."""

    def run(*arguments: object) -> Outcome[str]:
        with monkeypatch.context() as nowhere:
            nowhere.setattr("jobs.driver.execution.join_cluster", _no_ray)
            return media_index(*arguments)

    return run


def _no_ray(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a run that was to have nothing to do starts Ray")


def _on_a_cpu(*arguments: object) -> tuple[object, ...]:
    """The command, with models on a CPU if it does not say where."""
    return arguments if "--device" in arguments else (*arguments, "--device", "cpu")


@pytest.fixture
def parrot() -> Path:
    """A small real checkpoint whose answers are known: see tests/data/make_parrot.py."""
    return PARROT


@pytest.fixture
def make_video() -> Callable[..., Path]:
    """Write a short film of a square that moves to and fro; `shade` makes films differ. At `cut_s` it is
    another room."""

    def make(
        path: Path,
        seconds: float = 3.0,
        fps: int = 10,
        codec: str = "libx264",
        shade: int = 0,
        cut_s: float = 1e9,
    ) -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=fps)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for number in range(round(seconds * fps)):
                picture = np.full((64, 96, 3), shade if number < cut_s * fps else 255 - shade, np.uint8)
                left = abs(number * 4 % 140 - 70)
                picture[20:40, left : left + 20] = (220, 60, 40)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make


@pytest.fixture
def make_sound() -> Callable[[Path], Path]:
    """Write one second of silence as AAC, in a container that could hold video."""

    def make(path: Path) -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
