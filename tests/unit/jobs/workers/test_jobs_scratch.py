"""Node-local copies: fetched once, read together, removed only when idle."""

import random
import shutil
import threading
import time
from pathlib import Path

import pytest

from jobs.workers.reading.scratch import drop_copy, hold_copy
from schemas.identity import VideoObject


class Bucket:
    """A library that counts what is fetched."""

    def __init__(self):
        self.fetched = []

    def fetch(self, video: VideoObject, folder: Path) -> Path:
        self.fetched.append(video.uri)
        path = folder / "object"
        path.write_bytes(bytes(video.size_bytes))
        return path


@pytest.fixture
def bucket():
    return Bucket()


def video(name: str, size_bytes: int = 1000) -> VideoObject:
    return VideoObject(f"s3://b/{name}", size_bytes, 0, etag="e")


def test_readers_share_one_copy_at_the_same_time(bucket, tmp_path):
    """Four readers are inside together; the object is fetched once."""
    together = threading.Barrier(4, timeout=20)

    def read():
        with hold_copy(bucket, video("a"), tmp_path) as path:
            assert path.stat().st_size == 1000
            together.wait()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert not together.broken
    assert bucket.fetched == ["s3://b/a"]


def test_room_is_made_of_what_nobody_reads(bucket, tmp_path, monkeypatch):
    """The longest unused copy goes, the one being read stays."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 3000}))
    with hold_copy(bucket, video("read", 1200), tmp_path) as held:
        with hold_copy(bucket, video("idle", 1200), tmp_path):
            pass
        with hold_copy(bucket, video("new", 1200), tmp_path):
            assert held.exists()
    with hold_copy(bucket, video("read", 1200), tmp_path):
        pass
    assert bucket.fetched == ["s3://b/read", "s3://b/idle", "s3://b/new"]
    with hold_copy(bucket, video("idle", 1200), tmp_path):
        pass
    assert bucket.fetched[-1] == "s3://b/idle"


def test_a_copy_is_dropped_unless_it_is_read(bucket, tmp_path):
    """Done with a video means gone from the disk, but never under a reader."""
    with hold_copy(bucket, video("a"), tmp_path) as path:
        drop_copy(video("a"), tmp_path)
        assert path.exists()
    drop_copy(video("a"), tmp_path)
    assert not path.exists()
    drop_copy(video("never seen"), tmp_path)


def test_locks_go_with_their_copies(bucket, tmp_path, monkeypatch):
    """A folder through which a night's videos went is as quick to look through as a new one."""
    for number in range(20):
        with hold_copy(bucket, video(str(number)), tmp_path):
            pass
        drop_copy(video(str(number)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    (tmp_path / "0123456789abcdef.lock").touch()  # its reader was killed before anything came
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 0}))
    with hold_copy(bucket, video("a"), tmp_path), hold_copy(bucket, video("b"), tmp_path):
        assert len(list(tmp_path.glob("*.lock"))) == 2
    with hold_copy(bucket, video("c"), tmp_path):
        assert len(list(tmp_path.glob("*.lock"))) == 1


def test_copies_that_come_and_go_are_whole_while_they_are_read(bucket, tmp_path):
    """Readers and removers at once: no reader loses its copy, none is left waiting, nothing stays."""
    lost = []

    def come_and_go(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(150):
            one = video(chance.choice("abc"))
            with hold_copy(bucket, one, tmp_path) as path:
                time.sleep(chance.uniform(0, 0.002))
                lost.extend([one] if not path.exists() or path.stat().st_size != 1000 else [])
            drop_copy(one, tmp_path)

    threads = [threading.Thread(target=come_and_go, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert not any(thread.is_alive() for thread in threads)
    assert lost == []
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_fetch_that_fails_leaves_nothing(bucket, tmp_path, monkeypatch):
    """No half copy is taken for a whole one, and the next try starts afresh."""

    def fail(video, folder):
        (folder / "object").write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bucket, "fetch", fail)
        with pytest.raises(OSError, match="disk full"), hold_copy(bucket, video("a"), tmp_path):
            pass
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    with hold_copy(bucket, video("a"), tmp_path) as path:
        assert path.stat().st_size == 1000


def test_a_local_video_is_read_in_place(bucket, tmp_path):
    """No copy, no lock."""
    local = VideoObject(str(tmp_path / "a.mp4"), 10, 5)
    with hold_copy(bucket, local, tmp_path):
        pass
    assert bucket.fetched == [local.uri]
    assert not list(tmp_path.glob("*.lock"))
