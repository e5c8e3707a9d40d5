"""Nodes that lack what a run needs, named before their tasks and models fail one after the other."""

import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray

from jobs.cluster.joining import Cluster
from jobs.cluster.nodes import Node, Nodes, View
from jobs.planning.preflight import Preflight
from jobs.workers.node_probe import Needs, start_probe
from schemas.failures import MediaIndexError, PreflightError

ANSWERS_WITHIN_S = 60.0  # a node that starts no process for so long is left to what notices that
_HINT = (
    "Install what the driver has on every node, or take the node out; a library has to be where all see it."
)

PACKAGE, MODULE = "media-index", "jobs"


def needs_of(checked: Preflight) -> Needs:
    """What the nodes of a cluster have to have. Weights of the hub they download."""
    model = checked.settings.model
    return Needs(
        PACKAGE,
        version(PACKAGE),
        checked.library.url if checked.library.is_local else None,
        model if model and Path(model).is_absolute() else None,
    )


@dataclass
class CheckedView:
    """Sees the nodes, and asks each of them once, as it comes."""

    view: View
    needs: Needs
    _asked: dict[Any, Node] = field(default_factory=dict)  # by the answer that is waited for
    _known: set[str] = field(default_factory=set)

    def look(self) -> Nodes | None:
        """As the view. Raises `MediaIndexError` where a node that came lacks something."""
        nodes = self.view.look()
        self._ask(nodes or Nodes())
        if lacks := self._lacks(timeout_s=0.0):
            raise MediaIndexError(f"{lacks}; what is committed stays", _HINT)
        return nodes

    def why_no_more(self) -> str | None:
        """As the view."""
        return self.view.why_no_more()

    def check(self) -> None:
        """Ask the nodes that are there, and wait for them: `PreflightError` before anything is spent."""
        self._ask(self.view.look() or Nodes())
        if lacks := self._lacks(ANSWERS_WITHIN_S):
            raise PreflightError(lacks, _HINT)

    def _ask(self, nodes: Nodes) -> None:
        """Those that work; a head without a CPU or a GPU gets no task, and need not have anything."""
        for node in nodes.alive.values():
            if node.node_id not in self._known and (node.num_cpus or node.num_gpus):
                self._known.add(node.node_id)
                folders = [folder for folder in (self.needs.library, self.needs.weights) if folder]
                self._asked[start_probe(node.node_id, self.needs.package, MODULE, folders)] = node

    def _lacks(self, timeout_s: float) -> str:
        """What is lacking, in a sentence; empty where nothing is."""
        give_up_at = time.monotonic() + timeout_s
        found: list[str] = []
        while self._asked:
            done, _ = ray.wait(list(self._asked), timeout=max(0.0, give_up_at - time.monotonic()))
            if not done:
                break
            found += self._judged(done[0], self._asked.pop(done[0]))
        return ", ".join(found)

    def _judged(self, answer: Any, node: Node) -> list[str]:
        try:
            found, missing = ray.get(answer)
        except ray.exceptions.RayError:
            return []  # it went, or is about to: that is told elsewhere
        if found != self.needs.version:
            has = f"version {found}" if found else "none"
            return [f"node {node} needs {self.needs.package} {self.needs.version} and has {has}"]
        is_there = {"library": node.num_cpus, "weights": node.num_gpus or node.num_cpus}
        return [
            f"node {node} does not see the {what} {folder}"
            for what, folder in (("library", self.needs.library), ("weights", self.needs.weights))
            if folder in missing and is_there[what]
        ]


def with_checked_nodes(cluster: Cluster, needs: Needs) -> Cluster:
    """The same cluster, whose nodes are checked now and as they come. `PreflightError` where one lacks
    something."""
    view = CheckedView(cluster.nodes, needs)
    view.check()
    return replace(cluster, nodes=view)
