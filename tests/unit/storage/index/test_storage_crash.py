"""Publishers that die at any moment leave an index that is right, and that the next one goes on with."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.commit import Bundle
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog

PUBLISHER = """
import pathlib, sys
from storage.index.index import open_index
index = open_index(sys.argv[1])
print("ready", flush=True)
for file in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    pair = tuple(file.stem.split("-")[1:])
    index.commit(*pair, file.read_bytes())
    index.publish([pair])
"""
NUM_VIDEOS = 12
# Every video's rows: what its row in `videos` announces is what the other tables hold.
VIDEOS = """
SELECT uri, num_frames_sampled, (SELECT count(*) FROM scenes AS s WHERE s.video_id = v.video_id),
    (SELECT count(*) FROM characters AS c WHERE c.video_id = v.video_id)
FROM videos AS v ORDER BY uri"""


def _start(index: Path, bundles: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PUBLISHER, str(index), str(bundles)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _check(index: Path) -> int:
    with open_catalog(str(index)) as catalog:
        rows = catalog.query(VIDEOS).rows
        doubled = "SELECT analysis_key, scene_index FROM scenes_all GROUP BY ALL HAVING count(*) > 1"
        assert catalog.query(doubled).rows == []
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    for uri, announced, num_scenes, num_characters in rows:
        assert (announced, 1) == (num_scenes, num_characters), uri
    return len(rows)


@pytest.mark.parametrize("num_rounds", [1, pytest.param(6, marks=pytest.mark.nightly)])
def test_killed_publishers_leave_no_half_and_no_double_rows(
    tmp_path: Path, make_bundle: Callable[..., Bundle], num_rounds: int
) -> None:
    """Two publish at once, two revisions of each video, killed with SIGKILL while a reader looks."""
    index, bundles = tmp_path / "index", tmp_path / "bundles"
    open_index(str(index), create=True)
    bundles.mkdir()
    for number in range(2 * NUM_VIDEOS):
        revision, video = divmod(number, NUM_VIDEOS)
        num_scenes = 1 + (number % 3)
        bundle = make_bundle(
            uri=f"/v/{video:02}",
            revision=str(revision),
            titles=tuple("abc"[:num_scenes]),
            num_frames_sampled=num_scenes,
        )
        name = f"{number:02}-{bundle.commit.video_id}-{bundle.commit.analysis_key}.parquet"
        (bundles / name).write_bytes(encode_bundle(bundle))
    moments = random.Random(20261121)
    for _ in range(num_rounds):
        publishers = [_start(index, bundles) for _ in range(2)]
        for publisher in publishers:
            assert publisher.stdout is not None
            assert publisher.stdout.readline() == "ready\n"
        for publisher in publishers:
            time.sleep(moments.uniform(0, 0.3))
            _check(index)
            publisher.kill()
            publisher.communicate()
            _check(index)
    last = _start(index, bundles)
    last.communicate()
    assert last.returncode == 0
    assert _check(index) == NUM_VIDEOS
    with open_catalog(str(index)) as catalog:
        revisions = catalog.query("SELECT DISTINCT object_rev FROM commits").rows
    assert revisions == [("1-7",)]
