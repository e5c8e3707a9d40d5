"""The driver loop on a real local Ray, with actors that follow a script instead of a model.

Postprocessing is the real one, on a library that follows a script as well.
"""

import ctypes
import os
import re
import signal
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import ray
from ray import cloudpickle

from jobs.answers.analysis import Analysis
from jobs.answers.asking import PromptAnswer
from jobs.answers.records import Record
from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import ActorLocation, AttemptHistory, AttemptResult, NotLoaded, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.cluster.nodes import NodeView
from jobs.driver.execution import gate_of
from jobs.driver.loop.runner import Runner
from jobs.driver.node_check import PARTS, CheckedView
from jobs.failures import Stage, VideoFailure
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.settings.limits import Ending, FailureLimit, Limits
from jobs.signals.captions import Captions
from jobs.signals.signal import Costs
from jobs.signals.speech import SpeechSignal
from jobs.signals.strip import Strips
from jobs.workers.actor import PULSE
from jobs.workers.deadlines import ALL_TRIES_S
from jobs.workers.domain import DomainGuard
from jobs.workers.hanging import HangGuard
from jobs.workers.node_probe import Needs, code_here
from jobs.workers.placement import Placement
from jobs.workers.postprocessing.signals import read_video_signals
from jobs.workers.postprocessing.tasks import Postprocessing
from jobs.workers.reading.one_pass import AT_ANY_PRICE
from jobs.workers.reading.read_ahead import ReadAhead, value_of
from jobs.workers.reading.spans import Source, read_one_span
from schemas.answers import SceneAnswer
from schemas.failures import FailureAction, FailureClass, MediaIndexError, PreflightError
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.usage import Usage
from storage.errors import NotFound
from storage.index.commits.bundles import read_bundle
from storage.library.library import open_library
from storage.library.selection import Selection
from videoxl2.domain import fit_domain, picture_statistics
from videoxl2.frames import MediaInfo, SamplingGrid
from videoxl2.network.configs.picture_size import Squares

RECIPE = Recipe("parrot", "revision", "float32", Fraction(1), 1000, load_packs())
INFO = MediaInfo("mp4", "h264", (), 96, 64, 0, 25, 1, False, 20_000, 0, 500, "exact", None, 9, ())


def analysed(*scenes: SceneAnswer) -> Analysis:
    """What the model says: scenes, or nothing at all."""
    prompt = next(prompt for prompt in RECIPE.prompts if prompt.name == "scenes")
    records = tuple(Record(scene, 1.0, 1.0, is_truncated=False, is_repeated=False) for scene in scenes)
    answer = PromptAnswer(prompt, "", records, None, 0, 0)
    return Analysis(INFO, SamplingGrid(Fraction(1), 20), (), (), (answer,))


def scene(start_s: float, end_s: float, *characters: str) -> SceneAnswer:
    words: dict[str, Any] = dict.fromkeys(("title", "summary", "setting", "mood"), "x")
    words |= {name: [] for name in ("actions", "objects", "tags")}
    return SceneAnswer(
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        time_of_day="day",
        characters=list(characters),
        **words,
    )


DONE = analysed()
TWO_SCENES = analysed(scene(0, 8), scene(8, 20))  # the file is looked at only where there is a boundary
ROWS_BUG = analysed(scene(0, 20, "nobody the model spoke of"))
MEDIA = VideoFailure(Stage.READ, FailureClass.MEDIA, "no_video", "no video stream", "replace it")
BUG = VideoFailure(Stage.MODEL, FailureClass.BUG, "ValueError", "oops", "report it")
MEMORY = VideoFailure(
    Stage.MODEL, FailureClass.RESOURCE, "out_of_memory", "out of memory", "less", num_frames=400
)
BUSY = VideoFailure(Stage.FETCH, FailureClass.TRANSIENT, "storage_unavailable", "503", "wait")
FORBIDDEN = VideoFailure(
    Stage.FETCH, FailureClass.TRANSIENT, "access_denied", "no", "permissions", can_retry=False
)


class ScriptedActor:
    """Plays each video's script, one entry a try; the tries are counted in files, since actors die."""

    waiting_s = 0.0

    def __init__(self, scripts: dict[str, list], folder: Path, load: str) -> None:
        self.scripts, self.folder, self.load_as = scripts, folder, load

    def load(self):
        if self.load_as == "die":
            os._exit(1)
        if self.load_as == "badly":
            return NotLoaded(ray.get_runtime_context().get_node_id(), replace(BUG, message="bad weights"))
        return ActorLocation(ray.get_runtime_context().get_node_id(), "here", "cpu")

    @ray.method(concurrency_group=PULSE)
    def pulse(self) -> float:
        return self.waiting_s

    def index_video(self, work: Work, upcoming: Work | None):
        entries = self.scripts.get(work.video.uri, [DONE])
        tries = self.folder / work.analysis_key
        count = int(tries.read_text()) if tries.exists() else 0
        tries.write_text(str(count + 1))
        entry = entries[min(count, len(entries) - 1)]
        if entry == "hang":
            time.sleep(600)
        if entry == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(600)  # this thread may get on for a moment
        if entry == "starve":
            self.waiting_s = ALL_TRIES_S + 1
            time.sleep(600)
        if entry == "hang in the model":  # with the interpreter locked, as a call on a GPU may
            with HangGuard(1):
                ctypes.PyDLL(None).sleep(600)
        if entry == "slow":
            time.sleep(6)
            entry = DONE
        if entry == "die":
            os._exit(1)
        if not isinstance(entry, Analysis):
            return AttemptResult(Usage(), entry)
        analysis = replace(entry, sampled_ms=tuple(range(work.max_frames)))
        return AttemptResult(Usage(num_frames=work.max_frames), cloudpickle.dumps(analysis))


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
        self.tries, self.left, self.loads, self.closed = {}, {}, [], None

    def indexed(self, video, made):
        uri = video.work.video.uri
        assert uri not in self.frames
        (self.bundles[uri],) = read_bundle(made.bundle, uri).to_pylist()
        self.frames[uri] = self.bundles[uri]["videos"][0]["num_frames_sampled"]

    def failed(self, video, action):
        uri = video.work.video.uri
        self.failures[uri] = (video.failure.code, action, video.work.attempt)
        self.tries[uri] = video.tries

    def retrying(self, video):
        self.retried.append(video.work.video.uri)

    def unsettled(self, video):
        self.left[video.work.video.uri] = video.tries

    def tick(self):
        pass

    def load(self, queue_depth, actors):
        self.loads.append((queue_depth, dict(actors)))

    def closing(self, ending, num_in_flight, grace_s):
        self.closed = (ending, num_in_flight)

    def short(self, shortage):
        raise AssertionError(f"nothing lacks here: {shortage}")

    def node(self, event):
        raise AssertionError(f"no node comes or goes here: {event}")

    def left_over(self, num_gpus, gpus_per_model):
        pass

    def scaled(self, num_gpus, num_wanted):
        raise AssertionError("there are no GPUs here")


@pytest.fixture(scope="module", autouse=True)
def cluster(shared_ray):
    """Ended with this file, as tasks that wait for ever keep its CPUs."""
    yield shared_ray.join()
    shared_ray.leave()


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def library(tmp_path):
    (tmp_path / "library").mkdir()
    return ScriptedLibrary(tmp_path / "library")


@pytest.fixture
def postprocessing(tmp_path, library):
    return Postprocessing(
        Source(library, tmp_path / "scratch", Fraction(1), Squares(56, 4)), RECIPE, "run", num_cpus=2
    )


def work_on(uri: str, number: int = 0) -> Work:
    return Work(VideoObject(uri, 100 + number, 1), f"key{number}", Reason.NEW, max_frames=1000)


@pytest.fixture
def execute(tmp_path, ledger, postprocessing, cluster):
    """Run the scripts on two actors; returns what was settled."""

    def run(scripts, load="well", num_actors=2, stop=None, max_failures=None, late=None):
        works = [work_on(uri, number) for number, uri in enumerate(scripts)]
        options: dict[str, Any] = {
            "max_restarts": 0,
            "max_task_retries": 0,
            "num_cpus": 0,
            "concurrency_groups": {PULSE: 1},
        }
        actor = ray.remote(**options)(ScriptedActor)
        limit = None if max_failures is None else FailureLimit.parse(max_failures)
        limits = late or Limits(len(works), limit)
        start = lambda: actor.remote(scripts, tmp_path, load)  # noqa: E731 - as the runner takes it
        placement = Placement(num_actors, "cpu", num_cpus=0, num_threads=1)
        runner = Runner(works, start, placement, postprocessing, ledger, limits, ledger, cluster)
        ledger.ending = runner.run(stop or threading.Event())
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


def wait_until(is_so, timeout_s: float = 300) -> bool:
    deadline = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def test_a_killed_postprocessing_worker_costs_the_cuts_and_nothing_else(execute, library, ledger):
    """It is killed as often as Ray begins it again, but only once all other videos are settled, the actor's
    next ones included; then its rows are there, once, with the times that the model said."""
    others = [f"{n}" for n in range(4)]
    waited: list[Any] = []
    killed: set[Any] = set()

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
    """While postprocessing gets nowhere, only so many videos are analysed; afterwards all are settled."""
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


def test_postprocessing_that_is_lost_is_done_again(postprocessing, library):
    """A task that goes away without fault of the file, as with its machine, is repeated."""
    video = AttemptHistory(work_on("a"), (Try(1, datetime.now(UTC), 1.0, None),))
    node_id = ray.get_runtime_context().get_node_id()
    postprocessing.submit(video, cloudpickle.dumps(TWO_SCENES), node_id)
    (first,) = postprocessing.refs
    assert wait_until(lambda: fetchers(library))
    ray.cancel(first, force=True)
    ray.wait([first], timeout=300)
    assert postprocessing.take(first, value_of(first, Stage.ROWS)) is None
    (library.folder / "open").touch()
    (second,) = postprocessing.refs
    done, outcome = postprocessing.take(second, value_of(second, Stage.ROWS))
    assert done is video
    assert isinstance(outcome, Postprocessed)
    assert len(postprocessing) == 0


def test_answers_without_a_cpu_to_look_at_the_file_become_rows_in_the_driver(postprocessing, library):
    """They are paid for; what has none is left to its task."""
    video = AttemptHistory(work_on("a"), (Try(1, datetime.now(UTC), 1.0, None),))
    postprocessing.submit(video, cloudpickle.dumps(TWO_SCENES), None)
    postprocessing.submit(AttemptHistory(work_on("b"), video.tries), None, None)
    ((done, outcome),) = postprocessing.finish_here()
    assert done is video
    (bundle,) = read_bundle(outcome.bundle, "a").to_pylist()
    assert [row["start_ms"] for row in bundle["scenes"]] == [0, 8000]
    assert all("no CPU came in time" in warning for warning in bundle["videos"][0]["warnings"])
    assert [one.work.video.uri for one in postprocessing.unfinished()] == ["b"]


def test_a_node_that_lacks_something_is_named_with_what_it_lacks(cluster, tmp_path):
    """Another version, none at all, a folder that the driver alone sees; one that has all is let be."""
    ours = version("media-index")
    code = code_here(PARTS)
    (node,) = cluster.nodes.look().alive.values()
    nowhere = str(tmp_path / "none")
    for needs, said in [
        (Needs("media-index", "9.9", code, None, None), f"needs media-index 9.9 and has version {ours}"),
        (Needs("no-such-package", "1.0", code, None, None), "needs no-such-package 1.0 and has none"),
        (Needs("media-index", ours, "other", None, None), f"has another build of media-index {ours}"),
        (Needs("media-index", ours, code, nowhere, None), f"does not see the library {nowhere}"),
        (Needs("media-index", ours, code, str(tmp_path), nowhere), f"does not see the weights {nowhere}"),
        (
            Needs("media-index", ours, code, None, None, speech=nowhere),
            f"does not see the weights that hear {nowhere}",
        ),
        (Needs("media-index", ours, code, None, None, modules=("av", "not_there")), "lacks not_there"),
    ]:
        with pytest.raises(PreflightError, match=re.escape(f"node {node} {said}")):
            CheckedView(NodeView(cluster.nodes._client), needs).check()
    view = CheckedView(NodeView(cluster.nodes._client), Needs("media-index", ours, code, str(tmp_path), None))
    view.check()
    assert view.look().left_out == {}


@dataclass(frozen=True)
class Deadly:
    """A signal that ends the process that reads it."""

    name: ClassVar[str] = "deadly"
    version: ClassVar[int] = 1
    settings: ClassVar[dict[str, str]] = {}
    rough_costs: ClassVar[Costs] = Costs(0.1, 1.0)
    tables: ClassVar[tuple[str, ...]] = ("chapters",)
    reads_sidecars: ClassVar[bool] = False

    def read(self, file: Any, lineage: Any) -> Any:
        os._exit(1)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(None, id="no model", marks=pytest.mark.nightly),
        pytest.param(TWO_SCENES, id="a model"),
    ],
)
def test_a_signal_that_kills_its_process_costs_signals_and_nothing_else(
    tmp_path, cluster, make_video, answers
):
    """What is known of the video and what the model said are rows; a failure says what happened."""
    (tmp_path / "films").mkdir()
    path = make_video(tmp_path / "films" / "a.mp4", seconds=20)
    (found,) = open_library(str(path.parent)).list_videos(Selection())
    source = Source(open_library(str(path.parent)), tmp_path / "scratch", Fraction(1), Squares(56, 4))
    recipe = replace(RECIPE, signals=(Deadly(),))
    postprocessing = Postprocessing(source, recipe, "run", num_cpus=2)
    work = Work(found, "key", Reason.NEW, max_frames=1000)
    video = AttemptHistory(work, (Try(1, datetime.now(UTC), 1.0, None),))
    postprocessing.submit(video, cloudpickle.dumps(answers) if answers else None, None)
    (first,) = postprocessing.refs
    assert postprocessing.take(first, value_of(first, Stage.ROWS)) is None
    (second,) = postprocessing.refs
    _, outcome = postprocessing.take(second, value_of(second, Stage.ROWS))
    assert isinstance(outcome, Postprocessed)
    assert outcome.is_partial
    (bundle,) = read_bundle(outcome.bundle, "a").to_pylist()
    assert [(one["signal_id"], one["code"]) for one in bundle["failures"]] == [("deadly@1", "reader_crashed")]
    assert not any("cuts" in warning for warning in bundle["videos"][0]["warnings"])
    assert len(bundle["scenes"] or ()) == (2 if answers else 0)


class DeadlySpeech(SpeechSignal):
    """It ends the process that hears."""

    def hear(self, file: Any) -> Any:
        os._exit(1)


def test_hearing_that_kills_its_process_costs_what_is_said_and_nothing_else(tmp_path, cluster, make_video):
    """The model is told nothing, and sees the video all the same; other signals are read, and failures say
    why those of what is said are not, which are left alone from then on."""
    (tmp_path / "films").mkdir()
    path = make_video(tmp_path / "films" / "a.mp4", seconds=3)
    library = open_library(str(path.parent))
    (found,) = library.list_videos(Selection())
    signals = (Captions(), Strips(), DeadlySpeech("deaf", tmp_path, "r", 1, ()))
    source = Source(
        library,
        tmp_path / "scratch",
        Fraction(1),
        Squares(56, 4),
        reads_said=True,
        tasks_of_heard=("summary",),
        signals=signals,
    )
    work = Work(found, "key", Reason.NEW, max_frames=1000)
    reading = ReadAhead(source)
    opened = reading.open(work)
    assert (opened.said, opened.grid.num_targets) == ((), 3)
    assert sum(len(span.pts_ms) for span in reading.spans(work)) == 3
    builder = RowBuilder(work, replace(RECIPE, signals=signals), "run", datetime.now(UTC))
    read = read_video_signals(source, opened.info, builder, opened.before)
    assert [(one.signal_id, one.failure.code) for one in read.failures] == [
        ("captions@2", "reader_crashed"),
        ("speech@3", "reader_crashed"),
    ]
    assert len(read.rows["strips"]) == 1


@dataclass(frozen=True)
class DeadlyWatcher(Deadly):
    """A signal that ends the process at a picture of the pass, if at all."""

    dies_at: int = 10**9

    def read(self, file: Any, lineage: Any) -> Any:
        raise AssertionError("it watches")

    def watch(self, file: Any) -> Any:
        return Dying(self.dies_at)


class Dying:
    def __init__(self, dies_at: int) -> None:
        self.watchers = (self,)
        self._left = dies_at

    def picture(self, picture: Any, at_ms: int) -> None:
        self._left -= 1
        if not self._left:
            os._exit(1)

    def rows(self, watched: Any, lineage: Any) -> Any:
        return iter(())


@pytest.mark.parametrize(
    ("dies_at", "frame_s", "is_whole"),
    [(10**9, AT_ANY_PRICE, True), (205, AT_ANY_PRICE, False), (10**9, 1e-9, False)],
    ids=["a pass", "one that dies", "none, as the model is faster"],
)
def test_the_model_gets_all_its_frames_whatever_becomes_of_a_pass(
    tmp_path, make_video, dies_at, frame_s, is_whole
):
    """In order, the same as read alone: where its process dies in the sixth of ten spans, from tasks of their
    own. Only a whole pass says what signals found."""
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "a.mp4", seconds=40)
    library = open_library(str(tmp_path / "films"))
    (found,) = library.list_videos(Selection())
    signals = (Strips(), DeadlyWatcher(dies_at))
    source = Source(
        library, tmp_path / "scratch", Fraction(1), Squares(56, 4), is_split=True, signals=signals
    )
    work = Work(found, "key", Reason.NEW, max_frames=16)  # so spans of four frames
    ahead = ReadAhead(source, frame_s)
    ahead.begin(work)  # before it is known whether a pass is worth it
    opened = ahead.open(work)
    spans = [(span.first_target, span.frames.tobytes()) for span in ahead.spans(work)]
    alone = [read_one_span(source, work, opened, span) for span in opened.spans]
    assert spans == [(span.first_target, span.frames.tobytes()) for span in alone]
    assert len(spans) == 10
    watched = ahead.watched(work)
    assert (watched is not None) is is_whole
    assert watched is None or watched.outcomes.keys() == {"strip", "deadly"}


def test_no_model_is_loaded_where_it_takes_no_video(tmp_path, ledger, cluster, make_video):
    """A run wholly outside the domain of its checkpoint starts no actor: rows of signals are made, files that
    cannot be read are set aside."""
    (tmp_path / "films").mkdir()
    for name in "ab":
        make_video(tmp_path / "films" / f"{name}.mp4", seconds=2)
    (tmp_path / "films" / "no film.mp4").write_text("no film")
    library = open_library(str(tmp_path / "films"))
    found = tuple(library.list_videos(Selection()))
    plain = picture_statistics(np.full((48, 72, 3), 120, np.uint8))
    noise = np.random.default_rng(3).normal(size=(120, len(plain))) * 0.01
    recipe = replace(RECIPE, signals=(Strips(),))

    guard = DomainGuard("small", fit_domain(plain + noise, 0.001, "test"))
    source = Source(
        library, tmp_path / "scratch", Fraction(1), Squares(56, 4), signals=recipe.signals, guard=guard
    )
    works = [Work(video, f"key{n}", Reason.NEW, max_frames=1000) for n, video in enumerate(found)]
    runner = Runner(
        works,
        lambda: pytest.fail("a model is loaded"),
        Placement(1, "cpu", num_cpus=0, num_threads=1),
        Postprocessing(source, recipe, "run", num_cpus=2),
        ledger,
        Limits(len(works), None),
        ledger,
        cluster,
        gate_of(source, 2),
    )
    assert runner.run(threading.Event()) is Ending.DONE
    assert sorted(Path(uri).name for uri in ledger.bundles) == ["a.mp4", "b.mp4"]
    for bundle in ledger.bundles.values():
        assert [row["code"] for row in bundle["failures"]] == ["out_of_domain"]
        assert len(bundle["strips"]) == 1
        assert [(row["attempt"], row["outcome"]) for row in bundle["attempts"]] == [(1, "quarantined")]
    assert [(Path(uri).name, code) for uri, (code, *_) in ledger.failures.items()] == [
        ("no film.mp4", "unreadable")
    ]


def test_a_model_that_hangs_is_killed_and_its_video_poison(execute, ledger):
    """The same video twice: set aside; the others are unharmed, though the call held the interpreter."""
    execute({"hangs": ["hang in the model"], "hangs once": ["hang in the model", DONE], "good": [DONE]})
    assert ledger.failures == {"hangs": ("worker_killed", FailureAction.QUARANTINED, 2)}
    assert set(ledger.frames) == {"hangs once", "good"}


def test_a_frozen_actor_is_replaced_and_its_video_tried_again(execute, ledger, monkeypatch):
    """Stopped, or without pictures for ever: neither can say so itself. Twice the same video: set aside."""
    monkeypatch.setattr("jobs.driver.loop.actors.PULSE_EVERY_S", 0.2)
    monkeypatch.setattr("jobs.driver.loop.actors.MISSED_PULSES", 15)
    execute({"ever": ["freeze"], "starved": ["starve", DONE]})
    assert ledger.failures == {"ever": ("worker_killed", FailureAction.QUARANTINED, 2)}
    assert set(ledger.frames) == {"starved"}
    why = [one.failure.message for one in ledger.tries["ever"]]
    assert [message.partition(", time ")[2] for message in why] == [
        f"{n}: no sign of life for 3 s" for n in (1, 2)
    ]


def test_every_try_is_kept_with_its_actor_and_its_reason(execute, ledger):
    """In the bundle of the video that got through, and beside the one that did not."""
    execute({"dies once": ["die", DONE], "memory": [MEMORY, MEMORY, DONE], "no video": [MEDIA]}, num_actors=1)
    rows = ledger.bundles["dies once"]["attempts"]
    assert [(row["attempt"], row["outcome"], row["code"]) for row in rows] == [
        (1, "retried", "worker_killed"),
        (2, "indexed", None),
    ]
    assert {(row["node"], row["device"], row["plan_reason"]) for row in rows} == {("here", "cpu", "new")}
    assert rows[0]["fingerprint"]
    assert rows[1]["started_at"] >= rows[0]["started_at"] + timedelta(seconds=rows[0]["seconds"])
    assert rows[1]["seconds"] >= rows[1]["finish_seconds"] > 0
    assert rows[1]["num_frames"] == 1000
    memory = ledger.bundles["memory"]["attempts"]
    assert [(row["failure_class"], row["num_frames"]) for row in memory][2] == (None, 100)
    assert [row["failure_class"] for row in memory[:2]] == ["resource"] * 2
    assert [one.failure for one in ledger.tries["no video"]] == [MEDIA]
    assert ledger.left == {}


def test_the_memory_ladder_is_in_the_row(execute, ledger):
    """It is marked, and its warnings say which step was taken."""
    ladder = replace(DONE, memory_steps=("vision batch 32 -> 8",))
    execute({"fewer": [MEMORY, DONE], "smaller batch": [ladder], "good": [DONE]})
    rows = {uri: bundle["videos"][0] for uri, bundle in ledger.bundles.items()}
    assert {uri: (row["is_degraded"], row["warnings"]) for uri, row in rows.items()} == {
        "fewer": (True, ["out of memory: fewer frames: at most 200 instead of 1000"]),
        "smaller batch": (True, ["out of memory: vision batch 32 -> 8"]),
        "good": (False, []),
    }


class LateOnceBegun:
    """The deadline is over as soon as an actor is at its first video, however slow this machine is."""

    wait_s = 600.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reached(self, now, num_settled, num_failures):
        return Ending.DEADLINE if any(self.folder.glob("key*")) else None

    def is_over_budget(self, num_failures):
        return False


def test_no_video_begins_after_the_deadline_and_those_under_way_finish(execute, ledger, tmp_path):
    """What was not begun is left, without a try or a failure."""
    execute({f"{n}": ["slow"] for n in range(9)}, late=LateOnceBegun(tmp_path))
    assert ledger.ending is Ending.DEADLINE
    assert 1 <= len(ledger.frames) <= 3
    assert ledger.closed == (Ending.DEADLINE, len(ledger.frames))
    assert (ledger.failures, ledger.left) == ({}, {})


def test_past_the_deadline_a_video_has_only_so_much_grace(execute, ledger, tmp_path, monkeypatch):
    """Then it is given up, and what its try took is kept."""
    monkeypatch.setattr("jobs.driver.loop.runner.GRACE_S", 2.0)
    execute({"hangs": ["hang"]}, num_actors=1, late=LateOnceBegun(tmp_path))
    assert ledger.ending is Ending.DEADLINE
    ((uri, (tried,)),) = ledger.left.items()
    assert (uri, tried.failure) == ("hangs", None)
    assert tried.seconds >= 2.0


def test_too_many_failures_end_the_run(execute, ledger):
    """Once more than allowed have failed, no video begins; those of media do not count."""
    memory = replace(MEMORY, num_frames=64)  # the ladder's end
    unlike = [replace(memory, message=word) for word in "abc"]  # so that the breaker does not open
    scripts: dict[str, list[Any]] = {f"bad {n}": [one] for n, one in enumerate(unlike)} | {
        f"corrupt {n}": [MEDIA] for n in range(9)
    }
    execute(scripts | {f"{n}": [DONE] for n in range(40)}, num_actors=1, max_failures="2")
    assert ledger.ending is Ending.FAILURES


def test_media_failures_end_no_run(execute, ledger):
    """However many there are, and however few others are allowed."""
    scripts: dict[str, list[Any]] = {f"corrupt {n}": [MEDIA] for n in range(9)} | {"good": [DONE]}
    execute(scripts, num_actors=1, max_failures="0")
    assert ledger.ending is Ending.DONE


def test_an_outage_of_the_storage_stops_the_run(execute, ledger):
    """Five videos in a row that cannot be had, each as often as the policy says: none is blamed."""
    gone = replace(BUSY, can_retry=False)
    with pytest.raises(MediaIndexError, match="storage or disk outage: 5 videos in a row"):
        execute({f"{n}": [gone] for n in range(9)})
    assert [action for _, action, _ in ledger.failures.values()] == [FailureAction.NEXT_RUN] * 5


def test_failures_that_are_alike_stop_the_run_and_blame_no_video(execute, ledger):
    """When memory runs out on video after video, it is not the videos."""
    memory = replace(MEMORY, num_frames=64)
    scripts = {f"{n}": [replace(memory, message=f"out of memory: {n} GiB")] for n in range(9)}
    with pytest.raises(MediaIndexError, match="5 videos in a row failed alike"):
        execute(scripts)
    assert [action for _, action, _ in ledger.failures.values()] == [FailureAction.NEXT_RUN] * 5
