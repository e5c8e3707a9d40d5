"""What the cluster offers the run now: nodes that come, drain and go, and the wait where something lacks.

Bookkeeping alone: it is told the time and what the pool of actors came to, and acts on neither.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from jobs.cluster.nodes import LeftOut, NodeEvent, Nodes, View, changes
from jobs.workers.placement import Placement

LOOK_EVERY_S = 1.0
TELL_EVERY_S = 30.0
MAY_TAKE_S = 30.0  # to start a process where there is a GPU; after that somebody else has the GPU


@dataclass(frozen=True)
class Shortage:
    """Machines that the run lacks to get on, for `seconds` by now: it wants `num_wanted`, and `num_there` are
    there, in use by others. `why` is known from the second time on that it is told."""

    lacks: Literal["GPU", "CPU"]
    num_wanted: int
    num_there: int
    seconds: float
    limit_s: float
    why: str | None


class Teller(Protocol):
    """Tells people and machines."""

    def short(self, shortage: Shortage) -> None:
        """Tell of a shortage, once it begins and then twice a minute."""

    def node(self, event: NodeEvent) -> None:
        """A node came, drains or is gone."""

    def scaled(self, num_gpus: int, num_wanted: int) -> None:
        """Tell how many GPUs there are now; at the start only where they are too few."""

    def left_over(self, num_gpus: int, gpus_per_model: int) -> None:
        """Tell how many GPUs are of no use, as a model takes more of one node than are left there."""


class Machines:
    """The nodes as they were a second ago at most."""

    def __init__(self, view: View, placement: Placement, wait_s: float, teller: Teller) -> None:
        self.nodes = Nodes()
        self.num_actors = 1 if placement.num_actors is None else placement.num_actors
        self._view = view
        self._placement = placement
        self._each = placement.num_gpus
        self._num_left_over = 0
        self._wait_s = wait_s
        self._teller = teller
        self._has_looked = False
        self._grown_at = -math.inf
        self._look_at = 0.0
        self._short_since: float | None = None
        self._tell_at = 0.0

    def look(self, now: float, num_placed: int, num_pending: int) -> None:
        """Look at the nodes and tell what changed, for so many models that have a machine or wait for one."""
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY_S
        nodes = self._view.look()
        if nodes is None:
            return
        before, self.nodes = self.nodes, nodes
        self._grow(num_placed, num_pending)
        self._grown_at = now if nodes.num_gpus > before.num_gpus else self._grown_at
        is_first, self._has_looked = not self._has_looked, True
        for event in changes(before, nodes):
            if not is_first or isinstance(event, LeftOut):
                self._teller.node(event)
        num_wanted = self.num_actors * self._each
        is_news = nodes.num_gpus < num_wanted if is_first else nodes.num_gpus != before.num_gpus
        if self._placement.device == "cuda" and is_news:
            self._teller.scaled(nodes.num_gpus, num_wanted)
        self._tell_left_over()

    def _tell_left_over(self) -> None:
        before, room = self._num_left_over, self.nodes.room_for(self._each)
        self._num_left_over = self.nodes.num_gpus - room * self._each
        if room and self._num_left_over not in (0, before):
            self._teller.left_over(self._num_left_over, self._each)

    def _grow(self, num_placed: int, num_pending: int) -> None:
        """Where no number was said, take what is free, and ask for no more but for what was lost: an
        autoscaler makes nodes of what is asked for, so asking for one per GPU of those nodes had no end."""
        if self._placement.num_actors is None:
            possible = num_placed + max(self.nodes.free_room_for(self._each), num_pending)
            self.num_actors = max(self.num_actors, min(self.nodes.room_for(self._each), possible))

    def is_wait_over(self, now: float, num_placed: int, pending_s: float | None) -> bool:
        """Whether the run has lacked something for as long as it waits.

        `num_placed` models have a machine; one has been waiting for one for `pending_s`, None: none has.
        """
        since_grown_s = now - self._grown_at
        lacks = self._lacks(num_placed, None if pending_s is None else min(pending_s, since_grown_s))
        if lacks is None or not self._has_looked:
            self._short_since = None
            return False
        if self._short_since is None:
            self._short_since, self._tell_at = now, now
        seconds = now - self._short_since
        if now >= self._tell_at:
            self._tell_at = now + TELL_EVERY_S
            self._teller.short(self._shortage(lacks, seconds))
        return seconds >= self._wait_s

    def leave_out(self, node_id: str, why: str, seconds: float = math.inf) -> bool:
        """Leave out a node where no model starts, unless it goes anyway. False: models have no other."""
        if node_id not in self.nodes.alive or self.nodes.is_leaving(node_id):
            return True
        others = replace(self.nodes, left_out={**self.nodes.left_out, node_id: why})
        if not (others.room_for(self._each) if self._placement.device == "cuda" else others.num_cpus):
            return False
        self._view.leave_out(node_id, why, seconds)
        self._look_at = 0.0
        return True

    def _left_out_said(self) -> str:
        (node_id, why), *more = self.nodes.left_out.items()
        others = f", and {len(more)} more" if more else ""
        return f"left out{others}: {self.nodes.alive[node_id]} {why}"

    def _lacks(self, num_placed: int, pending_s: float | None) -> Literal["GPU", "CPU"] | None:
        is_gpu_wanted = self._placement.device == "cuda" and not num_placed and pending_s is not None
        if is_gpu_wanted and (not self.nodes.room_for(self._each) or (pending_s or 0.0) > MAY_TAKE_S):
            return "GPU"
        return None if self.nodes.num_cpus else "CPU"

    def _shortage(self, lacks: Literal["GPU", "CPU"], seconds: float) -> Shortage:
        of_gpus = self.num_actors * self._each, self.nodes.num_gpus
        num_wanted, num_there = of_gpus if lacks == "GPU" else (1, 0)
        why = self._view.why_no_more() if seconds else None
        if num_there and not self.nodes.room_for(self._each):
            why = why or f"a model takes {self._each} GPUs of one node, and none has so many"
        elif num_there:
            why = why or "they are in use by others, or their machines are slow to begin"
        if seconds and self.nodes.left_out:
            why = "; ".join(filter(None, (why, self._left_out_said())))
        return Shortage(lacks, num_wanted, num_there, seconds, self._wait_s, why)
