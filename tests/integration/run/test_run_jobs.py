"""A run as a job of the cluster: what a scheduler sees of how it ended."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_nodes import free_port, ray_nodes, wait_for

pytest.importorskip("aiohttp", reason="pip install 'ray[default]'")

COMMAND = Path(sys.executable).with_name("media-index")
STOPS_WITHIN_S = "60"


@pytest.fixture(scope="module")
def client(no_ray: None) -> Iterator[Any]:
    """Of the jobs of a cluster with one CPU."""
    from ray.job_submission import JobSubmissionClient

    port = free_port()
    with ray_nodes(head_cpus=1, dashboard_port=port):
        made: list[JobSubmissionClient] = []

        def connect() -> bool:
            try:
                made.append(JobSubmissionClient(f"http://127.0.0.1:{port}"))
                made[0].list_jobs()
            except Exception:
                made.clear()
            return bool(made)

        wait_for(connect, "the dashboard", timeout_s=300)
        yield made[0]


@pytest.fixture
def films(tmp_path, make_video) -> Path:
    """A film, and a file that is none."""
    library = tmp_path / "library"
    library.mkdir()
    make_video(library / "a.mp4")
    (library / "b.mp4").write_bytes(b"no film")
    return library


def command(films: Path, index: Path, *more: object) -> list[str]:
    """A run that makes an index of these films."""
    return [str(one) for one in (COMMAND, "run", "--library", films, "--index", index, "--new-index", *more)]


def ended(client: Any, job: str) -> Any:
    """What the API says of the job once it is over."""
    wait_for(lambda: client.get_job_info(job).status.is_terminal(), "the end of the job", timeout_s=600)
    return client.get_job_info(job)


def codes(media_index, index: Path) -> list[int]:
    """With which codes runs ended, as the index has them."""
    return [row["exit_code"] for row in media_index("sql", "FROM runs", "--index", index, "--json").json]


def test_a_jobs_exit_code_is_that_of_the_run(client, films, tmp_path, media_index):
    """3 where a file was set aside; with `--ok 3` the job has succeeded, and the index still says 3. The run
    joins the cluster, though nobody names it."""
    for more, status, code in (((), "FAILED", 3), (("--ok", "3"), "SUCCEEDED", 0)):
        index = tmp_path / f"index{code}"
        job = client.submit_job(entrypoint=shlex.join(command(films, index, "--signal", "cues", *more)))
        info = ended(client, job)
        logs = client.get_job_logs(job)
        assert (info.status.value, info.driver_exit_code) == (status, code), logs
        assert info.driver_info is not None
        assert codes(media_index, index) == [3]


def test_a_job_that_is_stopped_ends_in_good_order(client, films, tmp_path, parrot, media_index):
    """It has no code then, and the index says that it was interrupted. This one waits for a GPU."""
    index, said = tmp_path / "index", {"RAY_JOB_STOP_WAIT_TIME_S": STOPS_WITHIN_S}
    entrypoint = shlex.join(command(films, index, "--model", parrot))
    job = client.submit_job(entrypoint=entrypoint, runtime_env={"env_vars": said})
    wait_for(lambda: "waiting" in client.get_job_logs(job), "words about the wait", timeout_s=600)
    client.stop_job(job)
    info = ended(client, job)
    assert (info.status.value, info.driver_exit_code) == ("STOPPED", None)
    assert codes(media_index, index) == [130]
