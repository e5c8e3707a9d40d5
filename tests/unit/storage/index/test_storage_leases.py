"""Leases: one worker of a kind, whoever dies, freezes or comes at the same moment."""

import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from schemas.failures import LeaseHeldError
from storage.index import leases
from storage.index.leases import Holder, KeptLease, acquire, read_log
from storage.objects.local import LocalStore


@pytest.fixture
def store(tmp_path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.fixture
def short_ttl(monkeypatch):
    monkeypatch.setattr(leases, "TTL_S", 0.3)
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)


def take(store, kind="run", run_id="r1"):
    return acquire(store, kind, run_id, wait=lambda holder: None)


def test_a_living_holder_keeps_others_out(store, short_ttl):
    """The second one is told who is at work, and since when."""
    with (
        KeptLease(take(store), lost=lambda error: pytest.fail(str(error))),
        pytest.raises(LeaseHeldError, match="r1 is at work"),
    ):
        take(store, run_id="r2")
    assert take(store, run_id="r2").run_id == "r2"


def test_nightly_and_backfill_go_together(store, short_ttl):
    """Each kind has its own lease, and the later one is told what the earlier one has for itself."""
    nightly, backfill = take(store), take(store, "backfill", "r2")
    assert nightly.claim("plans/r1.parquet") == []
    assert backfill.claim("plans/r2.parquet") == ["plans/r1.parquet"]
    nightly.release()
    assert [holder.kind for holder in read_log(store).holders] == ["backfill"]


def test_a_dead_process_of_this_machine_is_followed_at_once(store):
    """After a crash the same command goes on without waiting."""
    code = (
        "import os, sys; from pathlib import Path; from storage.index.leases import acquire; "
        "from storage.objects.local import LocalStore; "
        "acquire(LocalStore(Path(sys.argv[1])), 'run', 'crashed', print); os.kill(os.getpid(), 9)"
    )
    died = subprocess.run([sys.executable, "-c", code, str(store.root)], check=False)
    assert died.returncode == -9
    assert read_log(store).of("run").run_id == "crashed"
    acquire(store, "run", "r2", wait=lambda holder: pytest.fail("it is known to be dead"))


def test_a_dead_machine_is_watched_before_it_is_followed(store, short_ttl, monkeypatch):
    """From elsewhere only a beat that stands still tells."""
    monkeypatch.setattr(leases, "machine_name", lambda: "another")
    take(store)
    monkeypatch.undo()
    monkeypatch.setattr(leases, "TTL_S", 0.2)
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.05)
    waited: list[Holder] = []
    acquire(store, "run", "r2", wait=waited.append)
    assert [holder.run_id for holder in waited] == ["r1"]


def test_a_frozen_holder_learns_that_it_was_followed(store, short_ttl):
    """Woken up, it stops instead of working beside the one that took its lease."""
    frozen = take(store)
    take(store, run_id="r2")  # after the time to live, as nobody renews
    with pytest.raises(LeaseHeldError, match="run r2"):
        frozen.renew()
    frozen.release()
    assert read_log(store).of("run").run_id == "r2"
    told = threading.Event()
    with KeptLease(frozen, lost=lambda error: told.set()):
        assert told.wait(5)


NUM_RACERS = 3


def _race(root: str, run_id: str, start, won, losers) -> None:
    leases.TTL_S, leases.LOOK_EVERY_S, leases.RENEW_EVERY_S = 10.0, 0.05, 0.05
    start.wait()
    try:
        with KeptLease(acquire(LocalStore(Path(root)), "run", run_id, wait=lambda holder: None), lost=print):
            won.put(run_id)
            for _ in range(NUM_RACERS - 1):
                losers.acquire(timeout=60)
    except LeaseHeldError:
        losers.release()


def test_of_many_that_come_at_once_one_begins(store):
    """Creating the next file decides."""
    context = multiprocessing.get_context("spawn")
    start, won, losers = context.Barrier(NUM_RACERS), context.Queue(), context.Semaphore(0)
    racers = [
        context.Process(target=_race, args=(store.root, f"r{n}", start, won, losers))
        for n in range(NUM_RACERS)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    won.get(timeout=60)
    assert won.empty()
