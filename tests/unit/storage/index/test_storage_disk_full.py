"""The index's disk runs full: a commit fails whole, and with room again the same one goes through."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from schemas.commit import Bundle

# In a process that alone sees the small disk it mounts.
SCRIPT = """
import json, subprocess, sys
from pathlib import Path
from schemas.commit import Bundle
from storage.index.commits.bundles import encode_bundle
from storage.query.catalog import open_catalog
from storage.errors import NoSpace
from storage.index.index import open_index

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
bundles = [Bundle.model_validate_json(line) for line in sys.stdin]
first, second = [(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles]
index = open_index(str(disk / "index"), create=True)

def is_refused(write, *arguments):
    try:
        write(*arguments)
    except NoSpace:
        return True

def visible():
    with open_catalog(str(disk / "index")) as catalog:
        return catalog.query("select uri from videos order by uri").rows

index.commit(*first, encode_bundle(bundles[0]))
index.publish([first])
index.commit(*second, encode_bundle(bundles[1]))
filler = (disk / "filler").open("wb", buffering=0)
try:
    while filler.write(bytes(4096)):
        pass
except OSError:
    filler.close()
third = "0" * 16, "1" * 16
told = {"commit": is_refused(index.commit, *third, bytes(10_000))}
told |= {"publish": is_refused(index.publish, [second])}
told |= {"left": index.is_committed(*third), "before": visible()}
(disk / "filler").unlink()
index.publish([second])
print(json.dumps(told | {"after": visible()}))
"""


def can_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system of its own")
def test_a_full_disk_refuses_and_keeps_what_there_is(tmp_path, make_bundle: Callable[..., Bundle]) -> None:
    """Neither a commit nor a publish is half done; readers see what they saw before, then all of it."""
    films = [make_bundle(uri=f"/films/{name}.mp4") for name in "ab"]
    bundles = [film.model_copy(update={"keyframes": ()}) for film in films]  # JSON has no bytes
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", SCRIPT, str(tmp_path)],
        input="\n".join(bundle.model_dump_json() for bundle in bundles),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "commit": True,
        "publish": True,
        "left": False,
        "before": [["/films/a.mp4"]],
        "after": [["/films/a.mp4"], ["/films/b.mp4"]],
    }
