"""The nodes of the cluster: which are alive, which are about to go, and what they can do.

Asked of the control store, by a client whose calls have a limit: `ray.nodes` waits for ever where the store
is gone, and says nothing of nodes that drain.
"""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ray.exceptions import RayError

from jobs.cluster.address import first_line
from jobs.cluster.autoscaling import free_by_node, why_no_more

ASK_S = 2.0
_ALIVE = 0  # of `GcsNodeInfo.state`
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Node:
    """One machine, or container, of the cluster."""

    node_id: str
    host: str
    num_cpus: int
    num_gpus: int

    def __str__(self) -> str:
        return f"{self.host} ({self.node_id[:8]})"


@dataclass(frozen=True)
class Nodes:
    """All of them at one moment. Those that drain, by id with the deadline as Unix time in ms (0: none), and
    those that the run leaves out, with what they lack, take no more work; `deaths` says of those that are
    gone how they went, `free_gpus` how many nobody uses."""

    alive: Mapping[str, Node] = field(default_factory=dict)
    draining: Mapping[str, int] = field(default_factory=dict)
    deaths: Mapping[str, str] = field(default_factory=dict)
    free_gpus: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        draining = f", {len(self.draining)} draining" if self.draining else ""
        return f"{len(self.alive)} nodes{draining}, {self.num_cpus} CPUs, {self.num_gpus} GPUs"

    @property
    def num_cpus(self) -> int:
        """CPUs on nodes that take work."""
        return sum(node.num_cpus for node in self._taking_work())

    @property
    def num_gpus(self) -> int:
        """GPUs on nodes that take work."""
        return sum(node.num_gpus for node in self._taking_work())

    def room_for(self, num_gpus: int) -> int:
        """Count how many times there are so many GPUs on one node that takes work."""
        return sum(node.num_gpus // num_gpus for node in self._taking_work())

    def free_room_for(self, num_gpus: int) -> int:
        """Count how many times there are so many GPUs that nobody uses on one node that takes work."""
        return sum(self.free_gpus.get(node.node_id, 0) // num_gpus for node in self._taking_work())

    def is_leaving(self, node_id: str) -> bool:
        """Whether it drains, is left out, or is gone."""
        return node_id in self.draining or node_id in self.left_out or node_id in self.deaths

    def _taking_work(self) -> Iterator[Node]:
        return (node for node in self.alive.values() if not self.is_leaving(node.node_id))


@dataclass(frozen=True)
class Joined:
    """A node came."""

    node: Node


@dataclass(frozen=True)
class Draining:
    """A node is about to go; `deadline_ms` is Unix time, 0 where none was said."""

    node: Node
    deadline_ms: int


@dataclass(frozen=True)
class LeftOut:
    """A node is alive, and of no use to the run; `why` says what it lacks."""

    node: Node
    why: str


@dataclass(frozen=True)
class Lost:
    """A node is gone; `why` is Ray's word for it."""

    node: Node
    why: str


NodeEvent = Joined | Draining | LeftOut | Lost


def changes(before: Nodes, now: Nodes) -> Iterator[NodeEvent]:
    """Yield what happened between two looks at the cluster."""
    for node_id, node in now.alive.items():
        if node_id not in before.alive:
            yield Joined(node)
    for node_id in now.draining.keys() - before.draining.keys():
        if node_id in now.alive:
            yield Draining(now.alive[node_id], now.draining[node_id])
    for node_id in now.left_out.keys() - before.left_out.keys():
        if node_id in now.alive:
            yield LeftOut(now.alive[node_id], now.left_out[node_id])
    for node_id, node in before.alive.items():
        if node_id not in now.alive:
            yield Lost(node, now.deaths.get(node_id, "it is not listed any more"))


class View(Protocol):
    """Sees the nodes."""

    def look(self) -> Nodes | None:
        """The nodes now; None where nobody answers."""

    def why_no_more(self) -> str | None:
        """Return what the cluster does about too few nodes; None: it does not say."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """The nodes that are left out, and why."""

    def leave_out(self, node_id: str, why: str, seconds: float = math.inf) -> None:
        """Count a node among those that are of no use to the run, for so long from the next look on."""


class NodeView:
    """Looks at the nodes through a client of the control store."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sees_draining = True
        self._left_out: dict[str, tuple[str, float]] = {}  # why, and until when on the monotonic clock

    def look(self) -> Nodes | None:
        """The nodes now; None where the store did not answer in time."""
        try:
            records = self._client.get_all_node_info(timeout=ASK_S)
            draining = self._draining()
            free_gpus = free_by_node(self._client, "GPU", ASK_S)
        except (RayError, TimeoutError) as error:
            _log.debug("no answer about nodes: %s", first_line(error))
            return None
        found = {record.node_id.hex(): record for record in records.values()}
        alive = {node_id: _node_of(one) for node_id, one in found.items() if one.state == _ALIVE}
        deaths = {node_id: _death_of(one) for node_id, one in found.items() if one.state != _ALIVE}
        draining = {node_id: at for node_id, at in draining.items() if node_id in alive}
        self._left_out = {node_id: one for node_id, one in self._left_out.items() if node_id in alive}
        return Nodes(alive, draining, deaths, free_gpus, self.left_out)

    @property
    def left_out(self) -> Mapping[str, str]:
        """The nodes that are left out now, and why."""
        now = time.monotonic()
        return {node_id: why for node_id, (why, until) in self._left_out.items() if now < until}

    def leave_out(self, node_id: str, why: str, seconds: float = math.inf) -> None:
        """Leave a node out for so long; one that is left out stays it for the first reason."""
        if node_id not in self.left_out:
            self._left_out[node_id] = why, time.monotonic() + seconds

    def why_no_more(self) -> str | None:
        """Return what the autoscaler does about too few nodes; None where it says nothing, or nobody
        answers."""
        try:
            return why_no_more(self._client, ASK_S)
        except (RayError, TimeoutError, AttributeError, TypeError) as error:
            _log.debug("no answer about the autoscaler: %s", first_line(error))
            return None

    def _draining(self) -> dict[str, int]:
        """Ray says it by this call alone, which is none of its public ones."""
        if not self._sees_draining:
            return {}
        try:
            return dict(self._client.get_draining_nodes(timeout=ASK_S))
        except (AttributeError, TypeError) as error:
            self._sees_draining = False
            _log.warning("this version of Ray does not say which nodes drain: %s", first_line(error))
            return {}


def _node_of(record: Any) -> Node:
    there = record.resources_total
    host = record.node_manager_hostname or record.node_manager_address
    return Node(record.node_id.hex(), host, int(there.get("CPU", 0)), int(there.get("GPU", 0)))


def _death_of(record: Any) -> str:
    said = str(record.death_info.reason_message).strip()
    return said.partition(". ")[0] or "no reason is known"
