"""A machine of the cluster goes away while it works."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

COMMAND = Path(sys.executable).with_name("media-index")
NUM_VIDEOS = 4


@pytest.fixture
def cluster(no_ray):
    """A head that does no work, and one machine that does."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


def test_videos_of_a_lost_machine_are_done_elsewhere(tmp_path, cluster, make_video, parrot, media_index):
    """Its raylet is killed after the second video; the others are done on the machine that came."""
    library = tmp_path / "library"
    library.mkdir()
    for number in range(NUM_VIDEOS):
        make_video(library / f"{number}.mp4", seconds=2, shade=30 * number)
    where = ["--library", library, "--index", tmp_path / "index", "--model", parrot, "--device", "cpu"]
    doomed = cluster.add_node(num_cpus=2)
    run = subprocess.Popen(
        [COMMAND, "run", *map(str, where), "--new-index", "--ray-address", cluster.address],
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(240, run.kill)
    watchdog.start()
    try:
        assert run.stderr
        indexed = 0
        while indexed < 2 and (line := run.stderr.readline()):
            indexed += line.startswith("indexed")
        cluster.add_node(num_cpus=2)
        cluster.remove_node(doomed, allow_graceful=False)
        rest = run.communicate()[1]
    finally:
        watchdog.cancel()
        run.kill()
    assert run.returncode == 0, rest
    query = "select count(*) as n, count(distinct video_id) as videos from videos"
    rows = media_index("sql", query, "--index", tmp_path / "index", "--json").json
    assert rows == [{"n": NUM_VIDEOS, "videos": NUM_VIDEOS}]
