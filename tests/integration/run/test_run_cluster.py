"""The driver loop on a cluster whose nodes come, drain and die: `ray start` processes with logical GPUs, and
actors that follow a script instead of a model.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import boto3
import pytest
import ray
from ray import cloudpickle
from ray_nodes import RayNodes, can_hide_folders, ray_nodes, wait_for

from jobs.answers.analysis import Analysis
from jobs.attempts.tries import ActorLocation, AttemptResult
from jobs.attempts.work import Work
from jobs.cluster.joining import join_cluster
from jobs.cluster.nodes import Draining, Joined, Lost
from jobs.driver.loop.machines import Shortage
from jobs.driver.loop.runner import Runner
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.settings.limits import Ending, Limits
from jobs.workers.actor import PULSE, actor_options
from jobs.workers.placement import Placement
from jobs.workers.postprocessing.tasks import Postprocessing
from jobs.workers.reading.spans import Source
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.usage import Usage
from storage.library.local import LocalLibrary
from videoxl2.frames import MediaInfo, SamplingGrid
from videoxl2.network.configs.picture_size import Squares

COMMAND = Path(sys.executable).with_name("media-index")
RECIPE = Recipe("scripted", "revision", "float32", Fraction(1), 1000, load_packs())
INFO = MediaInfo("mp4", "h264", (), 96, 64, 0, 25, 1, False, 20_000, 0, 500, "exact", None, 9, ())
NOTHING_SAID = Analysis(INFO, SamplingGrid(Fraction(1), 20), (), (), ())


class Model:
    """Takes a GPU, and for each video as long as until there is a file of that name in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self):
        return ActorLocation(ray.get_runtime_context().get_node_id(), "here", "cuda")

    @ray.method(concurrency_group=PULSE)
    def pulse(self) -> float:
        return 0.0

    def index_video(self, work: Work, upcoming: Work | None):
        node_id = ray.get_runtime_context().get_node_id()
        with (self.folder / "begun").open("a") as begun:
            begun.write(f"{work.video.uri} {node_id}\n")
        while not (self.folder / work.video.uri).exists():
            time.sleep(0.05)
        return AttemptResult(Usage(num_frames=1), cloudpickle.dumps(NOTHING_SAID))


@dataclass
class Notes:
    """What the runner settles and says, in order."""

    indexed_uris: list[str] = field(default_factory=list)
    failures: list[Any] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    def indexed(self, video, made):
        self.indexed_uris.append(video.work.video.uri)

    def failed(self, video, action):
        self.failures.append(video.failure)

    def retrying(self, video):
        self.retried.append(video.failure.code)

    def unsettled(self, video):
        self.failures.append("unsettled")

    def tick(self):
        pass

    def load(self, queue_depth, actors):
        pass

    def closing(self, ending, num_in_flight, grace_s):
        self.told.append(ending)

    def short(self, shortage):
        self.told.append(shortage)

    def node(self, event):
        self.told.append(event)

    def scaled(self, num_gpus, num_wanted):
        self.told.append((num_gpus, num_wanted))

    def left_over(self, num_gpus, gpus_per_model):
        self.told.append(f"{num_gpus} left over of {gpus_per_model}")

    def kinds_after(self, kind: type) -> list[type]:
        """The kinds of all that was told after the first of this one."""
        kinds = [type(one) for one in self.told]
        return kinds[kinds.index(kind) + 1 :]

    def num_of(self, kind: type) -> int:
        """How often something of this kind was told."""
        return sum(isinstance(one, kind) for one in self.told)


@dataclass
class Running:
    """A run under way on a cluster of the test's own."""

    nodes: RayNodes
    folder: Path
    notes: Notes
    thread: threading.Thread
    endings: list[Any]
    stop: threading.Event

    def wait_for(self, is_so: Callable[[], Any], what: str) -> None:
        """As long as the run goes on."""
        wait_for(lambda: is_so() or self.endings, what)
        assert not self.endings, (what, self.endings)

    def begun(self) -> list[tuple[str, str]]:
        """Videos that a model began, and its node."""
        path = self.folder / "begun"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(uri, node_id) for uri, node_id in map(str.split, lines)]

    def finish(self, *uris: str) -> None:
        """Let these videos end."""
        for uri in uris:
            (self.folder / uri).touch()

    def stopped(self) -> Any:
        """As by Ctrl-C."""
        self.stop.set()
        return self.ending()

    def ending(self) -> Any:
        """How the run ended."""
        self.thread.join(300)
        return self.endings[0]


@pytest.fixture(scope="module")
def nodes(no_ray):
    """A head with a CPU, so that reading never lacks one."""
    with ray_nodes(head_cpus=1) as made:
        yield made


@pytest.fixture
def empty_nodes(no_ray):
    """A head that does no work."""
    with ray_nodes() as made:
        yield made


@pytest.fixture
def running(tmp_path):
    """Run videos of these names there, and wait for machines for so long."""
    started = []

    def run(nodes: RayNodes, *uris: str, num_wanted: int | None = None, num_gpus: int = 1) -> Running:
        videos = [VideoObject(uri, 100 - number, 1) for number, uri in enumerate(uris)]
        works = [Work(video, video.uri, Reason.NEW, max_frames=9) for video in videos]
        notes, stop = Notes(), threading.Event()
        endings: list[Any] = []

        def execute():
            placement = Placement(num_wanted, "cuda", 0, 0, num_gpus)
            model = ray.remote(**actor_options(placement))(Model)
            source = Source(LocalLibrary(tmp_path), tmp_path / "scratch", Fraction(1), Squares(56, 4))
            try:
                with join_cluster(nodes.address) as cluster:
                    runner = Runner(
                        works,
                        lambda: model.remote(tmp_path),
                        placement,
                        Postprocessing(source, RECIPE, "run", num_cpus=1),
                        notes,
                        Limits(len(works)),
                        notes,
                        cluster,
                    )
                    endings.append(runner.run(stop))
            except BaseException as error:
                endings.append(error)

        thread = threading.Thread(target=execute)
        thread.start()
        started.append((thread, stop))
        return Running(nodes, tmp_path, notes, thread, endings, stop)

    yield run
    for thread, stop in started:
        stop.set()
        thread.join(120)


def where(tmp_path: Path, make_video, parrot: Path) -> list[str]:
    """A run over one video, which wants GPUs."""
    (tmp_path / "library").mkdir()
    make_video(tmp_path / "library" / "a.mp4")
    places = ["--library", tmp_path / "library", "--index", tmp_path / "index", "--new-index"]
    how = ["--model", parrot, "--num-gpus", "2", "--log-format", "json"]
    return [str(one) for one in (COMMAND, "run", *places, *how)]


def test_a_command_that_waits_in_vain_ends_with_a_code_of_its_own(
    tmp_path, nodes, make_video, parrot, monkeypatch, media_index
):
    """RAY_ADDRESS names the cluster; a model that is not the small one does not run on its CPUs. The run is
    recorded with the code, whatever `--ok` makes of it."""
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    command = [*where(tmp_path, make_video, parrot), "--wait-for-gpus", "2s", "--ok", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0, lines
    *_, scaled, waiting, closing, ended = [line for line in lines if line["event"] != "progress"]
    events = [line["event"] for line in (scaled, waiting, closing, ended)]
    assert events == ["scaled", "waiting", "closing", "ended"]
    told = [waiting[name] for name in ("for", "wanted", "there", "limit_seconds")]
    assert (told, ended["exit_code"]) == (["GPU", 2, 0, 2], 7)
    (row,) = media_index("sql", "select exit_code from runs", "--index", tmp_path / "index", "--json").json
    assert row == {"exit_code": 7}


def test_a_run_begins_without_a_gpu_takes_what_comes_and_leaves_what_drains(running, nodes):
    """Told to drain, a node finishes its video and gets no other; the run waits again, and says so."""
    run = running(nodes, "one", "two")
    run.wait_for(lambda: run.notes.num_of(Shortage), "words about the wait")
    node = nodes.add(num_cpus=1, num_gpus=1)
    run.wait_for(lambda: run.begun(), "the first video")
    nodes.drain(node, seconds=600)
    run.wait_for(lambda: run.notes.num_of(Draining), "the drain")
    run.finish("one", "two")
    run.wait_for(lambda: Shortage in run.notes.kinds_after(Draining), "words about the second wait")
    run.wait_for(lambda: run.notes.indexed_uris, "the rows")
    assert run.stopped() is Ending.STOPPED
    assert run.begun() == [("one", node.node_id)]
    assert (run.notes.indexed_uris, run.notes.failures) == (["one"], [])
    news = [one for one in run.notes.told if not isinstance(one, Shortage)]
    told = [type(one) if isinstance(one, Joined | Draining | Lost) else one for one in news]
    assert told[:5] == [(0, 1), Joined, (1, 1), Draining, (0, 1)]
    assert set(told[5:]) <= {Lost}, "once it is idle it may go at once"


@pytest.mark.nightly  # four nodes, one after the other
def test_a_run_grows_with_the_cluster_and_outlives_its_nodes(running, empty_nodes):
    """Nodes of one CPU and one GPU are enough, and each that comes gets a model. A killed one costs its video
    a try and blames nothing; with the last one gone the run waits, and what comes then does the rest, each
    video once."""
    nodes = empty_nodes
    run = running(nodes, "one", "two", "three", "four", num_wanted=2)
    first = nodes.add(num_cpus=1, num_gpus=1)
    run.wait_for(lambda: len(run.begun()) == 1, "the first video")
    second = nodes.add(num_cpus=1, num_gpus=1)
    run.wait_for(lambda: len(run.begun()) == 2, "a model on the second node")
    assert {node_id for _, node_id in run.begun()} == {first.node_id, second.node_id}
    second.kill()
    run.wait_for(lambda: run.notes.num_of(Lost) == 1, "the loss of the second node")
    first.end()
    run.wait_for(lambda: run.notes.num_of(Lost) == 2, "the loss of the first node")
    run.wait_for(lambda: isinstance(run.notes.told[-1], Shortage), "words about the wait")
    assert run.notes.indexed_uris == []
    run.finish("one", "two", "three", "four")
    third = nodes.add(num_cpus=1, num_gpus=2)
    assert run.ending() is Ending.DONE
    assert sorted(run.notes.indexed_uris) == ["four", "one", "three", "two"]
    assert {node_id for _, node_id in run.begun()[2:]} == {third.node_id}
    assert (run.notes.failures, set(run.notes.retried)) == ([], {"machine_lost"})
    drained = [event.node.node_id for event in run.notes.told if isinstance(event, Draining)]
    assert drained == [first.node_id]


@pytest.mark.nightly  # three runs
def test_a_model_takes_several_gpus_of_one_node(running, empty_nodes):
    """Of four, two models take two each; of two nodes with four and two, one model takes three, and what is
    left is said; none takes eight, and the run waits and says why."""
    big = empty_nodes.add(num_cpus=1, num_gpus=4)
    run = running(empty_nodes, "one", "two", "three", num_gpus=2)
    run.wait_for(lambda: len(run.begun()) == 2, "two models")
    run.finish("one", "two", "three")
    assert run.ending() is Ending.DONE
    assert {node_id for _, node_id in run.begun()} == {big.node_id}
    assert not [one for one in run.notes.told if isinstance(one, str)]
    empty_nodes.add(num_cpus=1, num_gpus=2)
    run = running(empty_nodes, "four", "five", num_gpus=3)
    run.wait_for(lambda: "3 left over of 3" in run.notes.told, "words about GPUs that are left over")
    run.finish("four", "five")
    assert run.ending() is Ending.DONE
    assert {node_id for _, node_id in run.begun()[3:]} == {big.node_id}
    run = running(empty_nodes, "six", num_gpus=8)
    run.wait_for(lambda: run.notes.num_of(Shortage), "words about the wait")
    (short,) = [one for one in run.notes.told if isinstance(one, Shortage)]
    assert (short.num_wanted, short.num_there) == (8, 6)
    assert short.why == "a model takes 8 GPUs of one node, and none has so many"
    assert run.stopped() is Ending.STOPPED


@pytest.mark.nightly  # it waits for half a minute
def test_a_node_that_dies_is_an_event_and_no_word_of_rays(tmp_path, nodes, make_video, parrot):
    """Ray prints forty lines about it, whatever its settings; all lines on stderr are JSON. Why nobody comes
    is said with the second word about the wait."""
    node = nodes.add(num_cpus=1, num_gpus=0)
    limits = ["--wait-for-gpus", "40s", "--ray-address", nodes.address]
    command = [*where(tmp_path, make_video, parrot), *limits]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        lines = [json.loads(run.stderr.readline())]
        while lines[-1]["event"] != "waiting":
            lines.append(json.loads(run.stderr.readline()))
        node.kill()
        lines += map(json.loads, run.communicate(timeout=300)[1].splitlines())
    assert run.returncode == 7, lines
    waits = [line for line in lines if line["event"] == "waiting"]
    assert [one["seconds"] for one in waits] == [0, 30]
    assert "no autoscaler" in waits[1]["why"]
    (lost,) = [line for line in lines if line["event"] == "node_lost"]
    assert lost["node_id"] == node.node_id


@pytest.mark.nightly  # two runs
@pytest.mark.skipif(not can_hide_folders(), reason="this user may not mount a disk for a process alone")
def test_a_node_needs_no_file_system_of_the_drivers(
    tmp_path, empty_nodes, make_video, parrot, s3_endpoint, s3_bucket, media_index
):
    """Where films, weights and index are on S3: the node that works sees neither the driver's folders nor
    Ray's. Of films in a folder it says that it does not see them, before anything is spent."""
    node = empty_nodes.add(num_cpus=2, num_gpus=0, hidden=tmp_path)
    where(tmp_path, make_video, parrot)
    s3 = boto3.client("s3", endpoint_url=s3_endpoint)
    for folder, name in ((tmp_path / "library", "films"), (parrot, "weights")):
        for path in (path for path in folder.rglob("*") if path.is_file()):
            s3.upload_file(str(path), s3_bucket, f"{name}/{path.relative_to(folder)}")
    films, index, weights = (f"s3://{s3_bucket}/{name}" for name in ("films", "index", "weights"))
    scratch = tmp_path / "scratch"
    there = ["--index", index, "--endpoint-url", s3_endpoint]
    run = [COMMAND, "run", *there, "--model", weights, "--device", "cpu", "--scratch", scratch]
    run += ["--ray-address", empty_nodes.address, "--log-format", "json"]
    refused = subprocess.run(
        [*run, "--library", tmp_path / "library", "--new-index"], capture_output=True, text=True, timeout=300
    )
    error = json.loads(refused.stderr.splitlines()[-1])
    assert refused.returncode == 8, refused.stderr
    assert f"({node.node_id[:8]}) does not see the library {tmp_path / 'library'}" in error["message"]
    done = subprocess.run([*run, "--library", films], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert media_index("sql", "select uri from videos", *there, "--json").json == [{"uri": f"{films}/a.mp4"}]
    # The driver has heads of the weights; the whole was on the node's own disk.
    assert [path.parent.suffix for path in scratch.rglob("model.safetensors")] == [".heads"]


@pytest.mark.nightly  # four nodes
def test_nodes_that_lack_something_are_named_and_left_out(tmp_path, empty_nodes, make_video, parrot):
    """Where they are all there is, before anything is spent; beside others the run goes on without them."""
    other = tmp_path / "packages" / "media_index-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: media-index\nVersion: 0.0.1\n")
    node = empty_nodes.add(num_cpus=1, num_gpus=0, path=other.parent)
    command = [*where(tmp_path, make_video, parrot), "--ray-address", empty_nodes.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    error = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, error["event"]) == (8, "error")
    assert node.node_id[:8] in error["message"]
    assert "and has version 0.0.1" in error["message"]

    for number in range(60):  # they take longer than a node that comes
        make_video(tmp_path / "library" / f"{number}.mp4", shade=4 * number)
    broken = tmp_path / "broken" / "jobs"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("import a_package_that_is_not_there")
    empty_nodes.add(num_cpus=1, num_gpus=0)
    command = [one for one in command if one not in ("--num-gpus", "2", "--new-index")] + ["--device", "cpu"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        lines = [json.loads(run.stderr.readline())]
        while lines[-1]["event"] != "indexed":
            assert lines[-1]["event"] != "error", lines
            lines.append(json.loads(run.stderr.readline()))
        late = empty_nodes.add(num_cpus=4, num_gpus=0, path=broken.parent)
        lines += map(json.loads, run.communicate(timeout=300)[1].splitlines())
    assert run.returncode == 0, [line for line in lines if line["event"] not in ("progress", "indexed")][-6:]
    left_out = {line["node_id"]: line["why"] for line in lines if line["event"] == "node_left_out"}
    assert set(left_out) == {node.node_id, late.node_id}
    assert "has another build" in left_out[late.node_id]
    assert lines[-1]["num_indexed"] == lines[-1]["num_planned"]
