"""The driver loop on a real local Ray, with actors that follow a script instead of a model.

Finishing is the real one, on a library that follows a script as well.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
import ray

from jobs.analysis import Analysis
from jobs.asking import PromptAnswer
from jobs.cluster import join_cluster
from jobs.failures import Stage, Trouble
from jobs.finishing import Finishing, Indexed
from jobs.prompt_pack import load_packs
from jobs.reading import Source
from jobs.recipe import Recipe
from jobs.records import Record
from jobs.runner import Runner
from jobs.work import Work
from schemas.answers import SceneAnswer
from schemas.failures import FailureAction, FailureClass, MediaIndexError, PreflightError
from schemas.identity import VideoObject
from schemas.plan import Reason
from storage.bundles import read_bundle
from storage.errors import NotFound
from videoxl2.frames import MediaInfo, SamplingGrid

RECIPE = Recipe("parrot", "revision", "float32", Fraction(1), 1000, load_packs())
INFO = MediaInfo("mp4", "h264", (), 96, 64, 0, 25, 1, False, 20_000, 0, 500, "exact", None, 9, ())


def analysed(*scenes: SceneAnswer) -> Analysis:
    """What the model says: scenes, or nothing at all."""
    prompt = next(prompt for prompt in RECIPE.prompts if prompt.name == "scenes")
    records = tuple(Record(scene, 1.0, 1.0, is_truncated=False, is_repeated=False) for scene in scenes)
    answer = PromptAnswer(prompt, "", records, None, 0, 0, 0, 0)
    return Analysis(INFO, SamplingGrid(Fraction(1), 20), (), (), (answer,), 0.0, 0.0)


def scene(start_s: float, end_s: float, *characters: str) -> SceneAnswer:
    words = dict.fromkeys(("title", "summary", "setting", "mood"), "x")
    lists = {name: [] for name in ("actions", "objects", "tags")}
    return SceneAnswer(
        start_s=start_s, end_s=end_s, time_of_day="day", characters=list(characters), **words, **lists
    )


DONE = analysed()
TWO_SCENES = analysed(scene(0, 8), scene(8, 20))  # the file is looked at only where there is a boundary
ROWS_BUG = analysed(scene(0, 20, "nobody the model spoke of"))
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
        if self.load_as == "badly":
            return replace(BUG, message="bad weights")
        return ray.get_runtime_context().get_node_id()

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
        return (
            replace(entry, sampled_ms=tuple(range(work.max_frames))) if isinstance(entry, Analysis) else entry
        )


@dataclass(frozen=True)
class ScriptedLibrary:
    """Says in `folder` which process fetches, and lets it go on only once there is a file `open` in it."""

    folder: Path

    def fetch(self, video: VideoObject, folder: Path) -> Path:
        (self.folder / f"{os.getpid()}.fetching").touch()
        while not (self.folder / "open").exists():
            time.sleep(0.05)
        raise NotFound(f"{video.uri}: not found", "it was deleted meanwhile")


class Ledger:
    """A settler that only takes notes."""

    def __init__(self):
        self.frames, self.bundles, self.failures, self.retried = {}, {}, {}, []

    def indexed(self, work, outcome):
        assert work.video.uri not in self.frames
        self.frames[work.video.uri] = outcome.num_frames
        (self.bundles[work.video.uri],) = read_bundle(outcome.bundle, work.video.uri).to_pylist()

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
def library(tmp_path):
    (tmp_path / "library").mkdir()
    return ScriptedLibrary(tmp_path / "library")


@pytest.fixture
def finishing(tmp_path, library):
    return Finishing(Source(library, tmp_path / "scratch", Fraction(1), 56), RECIPE, "run", num_cpus=2)


def work_on(uri: str, number: int = 0) -> Work:
    return Work(VideoObject(uri, 100 + number, 1), f"key{number}", Reason.NEW, 1000)


@pytest.fixture
def execute(tmp_path, ledger, finishing):
    """Run the scripts on two actors; returns what was settled."""

    def run(scripts, load="well", num_actors=2, stop=None):
        works = [work_on(uri, number) for number, uri in enumerate(scripts)]
        actor = ray.remote(max_restarts=0, max_task_retries=0, num_cpus=0)(ScriptedActor)
        runner = Runner(works, lambda: actor.remote(scripts, tmp_path, load), num_actors, finishing, ledger)
        runner.run(stop or threading.Event())
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
            "bug in rows": [ROWS_BUG],
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
        "bug in rows": ("KeyError", quarantined, 2),
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
    assert execute({"a": ["hang"], "b": [TWO_SCENES]}, stop=stop).frames == {}


@pytest.mark.parametrize("entry", [BUG, ROWS_BUG])
def test_bugs_in_a_row_stop_the_run_and_blame_no_video(execute, ledger, entry):
    """When video after video meets a bug, in the model or in the rows, it is not the videos: none is set
    aside."""
    with pytest.raises(MediaIndexError, match="5 videos in a row met a bug"):
        execute({f"{n}": [entry] for n in range(9)})
    assert [action for _, action, _ in ledger.failures.values()] == [FailureAction.NEXT_RUN] * 5


def fetchers(library: ScriptedLibrary) -> list[int]:
    return [int(path.stem) for path in library.folder.glob("*.fetching")]


def wait_until(is_so, timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def test_a_killed_finishing_worker_costs_the_cuts_and_nothing_else(execute, library, ledger):
    """It is killed as often as Ray begins it again, but only once all other videos are settled, the actor's
    next ones included; then its rows are there, once, with the times that the model said."""
    others = [f"{n}" for n in range(4)]
    waited, killed = [], set()

    def kill():
        waited.append(wait_until(lambda: set(ledger.frames) == set(others)))
        while "victim" not in ledger.frames and len(killed) < 9:
            for pid in set(fetchers(library)) - killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    execute({uri: [DONE] for uri in others} | {"victim": [TWO_SCENES]}, num_actors=1)
    killer.join()
    assert waited == [True]
    assert len(killed) == 3
    assert ledger.failures == {}
    assert ledger.retried == []
    bundle = ledger.bundles["victim"]
    assert [(row["start_ms"], row["end_ms"]) for row in bundle["scenes"]] == [(0, 8000), (8000, 20_000)]
    why = "the file crashed its reading process three times, or hung in it"
    assert bundle["videos"][0]["warnings"] == [
        f"boundaries are not snapped to cuts: {why}",
        f"no keyframes: {why}",
    ]


def test_analysed_videos_do_not_pile_up(execute, library, ledger, tmp_path):
    """While finishing gets nowhere, only so many videos are analysed; afterwards all are settled."""
    analysed_meanwhile = []

    def hold_up():
        wait_until(lambda: len(list(tmp_path.glob("key*"))) >= 4)
        time.sleep(3)  # as long as the actor would need for all others
        analysed_meanwhile.append(len(list(tmp_path.glob("key*"))))
        (library.folder / "open").touch()

    watcher = threading.Thread(target=hold_up)
    watcher.start()
    execute({f"{n}": [TWO_SCENES] for n in range(9)}, num_actors=1)
    watcher.join()
    assert analysed_meanwhile == [4]
    assert len(ledger.frames) == 9
    warnings = [bundle["videos"][0]["warnings"] for bundle in ledger.bundles.values()]
    assert all(warning.endswith("not found") for each in warnings for warning in each)
    assert [len(each) for each in warnings] == [2] * 9


def test_finishing_that_is_lost_is_done_again(finishing, library):
    """A task that goes away without fault of the file, as with its machine, is repeated."""
    finishing.submit(work_on("a"), TWO_SCENES, ray.get_runtime_context().get_node_id())
    (first,) = finishing.refs
    assert wait_until(lambda: fetchers(library))
    ray.cancel(first, force=True)
    ray.wait([first], timeout=60)
    assert finishing.take(first) is None
    (library.folder / "open").touch()
    (second,) = finishing.refs
    work, outcome = finishing.take(second)
    assert work.video.uri == "a"
    assert isinstance(outcome, Indexed)
    assert len(finishing) == 0
