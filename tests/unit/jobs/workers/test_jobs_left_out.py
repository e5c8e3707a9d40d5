"""Nodes that lack what a run needs: what is found there, and how tasks are kept away from them; no Ray."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, RaySystemError, RayTaskError

from jobs.attempts.actor_failures import NODE_LACKS_CODE, is_lost_machine, lacks_code
from jobs.attempts.tries import AttemptHistory, Try
from jobs.attempts.work import Work
from jobs.cluster.nodes import Node, NodeView
from jobs.driver.node_check import PACKAGE, PARTS, WORKERS, CheckedView
from jobs.failures import Stage, VideoFailure
from jobs.prompts.recipe import Recipe
from jobs.workers.left_out import away_from
from jobs.workers.node_probe import Needs, code_here, probe_node
from jobs.workers.postprocessing.tasks import Postprocessing
from jobs.workers.reading.spans import Source
from schemas.failures import FailureClass
from schemas.identity import VideoObject
from schemas.plan import Reason
from storage.library.local import LocalLibrary

HERE = version(PACKAGE)


def probed(folders=(), package=PACKAGE, parts=PARTS, module=WORKERS, bucket=None, modules=()):
    return probe_node((package, HERE, code_here(PARTS), bucket, modules), parts, module, folders)


def test_a_node_with_everything_lacks_nothing(tmp_path):
    """The library is a folder that can be read."""
    assert probed([str(tmp_path)]) == (HERE, [], None, False)


@pytest.mark.parametrize("lacking", [{"package": "no-such-package"}, {"parts": ("jobs", "no_such_module")}])
def test_a_node_without_the_package_has_no_version(lacking):
    """Neither as one that is installed nor as one that can be imported."""
    assert probed(**lacking) == (None, [], None, False)


def test_another_build_of_the_same_version_is_told_apart(tmp_path, monkeypatch):
    """Where a line of one file differs; where the files are says nothing."""
    for name in ("one", "two", "three"):
        (tmp_path / name / "some_part" / "inner").mkdir(parents=True)
        (tmp_path / name / "some_part" / "__init__.py").touch()
        (tmp_path / name / "some_part" / "inner" / "query.sql").write_text(f"SELECT {name == 'three'}")
    found = []
    for name in ("one", "two", "three"):
        monkeypatch.syspath_prepend(tmp_path / name)
        found.append(code_here(["some_part"]))
    assert found[0] == found[1] != found[2]
    other = probe_node((PACKAGE, HERE, "other", None, ()), PARTS, WORKERS, [])
    assert other == (HERE, [], f"has another build of media-index {HERE}", False)


def test_a_library_of_an_extra_that_is_not_here_is_told():
    """With all that are not."""
    assert probed(modules=("json", "no_such", "nor_this"))[2:] == ("lacks no_such, nor_this", False)


def test_what_models_need_is_asked_of_nodes_with_models_alone():
    """Where models run on CPUs, that is every node."""
    needs = Needs(PACKAGE, HERE, "code", None, None, modules=("a",), model_modules=("b",))
    assert needs.of_node(0).modules == ("a", "b")
    on_gpus = replace(needs, wants_gpus=True)
    assert [on_gpus.of_node(count).modules for count in (0, 1)] == [("a",), ("a", "b")]


def test_a_folder_that_is_not_here_is_missing(tmp_path):
    """So is a file of the name."""
    (tmp_path / "file").touch()
    folders = [str(tmp_path / name) for name in ("nothing", "file")]
    assert probed(folders)[1] == folders


def test_what_keeps_code_and_library_from_being_used_is_told(monkeypatch, tmp_path):
    """Code that does not import, as without a library of its own, and a place where no library can be; both
    stay as they are. A store that does not answer may do so the next time."""
    missing = "No module named 'jobs.no_such_module'"
    assert probed(module="jobs.no_such_module")[2:] == (
        f"cannot import jobs.no_such_module: {missing}",
        False,
    )
    assert probed(bucket=(str(tmp_path / "none"), None))[3] is False
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    _, _, trouble, may_pass = probed(bucket=("s3://films", "http://127.0.0.1:1"))
    assert trouble.startswith("cannot use the library s3://films: no answer from the store")
    assert may_pass


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [
        ((HERE, [], None, False), ""),
        ((HERE, [], "cannot use the library: no answer", True), ""),
        ((HERE, [], "cannot use the library: denied", False), "cannot use the library: denied"),
        ((None, [], None, False), f"needs {PACKAGE} {HERE} and has none"),
        (RayTaskError("probe", "…\nOSError: too many files", OSError()), "cannot be looked at: OSError: too"),
        (ActorDiedError(), ""),
    ],
)
def test_a_node_is_judged_by_its_answer(monkeypatch, answer, lacks):
    """A look that fails by itself is no good sign; a node that goes is told elsewhere. One that could not ask
    the store is asked again."""

    def get(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("jobs.driver.node_check.ray.get", get)
    view = CheckedView(NodeView(None), Needs(PACKAGE, HERE, "code", None, None))
    node = Node("a" * 56, "gpu-1", 1, 1)
    view._known.add(node.node_id)
    judged = view._judged("answer", node)
    assert (judged.startswith(lacks), bool(judged)) == (True, bool(lacks))
    may_pass = isinstance(answer, tuple) and answer[3]
    assert set(view._again_at) == ({node.node_id} if may_pass else set())
    view._again_at = dict.fromkeys(view._again_at, 0.0)
    view._ask_again()
    assert (node.node_id in view._known) == (not may_pass)


def test_rows_wait_until_a_node_without_the_code_is_left_out(tmp_path, monkeypatch):
    """They are not made without a look at the file for its sake, however often it happens."""
    recipe = Recipe(None, None, "float32", Fraction(1), 1, ())
    rows = Postprocessing(Source(LocalLibrary(tmp_path), tmp_path, Fraction(1), None), recipe, "run", 1)
    begun: list[Any] = []

    def remote(job):
        begun.append(job)
        return len(begun)

    monkeypatch.setattr(rows, "_task_on", lambda node_id: SimpleNamespace(remote=remote))
    monkeypatch.setattr("jobs.workers.postprocessing.tasks.LACKS_CODE_PAUSE_S", 0.0)
    work = Work(VideoObject("a.mp4", 1, 1), "key", Reason.NEW, max_frames=9)
    video = AttemptHistory(work, (Try(1, datetime.now(UTC), 1.0, None),))
    lacking = VideoFailure(Stage.ROWS, FailureClass.LOST, NODE_LACKS_CODE, "it has not", "None.")
    rows.submit(video, b"answers", None)
    for number in range(1, 200):
        (ref,) = rows.refs
        assert rows.take(ref, lacking) is None
        assert (len(rows), rows.refs, rows.unfinished()) == (1, [], [video])
        rows.redo_frozen()
        assert len(begun) == number + 1
    monkeypatch.setattr("jobs.workers.postprocessing.tasks.LACKS_CODE_PAUSE_S", 9.0)
    rows.take(rows.refs[0], lacking)
    rows.redo_frozen()
    assert rows.refs == []


def test_tasks_go_elsewhere_as_ray_says_it():
    """Without such nodes nothing is said, which costs nothing."""
    assert away_from(()) == {}
    assert away_from({"b", "a"}) == {"label_selector": {"ray.io/node-id": "!in(a,b)"}}


def test_a_node_without_the_code_blames_no_video():
    """Ray tells it of tasks and of actors by these words alone."""
    words = "The remote function failed to import on the worker. This may be because needed …"
    task = RayTaskError("read", words, RuntimeError(words))
    assert lacks_code(task)
    assert not lacks_code(RayTaskError("read", "a bug", RuntimeError("a bug")))
    read = "At least one of the input arguments for this task could not be computed: ModuleNotFoundError: …"
    assert lacks_code(RayTaskError("read", read, RaySystemError("No module named 'jobs'")))
    assert not lacks_code(RayTaskError("read", "no room", RaySystemError("no room")))
    assert is_lost_machine(ActorDiedError(task))
    assert not is_lost_machine(ActorDiedError(RayTaskError("read", "a bug", RuntimeError("a bug"))))
