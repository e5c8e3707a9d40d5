"""The doctor says before anything is spent what a run would stumble over: on a disk and on S3."""

import json
import uuid

import boto3
import pytest
from click.testing import CliRunner

from jobs.checks.check import Health
from jobs.checks.doctor import examine
from jobs.cli.main import cli
from storage.index.index import open_index

NAMES = [
    "settings",
    "library",
    "index",
    "codecs",
    "weights",
    "speech",
    "text",
    "gpu",
    "frames",
    "memory",
    "/dev/shm",
    "scratch",
]
NAMES += ["imports", "ray"]


def _examine(**values):
    given = {"model": "small"} | values
    return {check.name: check for check in examine({k: v for k, v in given.items() if v is not None})}


@pytest.fixture
def library(tmp_path) -> str:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(b"not looked into")
    return str(folder)


def test_everything_that_a_run_needs_is_looked_at(library, tmp_path):
    """And no index is made, nor anything left in its place."""
    place = tmp_path / "index"
    found = _examine(library=library, index=str(place))
    assert list(found) == NAMES
    assert {name for name, check in found.items() if check.health is Health.FAILED} == set()
    assert "film.mp4 can be read" in found["library"].detail
    assert "a new place" in found["index"].detail
    assert "h264, hevc, vp9, av1" in found["codecs"].detail
    assert all(check.hint for check in found.values() if check.health is not Health.OK)
    assert not place.exists()


def test_an_existing_index_is_looked_at_and_left_as_it_was(library, tmp_path):
    """The object that it writes to see whether that works is removed again."""
    open_index(str(tmp_path / "index"), create=True)
    before = sorted(path.name for path in (tmp_path / "index").rglob("*"))
    found = _examine(library=library, index=str(tmp_path / "index"))
    assert "snapshot 0" in found["index"].detail
    assert sorted(path.name for path in (tmp_path / "index").rglob("*")) == before


@pytest.mark.parametrize(
    ("values", "name", "said"),
    [
        ({"library": "/none"}, "library", "not found"),
        ({"index": "s3://no-such-bucket-here"}, "index", "bucket"),
        ({"model": "/no/weights"}, "weights", "not a folder"),
        ({"model": None, "signals": ("none",)}, "weights", "nothing to do"),
        ({"packs": ("no-such-pack",)}, "weights", "no-such-pack"),
        ({"fps": "often"}, "settings", "fps"),
        ({"scratch": "/proc/nowhere"}, "scratch", "scratch folder"),
        ({"ray_address": "127.0.0.1:1"}, "ray", "no Ray cluster at 127.0.0.1:1"),
        ({"ray_address": "ray://head:10001"}, "ray", "Ray Client"),
        ({"device": "cuda"}, "gpu", "no GPU on this machine, which small wants"),
    ],
)
def test_what_would_stop_a_run_fails_with_a_hint(library, tmp_path, s3_endpoint, values, name, said):
    """Each by itself: the other checks are made all the same."""
    given = {"library": library, "index": str(tmp_path / "index"), "endpoint_url": s3_endpoint} | values
    found = _examine(**given)
    assert {check.name for check in found.values() if check.health is Health.FAILED} == {name}
    assert said in found[name].detail
    assert found[name].hint
    assert name == "settings" or list(found) == NAMES


def test_a_long_temporary_folder_works_and_one_that_is_none_does_not(library, tmp_path, monkeypatch):
    """Ray's sockets have short paths only; what a run does about it is tried."""
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / ("x" * 100)))
    found = _examine(library=library)
    assert (found["ray"].health, "through a short link" in found["ray"].detail) == (Health.OK, True)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "library" / "film.mp4"))
    found = _examine(library=library)
    assert (found["ray"].health, "TMPDIR" in found["ray"].hint) == (Health.FAILED, True)


def test_a_library_of_somebody_else_on_the_path_is_seen(library, tmp_path, monkeypatch):
    """In the current folder it harms nobody; with that folder in PYTHONPATH workers would import it."""
    (tmp_path / "library" / "torch.py").touch()
    monkeypatch.chdir(library)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert _examine(library=library)["imports"].health is Health.OK
    monkeypatch.setenv("PYTHONPATH", ":/opt/x")
    found = _examine(library=library)["imports"]
    assert (found.health, "torch" in found.detail) == (Health.FAILED, True)


def test_a_place_that_holds_something_else_is_refused(library, tmp_path):
    """An index is made in an empty place only."""
    found = _examine(library=library, index=library)
    assert found["index"].health is Health.FAILED
    assert "not empty" in found["index"].detail


def test_a_hub_that_does_not_answer_is_told(library, tmp_path, monkeypatch):
    """A run would end with that."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = _examine(library=library, index=str(tmp_path / "i"), model=f"nobody/{uuid.uuid4().hex}")
    assert found["weights"].health is Health.FAILED
    assert "not on this machine" in found["weights"].detail


def test_s3_is_looked_at_with_real_requests(s3_endpoint, s3_bucket):
    """Listing, one byte of one video, a conditional write and its removal, the clock."""
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.put_object(Bucket=s3_bucket, Key="in/film ü.mp4", Body=b"film")
    found = _examine(library=f"s3://{s3_bucket}/in", index=f"s3://{s3_bucket}/out", endpoint_url=s3_endpoint)
    assert (found["library"].health, found["index"].health) == (Health.OK, Health.OK)
    listed = client.list_objects_v2(Bucket=s3_bucket)["Contents"]
    assert [each["Key"] for each in listed] == ["in/film ü.mp4"]


def test_the_exit_code_tells_a_scheduler(library, tmp_path):
    """0 where a run can start, 8 where it cannot; the same as JSON."""
    words = ["doctor", "--library", library, "--index", str(tmp_path / "index"), "--model", "small"]
    assert CliRunner().invoke(cli, words, standalone_mode=False).return_value == 0
    answer = CliRunner().invoke(cli, [*words, "--model", "/none", "--json"], standalone_mode=False)
    assert answer.return_value == 8
    report = json.loads(answer.output)
    assert report["is_ready"] is False
    assert [check["name"] for check in report["checks"]] == NAMES


def test_a_place_beside_an_index_may_be_a_wrong_name(library, tmp_path):
    """A run would not go on there, or with --new-index pay for everything again."""
    open_index(str(tmp_path / "catalog"), create=True)
    found = _examine(library=library, index=str(tmp_path / "catalgo"))["index"]
    assert (found.health, str(tmp_path / "catalog") in found.hint) == (Health.WARNING, True)
