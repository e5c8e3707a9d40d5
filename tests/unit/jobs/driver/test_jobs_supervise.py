"""The loop in its thread: whatever it waits for, signals are handled and a dead Ray ends the run."""

import signal
import threading
import time
from dataclasses import dataclass, field

import pytest

from jobs.cluster.joining import Cluster
from jobs.cluster.nodes import NodeView
from jobs.cluster.vital_signs import ClusterLostError
from jobs.driver.loop import supervise as supervising
from jobs.driver.loop.supervise import OneHand, supervise
from jobs.settings.limits import Ending


@dataclass
class Signs:
    """Dead once somebody says so."""

    said: str | None = None

    def death(self) -> str | None:
        return self.said


@dataclass
class BlockedLoop:
    """Waits as in a call into a dead Ray, which never comes back; wakes up when the test is over."""

    sees_it: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)
    abandoned: int = 0
    cluster: Cluster | None = None

    def run(self, stop: threading.Event) -> Ending:
        while not self.is_over.wait(0.01):
            if self.sees_it and self.cluster:
                self.cluster.check()
        return Ending.STOPPED

    def abandon(self) -> None:
        self.abandoned += 1


@pytest.fixture
def signs():
    return Signs()


@pytest.fixture
def cluster(signs):
    return Cluster(signs, NodeView(None))


@pytest.mark.parametrize("sees_it", [True, False])
def test_a_dead_ray_ends_the_run_also_where_the_loop_never_comes_back(monkeypatch, signs, cluster, sees_it):
    """Abandoned only if it has to be."""
    monkeypatch.setattr(supervising, "LOOP_MAY_TAKE_S", 30.0 if sees_it else 0.1)
    loop = BlockedLoop(sees_it, cluster=cluster)
    threading.Timer(0.2, setattr, (signs, "said", "its raylet ended (killed by SIGKILL)")).start()
    with pytest.raises(ClusterLostError, match="raylet ended") as lost:
        supervise(loop, cluster, threading.Event())
    loop.is_over.set()
    assert lost.value.exit_code == 1
    assert loop.abandoned == (not sees_it)


def test_a_ray_that_dies_while_the_run_is_to_stop_is_no_failure(signs, cluster):
    """As where Ctrl-C or a service's stop reaches its processes as well."""
    stop = threading.Event()
    stop.set()
    signs.said = "its raylet ended (killed by SIGTERM)"
    loop = BlockedLoop(sees_it=True, cluster=cluster)
    assert supervise(loop, cluster, stop) is Ending.STOPPED


@pytest.fixture
def interruptible():
    """A process that a shell began in the background ignores SIGINT, and so would the tests in it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_signals_are_handled_while_the_loop_is_blocked(cluster):
    """The first Ctrl-C asks the loop to stop, the second one ends it at once."""
    loop, stop = BlockedLoop(), threading.Event()
    main = threading.get_ident()
    for seconds in (0.2, 0.4):
        threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        supervise(loop, cluster, stop)
    loop.is_over.set()
    assert (stop.is_set(), loop.abandoned) == (True, 1)


class ObedientLoop(BlockedLoop):
    def run(self, stop: threading.Event) -> Ending:
        stop.wait()
        return Ending.STOPPED


@pytest.mark.usefixtures("interruptible")
def test_a_loop_that_stops_when_it_is_asked_ends_the_run_in_peace(cluster):
    """Also where nobody handles signals: from Python, Ctrl-C is a KeyboardInterrupt."""
    loop = ObedientLoop()
    threading.Timer(0.2, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
    assert supervise(loop, cluster, threading.Event()) is Ending.STOPPED
    assert loop.abandoned == 0


class FailingLoop(BlockedLoop):
    def run(self, stop: threading.Event) -> Ending:
        raise RuntimeError("a call into Ray failed")


def test_what_the_loop_raises_is_raised_unless_ray_dies(monkeypatch, signs, cluster):
    """A failed call is then its first sign, also where the processes end a moment later."""
    monkeypatch.setattr(supervising, "RAY_MAY_TAKE_S", 0.3)
    with pytest.raises(RuntimeError, match="failed"):
        supervise(FailingLoop(), cluster, threading.Event())
    monkeypatch.setattr(supervising, "RAY_MAY_TAKE_S", 30.0)
    threading.Timer(0.3, setattr, (signs, "said", "its raylet ended (exit code 0)")).start()
    with pytest.raises(ClusterLostError):
        supervise(FailingLoop(), cluster, threading.Event())


class SlowSettler:
    """Notes what it is told; a commit takes its time."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_at_it = threading.Event()

    def indexed(self, video, made) -> None:
        self.is_at_it.set()
        time.sleep(0.3)
        self.told.append(video)

    def unsettled(self, video) -> None:
        self.told.append(video)

    def tick(self) -> None:
        self.told.append("tick")


def test_a_takeover_waits_for_the_commit_under_way_and_lets_nothing_in_after_it():
    """A loop that wakes up later settles nothing any more."""
    settler = SlowSettler()
    hand = OneHand()
    loop = threading.Thread(target=hand.do, args=(settler.indexed, "committed", None))
    loop.start()
    assert settler.is_at_it.wait(10)
    hand.take_over()
    assert settler.told == ["committed"]

    def settle_late():
        hand.do(settler.indexed, "late", None)
        hand.do(settler.tick)

    late = threading.Thread(target=settle_late)
    late.start()
    late.join()
    hand.do(settler.unsettled, "cut off")
    loop.join()
    assert settler.told == ["committed", "cut off"]
