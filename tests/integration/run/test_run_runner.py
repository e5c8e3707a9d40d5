"""The driver loop on a real local Ray, with actors that follow a script instead of a model."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import ray

from jobs.actor import Indexed
from jobs.cluster import join_cluster
from jobs.failures import Stage, Trouble
from jobs.plan import Reason, Work
from jobs.runner import Runner
from schemas.failures import FailureAction, FailureClass, MediaIndexError, PreflightError
from schemas.identity import VideoObject

DONE = Indexed(b"", False, 0, 1, 0, 0, 0.0, 0.0)
MEDIA = Trouble(Stage.READ, FailureClass.MEDIA, "no_video", "no video stream", "replace it")
BUG = Trouble(Stage.MODEL, FailureClass.BUG, "ValueError", "oops", "report it")
MEMORY = Trouble(Stage.MODEL, FailureClass.RESOURCE, "out_of_memory", "out of memory", "less", num_frames=400)
BUSY = Trouble(Stage.FETCH, FailureClass.TRANSIENT, "storage_unavailable", "503", "wait")
FORBIDDEN = Trouble(
    Stage.FETCH, FailureClass.TRANSIENT, "access_denied", "no", "permissions", can_retry=False
)


class ScriptedActor:
    """Plays each video's script, one entry a try; the tries are counted in files, since actors die."""

    def __init__(self, scripts: dict[str, list], folder: Path, load: str) -> None:
        self.scripts, self.folder, self.load_as = scripts, folder, load

    def load(self):
        if self.load_as == "die":
            os._exit(1)
        return None if self.load_as == "well" else replace(BUG, message="bad weights")

    def index_video(self, work: Work, upcoming: Work | None):
        entries = self.scripts.get(work.video.uri, [DONE])
        tries = self.folder / work.analysis_key
        count = int(tries.read_text()) if tries.exists() else 0
        tries.write_text(str(count + 1))
        entry = entries[min(count, len(entries) - 1)]
        if entry == "hang":
            time.sleep(600)
        if entry == "die":
            os._exit(1)
        return replace(DONE, num_frames=work.max_frames) if isinstance(entry, Indexed) else entry


class Ledger:
    """A settler that only takes notes."""

    def __init__(self):
        self.frames, self.failures, self.retried = {}, {}, []

    def indexed(self, work, outcome):
        assert work.video.uri not in self.frames
        self.frames[work.video.uri] = outcome.num_frames

    def failed(self, work, trouble, action):
        self.failures[work.video.uri] = (trouble.code, action, work.attempt)

    def retrying(self, work, trouble):
        self.retried.append(work.video.uri)

    def tick(self):
        pass


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    with join_cluster("local"):
        yield


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def execute(tmp_path, ledger):
    """Run the scripts on two actors; returns what was settled."""

    def run(scripts, load="well", num_actors=2, stop=None):
        works = [
            Work(VideoObject(uri, 100 + n, 1), f"key{n}", Reason.NEW, 1000) for n, uri in enumerate(scripts)
        ]
        actor = ray.remote(max_restarts=0, max_task_retries=0, num_cpus=0)(ScriptedActor)
        Runner(works, lambda: actor.remote(scripts, tmp_path, load), num_actors, ledger).run(
            stop or threading.Event()
        )
        return ledger

    return run


def test_every_class_of_failure_leads_where_the_policy_says(execute):
    """Good videos are settled once each, whatever happens to their neighbours."""
    ledger = execute(
        {
            "good": [DONE],
            "no video": [MEDIA],
            "bug once": [BUG, DONE],
            "bug for ever": [BUG],
            "memory": [MEMORY, DONE],
            "memory for ever": [MEMORY],
            "forbidden": [FORBIDDEN],
            "busy twice": [BUSY, BUSY, DONE],
            "dies once": ["die", DONE],
            "poison": ["die"],
        }
        | {f"more {n}": [DONE] for n in range(5)}
    )
    assert ledger.frames == {
        "good": 1000,
        "bug once": 1000,
        "memory": 200,
        "dies once": 1000,
        "busy twice": 1000,
    } | {f"more {n}": 1000 for n in range(5)}
    quarantined, next_run = FailureAction.QUARANTINED, FailureAction.NEXT_RUN
    assert ledger.failures == {
        "no video": ("no_video", quarantined, 1),
        "bug for ever": ("ValueError", quarantined, 2),
        "memory for ever": ("out_of_memory", quarantined, 3),
        "forbidden": ("access_denied", next_run, 1),
        "poison": ("worker_killed", quarantined, 2),
    }


def test_weights_that_do_not_load_stop_the_run_before_it_starts(execute):
    """One clear error, and no video is blamed."""
    with pytest.raises(PreflightError, match="bad weights"):
        execute({"a": [DONE]}, load="badly")


def test_actors_that_die_while_loading_stop_the_run(execute):
    """Not an endless series of new actors."""
    with pytest.raises(MediaIndexError, match="failed 3 times in a row while loading"):
        execute({"a": [DONE]}, load="die")


def test_a_stop_gives_up_what_is_in_flight(execute):
    """Nothing is settled after the stop, and the loop ends though the actor is busy."""
    stop = threading.Event()
    threading.Timer(8, stop.set).start()
    assert execute({"a": ["hang"]}, stop=stop).frames == {}


def test_bugs_in_a_row_stop_the_run_and_blame_no_video(execute, ledger):
    """When video after video meets a bug it is not the videos: none is set aside."""
    with pytest.raises(MediaIndexError, match="5 videos in a row met a bug"):
        execute({f"{n}": [BUG] for n in range(9)})
    assert [action for _, action, _ in ledger.failures.values()] == [FailureAction.NEXT_RUN] * 5
