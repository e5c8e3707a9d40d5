"""What is said of the cluster's nodes: a line for people, and an event's fields for machines."""

from datetime import UTC, datetime
from typing import Any

from jobs.cluster.nodes import Draining, Joined, LeftOut, Lost, Node, NodeEvent
from jobs.driver.loop.machines import Shortage


def shortage_said(shortage: Shortage) -> tuple[str, dict[str, Any]]:
    """Return `waiting for 4 GPUs (0 now)`; later for how long, and why."""
    plural = "" if shortage.num_wanted == 1 else "s"
    line = f"waiting   for {shortage.num_wanted} {shortage.lacks}{plural} ({shortage.num_there} now)"
    seconds, limit_s = round(shortage.seconds), round(shortage.limit_s)
    if seconds:
        line += f", for {seconds} of {limit_s} s" + (f": {shortage.why}" if shortage.why else "")
    return line, {
        "for": shortage.lacks,
        "wanted": shortage.num_wanted,
        "there": shortage.num_there,
        "seconds": seconds,
        "limit_seconds": limit_s,
        "why": shortage.why,
    }


def node_said(event: NodeEvent) -> tuple[str, str, dict[str, Any]]:
    """The line, the event's name and its fields."""
    match event:
        case Joined(node):
            line = f"joined    {node}: {node.num_cpus} CPUs, {node.num_gpus} GPUs"
            return line, "node_joined", _fields(node)
        case Draining(node, deadline_ms):
            deadline = datetime.fromtimestamp(deadline_ms / 1000, UTC) if deadline_ms else None
            until = f" until {deadline:%H:%M:%S} UTC" if deadline else ""
            line = f"draining  {node}{until}: no more videos begin there"
            return line, "node_draining", _fields(node) | {"deadline": deadline and deadline.isoformat()}
        case LeftOut(node, why):
            return f"left out  {node}: it {why}", "node_left_out", _fields(node) | {"why": why}
        case Lost(node, why):
            return f"lost      {node}: {why}", "node_lost", _fields(node) | {"why": why}


def _fields(node: Node) -> dict[str, Any]:
    return {"node": node.host, "node_id": node.node_id, "cpus": node.num_cpus, "gpus": node.num_gpus}
