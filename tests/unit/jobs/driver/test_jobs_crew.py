"""What becomes of a node on which the model does not load; no Ray."""

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobs.attempts.tries import ActorLocation, NotLoaded
from jobs.cluster.nodes import Node, Nodes
from jobs.driver.loop.actors import ActorHandle, ActorPool
from jobs.driver.loop.crew import MAX_LOAD_TRIES, TRIED_AGAIN_S, Crew
from jobs.driver.loop.machines import Machines
from jobs.driver.loop.queue import WorkQueue
from jobs.failures import Stage, classify
from jobs.workers.placement import Placement
from schemas.failures import PreflightError
from storage.errors import NoSpace, StorageUnavailable
from videoxl2.errors import ModelMemoryError

ONE, TWO = (Node(f"gpu{n}" * 14, f"gpu-{n}", 4, 1) for n in (1, 2))
FULL = classify(NoSpace("no room for 16 GB", "Free some."), Stage.LOAD)
TAKEN = classify(ModelMemoryError("the weights do not fit", "End others."), Stage.LOAD)
AWAY = classify(StorageUnavailable("no answer from the store", "Repeat."), Stage.LOAD)


@dataclass
class Site:
    """A cluster with these nodes; nobody is told of anything."""

    nodes: tuple[Node, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    for_s: list[float] = field(default_factory=list)

    def look(self):
        return Nodes({node.node_id: node for node in self.nodes}, left_out=dict(self.left_out))

    def why_no_more(self):
        return None

    def leave_out(self, node_id, why, seconds=math.inf):
        self.left_out[node_id] = why
        self.for_s.append(seconds)

    def short(self, shortage):
        pass

    def node(self, event):
        pass

    def scaled(self, num_gpus, num_wanted):
        pass

    def left_over(self, *_):
        pass


@pytest.fixture
def crew_of(monkeypatch):
    """The crew of a run at a site, and its pool."""
    monkeypatch.setattr("jobs.driver.loop.actors.ray.kill", lambda actor: None)

    def make(site: Site) -> tuple[Crew, ActorPool]:
        pool = ActorPool(lambda: None, 2)
        crew = Crew(pool, Machines(site, Placement(2, "cuda", 0, 0), 9.0, site), WorkQueue([]))
        crew.look()
        return crew, pool

    return make


def begun(pool: ActorPool) -> ActorHandle:
    """An actor that loads, somewhere."""
    nothing: Any = None
    pool.handles.append(ActorHandle(nothing, nothing))
    return pool.handles[-1]


def test_a_node_without_room_for_the_weights_is_left_out_and_the_last_one_ends_the_run(crew_of):
    """At once: its disk does not grow."""
    site = Site((ONE, TWO))
    crew, pool = crew_of(site)
    crew.started(begun(pool), NotLoaded(ONE.node_id, FULL))
    assert site.left_out == {ONE.node_id: "could not load the model: no room for 16 GB"}
    assert (pool.handles, site.for_s) == ([], [math.inf])
    crew.look()
    with pytest.raises(PreflightError, match="the model cannot be loaded: no room for 16 GB"):
        crew.started(begun(pool), NotLoaded(TWO.node_id, FULL))


@pytest.mark.parametrize("failure", [AWAY, TAKEN])
def test_a_node_where_it_may_go_well_later_is_left_out_for_a_while(crew_of, failure):
    """Where the model was loaded before, it is not left out at all."""
    site = Site((ONE, TWO))
    crew, pool = crew_of(site)
    crew.started(begun(pool), ActorLocation(TWO.node_id, "gpu-2", "cuda"))
    crew.started(begun(pool), NotLoaded(TWO.node_id, failure))
    assert site.left_out == {}
    crew.started(begun(pool), NotLoaded(ONE.node_id, failure))
    assert (set(site.left_out), site.for_s) == ({ONE.node_id}, [TRIED_AGAIN_S])


def test_the_only_node_is_asked_again_where_its_store_does_not_answer(crew_of):
    """A few times; then the run ends."""
    crew, pool = crew_of(Site((ONE,)))
    for _ in range(MAX_LOAD_TRIES - 1):
        crew.started(begun(pool), NotLoaded(ONE.node_id, AWAY))
        assert pool.handles == []
    with pytest.raises(PreflightError, match="no answer from the store"):
        crew.started(begun(pool), NotLoaded(ONE.node_id, AWAY))
