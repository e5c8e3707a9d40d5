"""Nodes that lack what a run needs: what is found there, and how tasks are kept away from them; no Ray."""

from importlib.metadata import version

import pytest
from ray.exceptions import ActorDiedError, RayTaskError

from jobs.attempts.actor_failures import is_lost_machine, lacks_code
from jobs.driver.node_check import PACKAGE, PARTS, WORKERS
from jobs.workers.left_out import away_from
from jobs.workers.node_probe import code_here, probe_node

HERE = version(PACKAGE)


def probed(folders=(), package=PACKAGE, parts=PARTS, module=WORKERS, bucket=None):
    return probe_node((package, HERE, code_here(PARTS), bucket), parts, module, folders)


def test_a_node_with_everything_lacks_nothing(tmp_path):
    """The library is a folder that can be read."""
    assert probed([str(tmp_path)]) == (HERE, [], None)


@pytest.mark.parametrize("lacking", [{"package": "no-such-package"}, {"parts": ("jobs", "no_such_module")}])
def test_a_node_without_the_package_has_no_version(lacking):
    """Neither as one that is installed nor as one that can be imported."""
    assert probed(**lacking) == (None, [], None)


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
    other = probe_node((PACKAGE, HERE, "other", None), PARTS, WORKERS, [])
    assert other == (HERE, [], f"has another build of media-index {HERE}")


def test_a_folder_that_is_not_here_is_missing(tmp_path):
    """So is a file of the name."""
    (tmp_path / "file").touch()
    folders = [str(tmp_path / name) for name in ("nothing", "file")]
    assert probed(folders)[1] == folders


def test_what_keeps_code_and_library_from_being_used_is_told(monkeypatch):
    """Code that does not import, as without a library of its own, and a store that does not answer."""
    (_, _, trouble) = probed(module="jobs.no_such_module")
    assert trouble == "cannot import jobs.no_such_module: No module named 'jobs.no_such_module'"
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    (_, _, trouble) = probed(bucket=("s3://films", "http://127.0.0.1:1"))
    assert trouble.startswith("cannot use the library s3://films: no answer from the store")


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
    assert is_lost_machine(ActorDiedError(task))
    assert not is_lost_machine(ActorDiedError(RayTaskError("read", "a bug", RuntimeError("a bug"))))
