"""What the cluster's autoscaler knows: what is free, and why there is no more of it, as far as it says."""

from typing import Any

NO_AUTOSCALER = "no autoscaler is at work: start a node with `ray start --address=…`"
AT_LIMIT = "the autoscaler cannot start such a node now, by its limits or its kinds of nodes"


def why_no_more(client: Any, timeout_s: float) -> str | None:
    """Return what the autoscaler does about missing nodes, or why it does nothing; None where it says nothing
    of the kind.

    `client` is one of the control store, and raises where that does not answer in time.
    """
    return _words(_status(client, timeout_s).autoscaling_state)


def free_by_node(client: Any, resource: str, timeout_s: float) -> dict[str, int]:
    """Return how much of a resource nobody uses, by node; 0 where a node has none."""
    states = _status(client, timeout_s).cluster_resource_state.node_states
    return {one.node_id.hex(): int(one.available_resources.get(resource, 0)) for one in states}


def _status(client: Any, timeout_s: float) -> Any:
    from ray.core.generated import autoscaler_pb2

    messages: Any = autoscaler_pb2  # made of a protocol, so its stubs know nothing
    reply = messages.GetClusterStatusReply()
    reply.ParseFromString(client.get_cluster_status(timeout_s=timeout_s))
    return reply


def _words(state: Any) -> str | None:
    starting = sum(one.count for one in state.pending_instance_requests) + len(state.pending_instances)
    if starting:
        return f"{starting} {'node is' if starting == 1 else 'nodes are'} being started"
    if state.failed_instance_requests:
        latest = max(state.failed_instance_requests, key=lambda one: one.failed_ts)
        return f"starting a node ({latest.ray_node_type_name}) failed: {latest.reason}"
    if state.infeasible_resource_requests or state.infeasible_gang_resource_requests:
        return AT_LIMIT
    if not state.last_seen_cluster_resource_state_version:
        return NO_AUTOSCALER
    return None
