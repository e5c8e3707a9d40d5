"""Weights under an S3 prefix: what a plan reads of them, and the copy that a machine keeps, over HTTP."""

import io
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from s3_calls import recorded

from schemas.failures import UsageError
from storage.checkpoints import copy as copies
from storage.checkpoints.copy import CheckpointCopies, _in_use
from storage.checkpoints.remote import list_checkpoint
from storage.errors import Damaged, NotFound, ObjectChanged
from videoxl2.network.configs.source import CHECKPOINT_FILES, weight_names

HEAD = json.dumps({"model.norm": {"dtype": "U8", "shape": [7 << 20], "data_offsets": [0, 7 << 20]}}).encode()
WEIGHTS = len(HEAD).to_bytes(8, "little") + HEAD + bytes(range(256)) * (7 << 12)
FILES = {"config.json": b"{}", "vision_tower/config.json": b"[]", "model.safetensors": WEIGHTS}


class Stored:
    """A checkpoint in a bucket, and a machine's copies of it."""

    def __init__(self, bucket: str, endpoint: str, folder: Path) -> None:
        self.s3 = boto3.client("s3", endpoint_url=endpoint)
        self.bucket, self.endpoint, self.folder = bucket, endpoint, folder
        for name, data in FILES.items():
            self.put(name, data)
        self.put("README.md", b"nothing that a model needs")
        self.put("../elsewhere.json", b"a name that leads out of the folder")

    def put(self, name: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=f"models/one/{name}", Body=data)

    def put_in_parts(self, name: str, data: bytes, part_bytes: int) -> None:
        sized = TransferConfig(multipart_threshold=part_bytes, multipart_chunksize=part_bytes)
        self.s3.upload_fileobj(io.BytesIO(data), self.bucket, f"models/one/{name}", Config=sized)

    def listed(self):
        return list_checkpoint(f"s3://{self.bucket}/models/one", CHECKPOINT_FILES, self.endpoint)

    @property
    def copies(self) -> CheckpointCopies:
        return CheckpointCopies(self.folder)


@pytest.fixture
def stored(s3_bucket, s3_endpoint, tmp_path) -> Stored:
    return Stored(s3_bucket, s3_endpoint, tmp_path / "weights")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_plan_reads_the_heads_of_weights_only(stored):
    """Small files whole; what has weights is cut off behind its head, so that nothing loads it."""
    listed = stored.listed()
    assert listed.weight_bytes == len(WEIGHTS)
    heads = stored.copies.heads(listed)
    assert contents(heads) == FILES | {"model.safetensors": WEIGHTS[: 8 + len(HEAD)]}
    assert weight_names(heads) == {"model.norm"}
    with recorded() as calls:
        assert stored.copies.heads(stored.listed()) == heads
    assert [call.action for call in calls] == ["s3:ListBucket"]


def test_a_copy_is_fetched_once_whoever_asks(stored):
    """At the same time, too; it has its name only when it is whole, and is told whole from then on."""
    listed = stored.listed()
    with recorded() as calls, ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: stored.copies.whole(listed), range(4)))
    (copy,) = found
    assert contents(copy) == FILES
    assert sorted(call.key for call in calls if call.action == "s3:GetObject") == sorted(
        f"models/one/{name}" for name in FILES
    )
    assert stored.copies.heads(listed) == copy


def test_who_looked_before_a_copy_was_whole_does_not_wait_for_its_users(stored, monkeypatch):
    """They use it until their processes end."""
    listed = stored.listed()
    copy = stored.copies.whole(listed)
    monkeypatch.setattr(copies, "_in_use", {})  # as in another process; the lock stays
    before, look, found = iter([False]), copies._is_whole, []
    monkeypatch.setattr(copies, "_is_whole", lambda *asked: next(before, None) is None and look(*asked))
    other = Thread(target=lambda: found.append(stored.copies.whole(listed)), daemon=True)
    other.start()
    other.join(timeout=30)
    assert found == [copy]


@pytest.mark.parametrize("part_bytes", [None, 5 << 20], ids=["one part", "parts"])
@pytest.mark.parametrize("is_damaged", [False, True], ids=["good", "damaged"])
def test_what_a_killed_process_left_is_taken_up(stored, part_bytes, is_damaged):
    """Only the rest is asked for; where what was left is not what is stored, all of it is."""
    if part_bytes:
        stored.put_in_parts("model.safetensors", WEIGHTS, part_bytes)
    listed = stored.listed()
    copy = stored.copies.heads(listed).with_name(listed.revision)
    partial = copy.with_name(f"{copy.name}.partial")
    partial.mkdir()
    left = bytearray(WEIGHTS[: 4 << 20])
    left[5000] ^= is_damaged
    (partial / "model.safetensors.part").write_bytes(left)
    (partial / "config.json").write_bytes(FILES["config.json"])
    with recorded() as calls:
        assert stored.copies.whole(listed) == copy
    assert contents(copy) == FILES
    asked = [call.key.rpartition("/")[2] for call in calls if call.action == "s3:GetObject"]
    assert asked.count("model.safetensors") == 1 + is_damaged + bool(part_bytes)  # a HEAD counts as one
    assert not partial.exists()


def test_changed_weights_are_another_revision(stored):
    """The former ones go as others are fetched, unless a process uses them; so does what was cut short."""
    stored.put("model.safetensors", WEIGHTS[:-1] + b"?")
    never_whole = stored.copies.heads(stored.listed())
    stored.put("model.safetensors", WEIGHTS)
    first = stored.listed()
    kept = stored.copies.whole(first)
    assert not never_whole.exists()
    stored.put("model.safetensors", WEIGHTS[:-1] + b"!")
    second = stored.listed()
    assert second.revision != first.revision
    changed = stored.copies.whole(second)
    assert changed != kept
    assert kept.is_dir()  # this process uses it
    (changed / "config.json").write_bytes(b"")  # as after a power cut
    assert contents(stored.copies.whole(second))["config.json"] == FILES["config.json"]
    used = _in_use.pop(kept)
    os.close(used)  # as the end of a process does
    shutil.rmtree(changed)
    assert stored.copies.whole(second) == changed
    assert not kept.exists()


def test_weights_that_change_meanwhile_are_not_mixed(stored):
    """Every byte is of the objects that were listed."""
    listed = stored.listed()
    stored.put("model.safetensors", WEIGHTS[::-1])
    with pytest.raises(ObjectChanged):
        stored.copies.whole(listed)


def test_what_is_no_checkpoint_is_said(stored):
    """A prefix with nothing, and a URL of another kind."""
    with pytest.raises(NotFound, match="has no checkpoint"):
        list_checkpoint(f"s3://{stored.bucket}/nothing", CHECKPOINT_FILES, stored.endpoint)
    with pytest.raises(UsageError):
        list_checkpoint("/models/one", CHECKPOINT_FILES)
    stored.put("model.safetensors", b"<html>no such page</html>")
    with pytest.raises(Damaged, match="no safetensors file"):
        stored.copies.heads(stored.listed())


# In a process that alone sees the small disk it mounts.
FULL_DISK = """
import subprocess, sys
from pathlib import Path
from threading import Thread
from storage.checkpoints.copy import CheckpointCopies
from storage.checkpoints.remote import list_checkpoint
from storage.errors import NoSpace

disk, url, endpoint = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
copies, listed = CheckpointCopies(Path(disk)), list_checkpoint(url, ["*.json", "*.safetensors"], endpoint)
assert copies.heads(listed).is_dir()
try:
    copies.whole(listed)
except NoSpace as error:
    print(error.message, error.hint, sep="\\n")
"""


def test_a_disk_that_is_too_small_is_said(stored, tmp_path):
    """What there is no room for, where, and how much room there is; a plan has what it needs all the same."""
    (tmp_path / "disk").mkdir()
    where = (str(tmp_path / "disk"), f"s3://{stored.bucket}/models/one", stored.endpoint)
    command = ["unshare", "-rm", sys.executable, "-c", FULL_DISK, *where]
    if subprocess.run([*command[:2], "true"], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    message, hint = done.stdout.splitlines()
    assert message.startswith(f"{where[1]}: no room for its 0.00734 GB in {where[0]}, where 0.00")
    assert hint.endswith("--scratch.")
