"""Keeping tasks and actors off nodes that the run leaves out."""

from collections.abc import Collection
from typing import Any

_NODE_ID = "ray.io/node-id"  # a label that Ray gives every node


def away_from(node_ids: Collection[str]) -> dict[str, Any]:
    """Options of a task or an actor that runs on any node but these. It stays demand for an autoscaler."""
    return {"label_selector": {_NODE_ID: f"!in({','.join(sorted(node_ids))})"}} if node_ids else {}
