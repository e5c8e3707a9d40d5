"""Who is at work on an index: a log of numbered files, each holding all that hold a lease.

A file is created only as the successor of the newest one, so all changes have one order, on any store that
can create a file once. A holder renews its lease by counting up its beats; one whose count stands still for
`TTL_S` on the watcher's own clock is taken for dead. No two clocks are ever compared.

A lease keeps work from being done twice. It guards no data: commits and snapshots are safe without it, so a
holder that was frozen and wakes up can do no harm.
"""

import logging
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from schemas.failures import LeaseHeldError
from schemas.identity import new_run_id
from schemas.tables import SCHEMA_VERSION
from storage.errors import ObjectError
from storage.index.json_files import read_json
from storage.index.layout import LEASES, lease_key
from storage.objects.store import ObjectStore

RENEW_EVERY_S = 10.0
_log = logging.getLogger(__name__)
TTL_S = 45.0  # a holder that has not been seen to beat for so long is taken for dead
ALONE = {"forget"}  # kinds that go with no other kind: what they take away others may be reading or merging
LOOK_EVERY_S = 1.0
_KEPT = 20  # of the newest files
_NAME = re.compile(re.escape(LEASES) + r"\d{10}\.json")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Holder(BaseModel):
    """One process that holds a lease. `claim` is the plan whose videos it has for itself."""

    model_config = ConfigDict(frozen=True)

    kind: str  # of work: at most one holder each
    run_id: str
    host: str
    machine: str  # on which `pid` means something: its boot, and the process namespace
    pid: int
    since: datetime
    beat: int = 0
    claim: str | None = None


class LeaseLog(BaseModel):
    """The content of one lease file."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    number: int = 0
    holders: tuple[Holder, ...] = ()

    def of(self, kind: str) -> Holder | None:
        """The holder of that kind of lease."""
        return next((holder for holder in self.holders if holder.kind == kind), None)


def read_log(store: ObjectStore) -> LeaseLog:
    """The newest state; without a file nobody holds anything. PreflightError: it is damaged, or newer."""
    newest = max(filter(_NAME.fullmatch, store.list(LEASES)), default=None)
    if newest is None:
        return LeaseLog()
    hint = "If nothing runs on this index, delete that file."
    return read_json(LeaseLog, store.read(newest), f"{store.url}/{newest}", hint)


@dataclass(frozen=True)
class Lease:
    """A lease, held until `release`, or until somebody took it from a holder that seemed dead."""

    store: ObjectStore
    kind: str
    run_id: str

    def claim(self, plan: str) -> list[str]:
        """Say that this plan's videos are ours: the plans of those who said so before.

        LeaseHeldError: the lease was lost.
        """
        before = self._change(lambda mine: mine.model_copy(update={"claim": plan}))
        return [h.claim for h in before.holders if h.claim and h.run_id != self.run_id]

    def renew(self) -> None:
        """Show that we live. LeaseHeldError: too late, somebody took the lease."""
        self._change(lambda mine: mine.model_copy(update={"beat": mine.beat + 1}))

    def release(self) -> None:
        """Release the lease, so that the next one can begin. That somebody has it already is no error."""
        with suppress(LeaseHeldError):
            self._change(lambda mine: None)

    def _change(self, change: Callable[[Holder], Holder | None]) -> LeaseLog:
        """Replace our own entry; the state before."""
        while True:
            log = read_log(self.store)
            mine = log.of(self.kind)
            if mine is None or mine.run_id != self.run_id:
                taker = f"run {mine.run_id} on {mine.host}" if mine else "somebody"
                raise LeaseHeldError(
                    f"the lease on {self.store.url} was lost: {taker} took it while this run stood still",
                    "Repeat the command when that run is over; what is committed stays.",
                )
            changed = change(mine)
            others = tuple(holder for holder in log.holders if holder.kind != self.kind)
            if _append(self.store, log, others + ((changed,) if changed else ())):
                return log


def acquire(store: ObjectStore, kind: str, run_id: str, wait: Callable[[Holder], None]) -> Lease:
    """Hold the lease of this kind, unless another holder is in its way: of the same kind, or one of `ALONE`.

    Where a holder may be dead, `wait` is told once, and it is watched for `TTL_S`; one on this machine whose
    process is gone is dead at once. LeaseHeldError: it lives.
    """
    mine = Holder(
        kind=kind,
        run_id=run_id,
        host=socket.gethostname(),
        machine=machine_name(),
        pid=os.getpid(),
        since=datetime.now(UTC),
    )
    while True:
        log = read_log(store)
        in_the_way = [h for h in log.holders if h.kind == kind or {h.kind, kind} & ALONE]
        for held in in_the_way:
            if not is_gone(held):
                wait(held)
                _watch(store, held)
        others = tuple(holder for holder in log.holders if holder not in in_the_way)
        if _append(store, log, (*others, mine)):
            _log.info("%s %s holds the lease", kind, run_id, extra={"event": "lease_held"})
            return Lease(store, kind, run_id)


def _watch(store: ObjectStore, held: Holder) -> None:
    """Wait until `held` is gone, or taken for dead. LeaseHeldError: it was seen to live."""
    give_up = time.monotonic() + TTL_S
    while time.monotonic() < give_up:
        time.sleep(LOOK_EVERY_S)
        now = read_log(store).of(held.kind)
        if now is None:
            return
        if now != held:
            raise LeaseHeldError(
                f"{store.url}: {now.kind} {now.run_id} is at work, since {now.since:%Y-%m-%d %H:%M:%S} UTC "
                f"on {now.host} (process {now.pid})",
                "Wait for it to end, or stop it; `media-index status` shows it.",
            )


def _append(store: ObjectStore, log: LeaseLog, holders: tuple[Holder, ...]) -> bool:
    """False: somebody else changed it first."""
    following = LeaseLog(number=log.number + 1, holders=holders)
    created = store.put_if_absent(lease_key(following.number), following.model_dump_json(indent=1).encode())
    if created and following.number > _KEPT:
        with suppress(ObjectError):  # of no use to anybody; the next change tries the next one
            store.delete(lease_key(following.number - _KEPT))
    return created


def is_gone(holder: Holder) -> bool:
    """Whether the holder is known to be dead: its process was on this machine, and is no more."""
    if holder.machine != machine_name():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # there is one, of another user
    return False


def machine_name() -> str:
    """Names this boot and process namespace: containers of one host share the one but not the other."""
    try:
        return f"{_BOOT_ID.read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux: only watching tells
        return f"{socket.gethostname()} {os.getppid()} {time.monotonic()}"


@contextmanager
def holding(store: ObjectStore, kind: str, wait: Callable[[Holder], None]) -> Iterator[Callable[[], None]]:
    """Hold a lease for upkeep. What it gives is called between steps: LeaseHeldError once it was lost."""
    lost: list[LeaseHeldError] = []

    def check() -> None:
        if lost:
            raise lost[0]

    work_id = new_run_id(datetime.now(UTC), secrets.token_hex(8))
    with KeptLease(acquire(store, kind, work_id, wait), lost.append):
        yield check


class KeptLease:
    """Renews a lease in a thread while a run is at work, and says when it was lost."""

    def __init__(self, lease: Lease, lost: Callable[[LeaseHeldError], None]) -> None:
        self._lease = lease
        self._lost = lost
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self._lease

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with suppress(ObjectError):  # it will be taken for dead
            self._lease.release()

    def _keep(self) -> None:
        while not self._over.wait(RENEW_EVERY_S):
            try:
                self._lease.renew()
            except LeaseHeldError as error:
                self._lost(error)
                return
            except ObjectError:
                pass  # the next beat may reach the store; until then we are at most taken for dead
