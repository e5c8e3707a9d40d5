"""Nodes that lack what a run needs: left out and told before their tasks and models fail one by one."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray

from jobs.cluster.joining import Cluster
from jobs.cluster.nodes import Node, Nodes, View
from jobs.planning.preflight import Preflight
from jobs.weights import BUILT_IN
from jobs.workers.node_probe import Needs, code_here, start_probe
from schemas.failures import PreflightError

ANSWERS_WITHIN_S = 60.0  # a node that starts no process for so long is left to what notices that
_HINT = (
    "Install what the driver has on every node, or take the node out; a library has to be where all see it."
)

PACKAGE = "media-index"
PARTS = ("jobs", "schemas", "storage", "videoxl2")
WORKERS = "jobs.workers.postprocess"  # imports what reads and writes


def needs_of(checked: Preflight) -> Needs:
    """What the nodes of a cluster have to have. Weights of the hub and of S3 they fetch."""
    model, library = checked.settings.model, checked.library
    wants_gpus = checked.weights is not None and checked.weights.model_id != BUILT_IN
    return Needs(
        PACKAGE,
        version(PACKAGE),
        code_here(PARTS),
        library.url if library.is_local else None,
        model if model and Path(model).is_absolute() else None,
        bucket=None if library.is_local else (library.url, checked.settings.endpoint_url),
        wants_gpus=wants_gpus and checked.settings.device != "cpu",
    )


@dataclass
class CheckedView:
    """Sees the nodes, and asks each of them once, as it comes. Those that lack something are left out."""

    view: View
    needs: Needs
    _asked: dict[Any, Node] = field(default_factory=dict)  # by the answer that is waited for
    _known: set[str] = field(default_factory=set)

    def look(self) -> Nodes | None:
        """As the view; a node counts until it is known that it lacks something."""
        self._take_answers(timeout_s=0.0)
        nodes = self.view.look()
        self._ask(nodes or Nodes())
        return nodes

    def why_no_more(self) -> str | None:
        """As the view."""
        return self.view.why_no_more()

    @property
    def left_out(self) -> Mapping[str, str]:
        """As the view."""
        return self.view.left_out

    def leave_out(self, node_id: str, why: str) -> None:
        """As the view."""
        self.view.leave_out(node_id, why)

    def check(self) -> None:
        """Ask the nodes that are there, and wait for them: `PreflightError` where all that could do the work
        lack something, before anything is spent."""
        self._ask(self.view.look() or Nodes())
        self._take_answers(ANSWERS_WITHIN_S)
        nodes = self.view.look() or Nodes()
        for kind in ("num_cpus", "num_gpus") if self.needs.wants_gpus else ("num_cpus",):
            can_work = [node for node in nodes.alive.values() if getattr(node, kind)]
            if can_work and all(node.node_id in nodes.left_out for node in can_work):
                raise PreflightError(_said(nodes, can_work), _HINT)

    def _ask(self, nodes: Nodes) -> None:
        """Those that work; a head without a CPU or a GPU gets no task, and need not have anything."""
        for node in nodes.alive.values():
            if node.node_id not in self._known and (node.num_cpus or node.num_gpus):
                self._known.add(node.node_id)
                self._asked[start_probe(node.node_id, PARTS, WORKERS, self.needs)] = node

    def _take_answers(self, timeout_s: float) -> None:
        give_up_at = time.monotonic() + timeout_s
        while self._asked:
            done, _ = ray.wait(list(self._asked), timeout=max(0.0, give_up_at - time.monotonic()))
            if not done:
                break
            node = self._asked.pop(done[0])
            if lacks := self._judged(done[0], node):
                self.view.leave_out(node.node_id, lacks)

    def _judged(self, answer: Any, node: Node) -> str:
        """What is lacking; empty where nothing is."""
        try:
            found, missing, trouble = ray.get(answer)
        except ray.exceptions.RayError:
            return ""  # it went, or is about to: that is told elsewhere
        if found != self.needs.version:
            has = f"version {found}" if found else "none"
            return f"needs {self.needs.package} {self.needs.version} and has {has}"
        if trouble:
            return str(trouble)
        is_there = {"library": node.num_cpus, "weights": node.num_gpus or node.num_cpus}
        lacks = [
            f"does not see the {what} {folder}"
            for what, folder in (("library", self.needs.library), ("weights", self.needs.weights))
            if folder in missing and is_there[what]
        ]
        return " and ".join(lacks)


def _said(nodes: Nodes, lacking: Sequence[Node]) -> str:
    return ", ".join(f"node {node} {nodes.left_out[node.node_id]}" for node in lacking)


def with_checked_nodes(cluster: Cluster, needs: Needs) -> Cluster:
    """The same cluster, whose nodes are checked now and as they come. `PreflightError`: none is of use."""
    view = CheckedView(cluster.nodes, needs)
    view.check()
    return replace(cluster, nodes=view)
