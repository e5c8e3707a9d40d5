"""The index's disk runs full: nothing is lost, and with room the same command goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("media-index")
# A small disk of the test's own, seen by nobody else, which is full but for 40 kB at first.
SCRIPT = """
set -e
mount -t tmpfs -o size=1m tmpfs "$1"
head -c 1000000 /dev/zero > "$1/filler" && mkdir "$1/index"
shift
set +e
"$@"; echo "first $?"
rm "$MOUNT/filler"
"$@"; echo "second $?"
cp -r "$MOUNT/index" "$KEPT"
"""


def can_mount() -> bool:
    tried = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system of its own")
def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path, make_video, parrot, media_index):
    """The first run ends with an error that says so; the second one commits every video once."""
    library, disk, kept = tmp_path / "library", tmp_path / "disk", tmp_path / "kept"
    library.mkdir()
    disk.mkdir()
    for number in range(3):
        make_video(library / f"{number}.mp4", seconds=2, shade=30 * number)
    command = [COMMAND, "run", "--library", library, "--index", disk / "index", "--model", parrot]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", str(disk), *map(str, command)],
        env={"MOUNT": str(disk), "KEPT": str(kept), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert "the disk is full" in done.stderr, done.stderr
    assert "first 0" not in done.stdout
    assert "second 0" in done.stdout, done.stderr
    query = "select count(*) as n, count(distinct video_id) as videos from videos"
    assert media_index("sql", query, "--index", kept, "--json").json == [{"n": 3, "videos": 3}]
