"""Which actors are needed, by what they hold; no Ray."""

from typing import Any

import pytest

from jobs.attempts.tries import ActorLocation
from jobs.attempts.work import Work
from jobs.driver.loop.actors import IDLE_KEPT_S, LOADING_MAY_TAKE_S, ActorHandle, ActorPool
from schemas.identity import VideoObject
from schemas.plan import Reason

WORK = Work(VideoObject("a.mp4", 1, 1), "key", Reason.NEW, max_frames=9)
HERE = ActorLocation("node", "here", "cuda")


def handle(location=HERE, work=None, upcoming=None) -> ActorHandle:
    nothing: Any = None
    return ActorHandle(nothing, nothing, location, work, upcoming, idle_since=100.0)


def pool_of(*handles: ActorHandle, size: int = 9) -> ActorPool:
    pool = ActorPool(lambda: None, size)
    pool.handles.extend(handles)
    return pool


def test_what_waits_for_a_machine_without_a_video_for_it_is_let_go():
    """Else an autoscaler would start a node for nothing. One that loads is kept: its GPU is paid for."""
    busy, pending, loading = handle(work=WORK), handle(None), handle(None)
    loading.there_since = 101.0
    pool = pool_of(busy, pending, loading)
    assert (pool.num_placed, pool.pending_s(130.0)) == (2, 30.0)
    assert pool.states() == {"busy": 1, "waiting": 1, "loading": 1}
    assert pool.needless(num_waiting=2, now=200.0) == []
    assert pool.needless(num_waiting=1, now=200.0) == [pending]
    assert pool.needless(num_waiting=0, now=200.0) == [pending]
    busy.upcoming = WORK
    assert pool.needless(num_waiting=1, now=200.0) == [], "it may yet take what another reads ahead"
    pool.resize(2)
    assert pool.needless(num_waiting=9, now=200.0) == [pending]


def test_a_model_without_a_video_gives_its_gpu_back_after_a_while():
    """Not at once: a video may come back to be tried again."""
    busy, idle, holder = handle(work=WORK), handle(), handle(upcoming=WORK)
    pool = pool_of(busy, idle, holder)
    assert pool.needless(0, now=100.0 + IDLE_KEPT_S) == []
    assert pool.needless(0, now=101.0 + IDLE_KEPT_S) == [idle]
    assert pool.needless(1, now=101.0 + IDLE_KEPT_S) == []


@pytest.mark.parametrize("location", [None, HERE])
def test_weights_that_do_not_load_are_noticed(monkeypatch, location):
    """A process that answers and hangs while it loads; its clock begins when it is there."""
    one: Any = handle(location)
    monkeypatch.setattr("jobs.driver.loop.actors.ray.get", lambda pulse: 0.0)
    one.pulse = "asked"
    assert one.feel_pulse(is_answered=True) is None
    one.there_since -= LOADING_MAY_TAKE_S + 1
    one.pulse = "asked"
    why = one.feel_pulse(is_answered=True)
    assert why == (None if location else "its weights were not loaded within 60 min")
