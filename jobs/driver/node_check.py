"""Nodes that lack what a run needs: left out and told before their tasks and models fail one by one."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray

from jobs.attempts.actor_failures import last_line
from jobs.cluster.joining import Cluster
from jobs.cluster.nodes import Node, Nodes, View
from jobs.planning.preflight import Preflight
from jobs.signals.screen_text import TextSignal
from jobs.signals.signal import Signal
from jobs.signals.speech import SpeechSignal
from jobs.weights import BUILT_IN
from jobs.workers.node_probe import Needs, code_here, start_probe
from schemas.failures import PreflightError
from videoxl2.network.configs.weight_bits import FULL_BITS, QUANTISER

ASK_AGAIN_S = 60.0  # a node that could not ask the store
ANSWERS_WITHIN_S = 60.0  # a node that starts no process for so long is left to what notices that
_HINT = (
    "Install what the driver has on every node, or take the node out; a library has to be where all see it."
)

PACKAGE = "media-index"
PARTS = ("jobs", "schemas", "storage", "videoxl2")
WORKERS = "jobs.workers.postprocessing.tasks"  # imports what reads and writes


def needs_of(checked: Preflight) -> Needs:
    """Return what the nodes of a cluster have to have. Weights of the hub and of S3 they fetch."""
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
        speech=_folder_that_hears(checked.recipe.signals),
        modules=tuple(_modules_of(checked.recipe.signals)),
        model_modules=() if checked.recipe.weight_bits == FULL_BITS else (QUANTISER,),
    )


def _modules_of(signals: Sequence[Signal]) -> Iterator[str]:
    """Those that come with an extra."""
    for one in signals:
        if isinstance(one, SpeechSignal):
            from videoxl2 import speech  # it loads PyAV

            yield from speech.NEEDED_MODULES
        elif isinstance(one, TextSignal):
            from videoxl2 import screen_text

            yield from screen_text.NEEDED_MODULES


def _folder_that_hears(signals: Sequence[Signal]) -> str | None:
    """Return the folder that all see; None: nothing is heard, or each machine has a copy."""
    places = (one.place for one in signals if isinstance(one, SpeechSignal))
    return next((str(place) for place in places if isinstance(place, Path)), None)


@dataclass
class CheckedView:
    """Sees the nodes, and asks each of them once, as it comes. Those that lack something are left out."""

    view: View
    needs: Needs
    _asked: dict[Any, Node] = field(default_factory=dict)  # by the answer that is waited for
    _known: set[str] = field(default_factory=set)
    _again_at: dict[str, float] = field(default_factory=dict)  # by node; moments on the monotonic clock

    def look(self) -> Nodes | None:
        """Look, and take what nodes have answered; one counts until it is known that it lacks something."""
        self._take_answers(timeout_s=0.0)
        self._ask_again()
        nodes = self.view.look()
        self._ask(nodes or Nodes())
        return nodes

    def why_no_more(self) -> str | None:
        """Return what the cluster does about too few nodes; None: it does not say."""
        return self.view.why_no_more()

    @property
    def left_out(self) -> Mapping[str, str]:
        """The nodes that are left out, and why."""
        return self.view.left_out

    def leave_out(self, node_id: str, why: str, seconds: float = math.inf) -> None:
        """Leave a node out for so long."""
        self.view.leave_out(node_id, why, seconds)

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
                needs = self.needs.of_node(node.num_gpus)
                self._asked[start_probe(node.node_id, PARTS, WORKERS, needs)] = node

    def _ask_again(self) -> None:
        """Ask those anew that could not tell, as the store did not answer them."""
        due = [node_id for node_id, at in self._again_at.items() if at <= time.monotonic()]
        for node_id in due:
            del self._again_at[node_id]
            self._known.discard(node_id)

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
            found, missing, trouble, may_pass = ray.get(answer)
        except ray.exceptions.RayTaskError as error:
            return f"cannot be looked at: {last_line(error)}"
        except ray.exceptions.RayError:
            return ""  # it went, or is about to: that is told elsewhere
        if may_pass:
            self._again_at[node.node_id] = time.monotonic() + ASK_AGAIN_S
            return ""
        if found != self.needs.version:
            has = f"version {found}" if found else "none"
            return f"needs {self.needs.package} {self.needs.version} and has {has}"
        if trouble:
            return str(trouble)
        needs = self.needs
        seen = (
            ("library", needs.library, node.num_cpus),
            ("weights", needs.weights, node.num_gpus or node.num_cpus),
            ("weights that hear", needs.speech, node.num_cpus),
        )
        lacks = [
            f"does not see the {what} {folder}"
            for what, folder, is_used in seen
            if folder in missing and is_used
        ]
        return " and ".join(lacks)


def _said(nodes: Nodes, lacking: Sequence[Node]) -> str:
    return ", ".join(f"node {node} {nodes.left_out[node.node_id]}" for node in lacking)


def with_checked_nodes(cluster: Cluster, needs: Needs) -> Cluster:
    """The same cluster, whose nodes are checked now and as they come. `PreflightError`: none is of use."""
    view = CheckedView(cluster.nodes, needs)
    view.check()
    return replace(cluster, nodes=view)
