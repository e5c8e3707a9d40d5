"""The file that tells Prometheus what the latest run came to."""

import re

import pytest

from jobs.driver.telling.last_run import LAST_RUN, told_at_the_end
from schemas.failures import LeaseHeldError, MediaIndexError, PreflightError
from schemas.tables import Run

SAMPLE = re.compile(r'media_index_(\w+)\{kind="run"(?:,outcome="(\w+)")?\} (\S+)')


def samples(file) -> dict[tuple[str, str], float]:
    """The file's values; every line but comments is a sample."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = [SAMPLE.fullmatch(line) for line in lines]
    return {(one[1], one[2] or ""): float(one[3]) for one in found}


def end_with(error: BaseException) -> None:
    raise error


@pytest.fixture
def file(tmp_path):
    return tmp_path / "media_index.prom"


def test_a_run_that_ended_is_told_with_what_it_left(file, make_row):
    """Every documented metric; nothing else lies in the folder, which a collector reads."""
    with told_at_the_end(file, "run") as told:
        told.run = make_row(Run, exit_code=3, num_indexed=5, num_quarantined=2, num_unfinished=1)
    found = samples(file)
    assert {name for name, _ in found} == set(LAST_RUN)
    assert found["last_run_exit_code", ""] == 3
    videos = {outcome: count for (name, outcome), count in found.items() if name == "last_run_videos"}
    assert videos == {"indexed": 5, "partial": 0, "set_aside": 2, "left": 1}
    ended, success = (found[f"last_{what}_timestamp_seconds", ""] for what in ("run_end", "success"))
    assert ended == success > 1.7e9
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LeaseHeldError("held", "Wait."), 5),
        (PreflightError("gone", "Look."), 8),
        (KeyError("bug"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_ends_with_an_error_keeps_the_time_of_the_last_success(file, make_row, error, code):
    """And says nothing of videos."""
    with told_at_the_end(file, "run") as told:
        told.run = make_row(Run, exit_code=0)
    before = samples(file)
    with pytest.raises(type(error)), told_at_the_end(file, "run"):
        end_with(error)
    found = samples(file)
    assert found["last_run_exit_code", ""] == code
    assert found["last_success_timestamp_seconds", ""] == before["last_success_timestamp_seconds", ""]
    assert not any(name == "last_run_videos" for name, _ in found)


def test_without_a_success_there_is_no_time_of_one(file, make_row):
    """Nor from a file that is none of ours."""
    file.write_bytes(b"\xff\xfe")
    with told_at_the_end(file, "run") as told:
        told.run = make_row(Run, exit_code=6)
    assert ("last_success_timestamp_seconds", "") not in samples(file)


def test_a_folder_that_is_not_there_is_said_before_anything_is_spent(tmp_path):
    """What goes wrong at the end is said, too, and is no success."""
    nowhere, folder = tmp_path / "no" / "media_index.prom", tmp_path / "folder"
    with pytest.raises(PreflightError, match="metrics file"), told_at_the_end(nowhere, "run"):
        end_with(AssertionError("the run began"))
    folder.mkdir()
    with pytest.raises(MediaIndexError, match="the run is recorded"), told_at_the_end(folder, "run"):
        pass
    with told_at_the_end(None, "run"):
        pass
