"""Runs and upkeep that are killed with SIGKILL between any two steps leave an index that is right, and
repeating the command finishes the work."""

import pickle
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest

from schemas.commit import RunRecord
from schemas.identity import VideoId
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.publishing.snapshots import read_newest
from storage.objects.store import open_store
from storage.query.catalog import open_catalog
from storage.upkeep.compact import compact
from storage.upkeep.forget import find_forgettable, forget
from storage.upkeep.repair import repair
from storage.upkeep.vacuum import vacuum

# Starts once and forks for each try, which is killed before its n-th change of the store.
STEPPER = """
import os, pathlib, pickle, signal, sys
from datetime import timedelta
from storage.upkeep import compact
from storage.upkeep import forget
from storage.index import index
from storage.objects import local as objects_local
from storage.upkeep import repair
from storage.upkeep import vacuum
url, verb = sys.argv[1:3]

def settle():
    bundles, record = pickle.loads(pathlib.Path(sys.argv[3]).read_bytes())
    opened = index.open_index(url)
    for pair, data in bundles.items():
        opened.commit(*pair, data)
    opened.publish(list(bundles), [record])

WORK = {
    "settle": settle,
    "compact": lambda: compact.compact(url, None, print),
    "vacuum": lambda: vacuum.vacuum(url, None, print, timedelta(0)),
    "repair": lambda: repair.repair(url, None, print),
    "forget": lambda: forget.forget(url, None, forget.find_forgettable(url, None, sys.argv[3]), print),
}

def die_before(step):
    left = step
    def watched(original):
        def call(*args, **kwargs):
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)
        return call
    for name in ("replace", "delete"):
        setattr(objects_local.LocalStore, name, watched(getattr(objects_local.LocalStore, name)))
    objects_local.os.link = watched(os.link)  # creates an object; the file that gets the name is left behind

for line in sys.stdin:
    child = os.fork()
    if not child:
        die_before(int(line))
        os.dup2(2, 1)
        WORK[verb]()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
URI = "/v/1"
TABLES = ("scenes_all", "keyframes_all", "commits_all", "runs", "scenes")

pytestmark = pytest.mark.nightly


@pytest.fixture
def index(tmp_path, make_bundle, make_run_record) -> str:
    """Three publishes of two videos, one of them with two revisions."""
    url = str(tmp_path / "index")
    opened = open_index(url, create=True)
    bundles = [make_bundle(uri=f"/v/{n}", titles=("One", "Two")) for n in range(2)]
    bundles.append(make_bundle(uri=URI, revision="2"))
    for n, bundle in enumerate(bundles):
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        opened.commit(*pair, encode_bundle(bundle))
        opened.publish([pair], [_record(make_run_record, n)])
    return url


def _record(make_run_record, number: int) -> RunRecord:
    return make_run_record(f"run-{number}")


def _contents(url: str) -> dict[str, list]:
    with open_catalog(url) as catalog:
        return {name: sorted(catalog.query(f"FROM {name}").rows, key=repr) for name in TABLES}


def _kill_everywhere(url: str, verb: str, check, *args: str) -> int:
    """On the index as it is, killed before each step in turn until it gets through; the number of kills."""
    pristine = shutil.copytree(url, f"{url}-before")
    command = [sys.executable, "-c", STEPPER, url, verb, *args]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stepper:
        for step in range(200):
            shutil.rmtree(url)
            shutil.copytree(pristine, url)
            stepper.stdin.write(f"{step}\n")
            stepper.stdin.flush()
            code = int(stepper.stdout.readline())
            check()
            if code == 0:
                return step
            assert code == -9
    raise AssertionError("never finished")


def test_a_killed_driver_is_finished_by_repeating_it(index, tmp_path, make_bundle, make_run_record):
    """A new video and another revision: all of both is there, with the run, or nothing; then once."""
    bundles = [make_bundle(uri="/v/9", titles=("A", "B")), make_bundle(uri="/v/0", revision="3")]
    pairs = {(one.commit.video_id, one.commit.analysis_key): encode_bundle(one) for one in bundles}
    work = tmp_path / "work"
    record = _record(make_run_record, 9)
    work.write_bytes(pickle.dumps((pairs, record)))
    shutil.copytree(index, whole := f"{index}-whole")
    _settle(whole, pairs, record)
    before, after = _contents(index), _contents(whole)

    def check() -> None:
        assert _contents(index) in (before, after)
        _settle(index, pairs, record)
        _same(index, after)

    assert _kill_everywhere(index, "settle", check, str(work)) > 10


def _settle(url: str, pairs: dict[tuple[VideoId, str], bytes], record: RunRecord) -> None:
    opened = open_index(url)
    for pair, data in pairs.items():
        opened.commit(*pair, data)
    opened.publish(list(pairs), [record])


def test_a_killed_compaction_changes_nothing_that_readers_see(index):
    """Its parts are orphans, or all of them count."""
    before = _contents(index)
    num_kills = _kill_everywhere(index, "compact", lambda: _same(index, before))
    assert num_kills > 10
    assert {len(keys) for keys in read_newest(open_store(index)).parts.values()} == {1}


def _same(url: str, before: dict[str, list]) -> None:
    assert _contents(url) == before


def test_a_killed_vacuum_removes_nothing_that_is_needed(index):
    """What it did not get to goes the next time."""
    compact(index, None, print)
    before = _contents(index)

    def check() -> None:
        _same(index, before)
        vacuum(index, None, print, timedelta(0))
        left = vacuum(index, None, print, timedelta(0), dry_run=True).removed
        assert {kind for kind, files in left.items() if files.num_files} <= {"leases"}
        _same(index, before)

    assert _kill_everywhere(index, "vacuum", check) > 10


def test_a_killed_forgetting_is_finished_by_repeating_it(index):
    """Other videos' rows are there all the time; of the video all is there, or nothing that is listed."""
    before = _contents(index)
    video = find_forgettable(index, None, URI)

    def check() -> None:
        now = _contents(index)
        mine = {name: [row for row in rows if video.video_id in repr(row)] for name, rows in now.items()}
        for name, rows in now.items():
            others = [row for row in before[name] if video.video_id not in repr(row)]
            assert [row for row in rows if row not in mine[name]] == others
        assert not any(mine.values()) or now == before
        forget(index, None, find_forgettable(index, None, URI), print)
        assert not any(video.video_id in key for key in open_store(index).list(""))
        assert find_forgettable(index, None, URI).copies == ()

    assert _kill_everywhere(index, "forget", check, "1") > 10


@pytest.mark.parametrize("table", ["scenes", "commits"])
def test_a_killed_repair_is_finished_by_repeating_it(index, table):
    """The damaged parts stay listed until the new ones are."""
    before = _contents(index)
    store = open_store(index)
    for key in read_newest(store).files_of(table):
        store.delete(key)
    if table == "commits":
        del before["commits_all"]  # snapshots' numbers are lost with them

    def check() -> None:
        repair(index, None, print)
        after = _contents(index)
        assert {name: after[name] for name in before} == before
        assert repair(index, None, print) is None

    assert _kill_everywhere(index, "repair", check) > 5
