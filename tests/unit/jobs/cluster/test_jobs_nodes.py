"""What the control store says of the cluster's nodes, and what happened between two looks."""

from types import SimpleNamespace
from typing import Any

import pytest
from ray.core.generated import autoscaler_pb2
from ray.exceptions import RpcError

from jobs.cluster.nodes import Draining, Joined, LeftOut, Lost, Node, Nodes, NodeView, changes

messages: Any = autoscaler_pb2  # made of a protocol, so its stubs know nothing
HEAD, GPU = Node("aa" * 28, "head", 4, 0), Node("bb" * 28, "gpu-1", 8, 2)


def record(node: Node, state: int = 0, why: str = ""):
    """As Ray has it; resources of which there are none are not named."""
    counts = {"CPU": node.num_cpus, "GPU": node.num_gpus, "memory": 1 << 30}
    return SimpleNamespace(
        node_id=bytes.fromhex(node.node_id),
        state=state,
        node_manager_hostname=node.host,
        node_manager_address="10.0.0.1",
        resources_total={name: float(count) for name, count in counts.items() if count},
        death_info=SimpleNamespace(reason_message=why),
    )


class Store:
    """Answers as a client of the control store."""

    def __init__(self, *records):
        self.records, self.draining, self.error = records, {}, None
        self.status = messages.GetClusterStatusReply()

    def use(self, node: Node, num_gpus: int) -> None:
        """So many of the node's GPUs are taken."""
        resources = {"GPU": float(node.num_gpus - num_gpus)}
        self.status.cluster_resource_state.node_states.add(
            node_id=bytes.fromhex(node.node_id), available_resources=resources
        )

    def get_cluster_status(self, timeout_s: float):
        return self.status.SerializeToString()

    def get_all_node_info(self, timeout: float):
        if self.error:
            raise self.error
        return dict(enumerate(self.records))

    def get_draining_nodes(self, timeout: float):
        return self.draining


def test_nodes_that_drain_take_no_work_and_dead_ones_are_none():
    """A draining node is alive with all its GPUs as Ray counts, and nothing more begins there."""
    store = Store(
        record(HEAD), record(GPU), record(Node("cc" * 28, "gpu-2", 8, 8), state=1, why="spot. Bye.")
    )
    store.use(GPU, 1)
    nodes = NodeView(store).look()
    assert (set(nodes.alive), nodes.num_cpus, nodes.num_gpus) == ({HEAD.node_id, GPU.node_id}, 12, 2)
    assert nodes.free_room_for(1) == 1
    assert nodes.deaths == {"cc" * 28: "spot"}
    store.draining = {GPU.node_id: 1_700_000_000_000, "cc" * 28: 0}
    nodes = NodeView(store).look()
    assert (len(nodes.alive), nodes.num_cpus, nodes.num_gpus, nodes.free_room_for(1)) == (2, 4, 0, 0)
    assert [nodes.is_leaving(one) for one in (HEAD.node_id, GPU.node_id, "cc" * 28)] == [False, True, True]
    assert str(nodes) == "2 nodes, 1 draining, 4 CPUs, 0 GPUs"


def test_a_node_that_is_left_out_takes_no_work():
    """As long as it is there; one that comes instead is another."""
    store = Store(record(HEAD), record(GPU))
    view = NodeView(store)
    view.leave_out(GPU.node_id, "has no room")
    nodes = view.look()
    assert (nodes.num_cpus, nodes.num_gpus, nodes.left_out) == (4, 0, {GPU.node_id: "has no room"})
    assert nodes.is_leaving(GPU.node_id)
    store.records = (record(HEAD),)
    assert (view.look().left_out, view.left_out) == ({}, {})
    store.records = (record(HEAD), record(GPU))
    view.leave_out(GPU.node_id, "has no room for a while", seconds=0.0)
    assert view.look().num_gpus == GPU.num_gpus


def test_what_happened_is_told_once():
    """A node comes, drains and goes; a look at the same tells nothing."""
    before = Nodes({HEAD.node_id: HEAD})
    came = Nodes({HEAD.node_id: HEAD, GPU.node_id: GPU})
    drains = Nodes(came.alive, {GPU.node_id: 5})
    gone = Nodes(before.alive, {}, {GPU.node_id: "preempted"})
    assert list(changes(before, came)) == [Joined(GPU)]
    assert list(changes(came, drains)) == [Draining(GPU, 5)]
    assert list(changes(drains, drains)) == []
    left_out = Nodes(came.alive, left_out={GPU.node_id: "has no room"})
    assert list(changes(came, left_out)) == [LeftOut(GPU, "has no room")]
    assert list(changes(left_out, left_out)) == []
    assert list(changes(drains, gone)) == [Lost(GPU, "preempted")]


def test_a_store_that_is_away_is_no_cluster_without_nodes():
    """Nobody is lost because an answer is late."""
    store = Store(record(HEAD))
    store.error = RpcError("timed out")
    assert NodeView(store).look() is None


@pytest.mark.parametrize("error", [AttributeError("get_draining_nodes"), TypeError("timeout")])
def test_a_ray_without_the_private_call_is_said_once(monkeypatch, caplog, error):
    """Nodes are seen all the same."""
    store = Store(record(GPU))

    def refuse(timeout: float):
        raise error

    monkeypatch.setattr(store, "get_draining_nodes", refuse)
    view = NodeView(store)
    assert [view.look().num_gpus, view.look().num_gpus] == [2, 2]
    assert [one.levelname for one in caplog.records] == ["WARNING"]


def test_why_there_are_no_more_nodes_is_what_the_autoscaler_says():
    """What it does comes before what failed, and that before its limits; without one somebody has to."""
    store = Store()
    state, view = store.status.autoscaling_state, NodeView(store)
    assert "no autoscaler is at work" in view.why_no_more()
    state.last_seen_cluster_resource_state_version = 7
    assert view.why_no_more() is None
    state.infeasible_resource_requests.add()
    assert "by its limits" in view.why_no_more()
    state.failed_instance_requests.add(ray_node_type_name="gpu", reason="old", failed_ts=1)
    state.failed_instance_requests.add(ray_node_type_name="gpu", reason="no capacity", failed_ts=2)
    assert view.why_no_more() == "starting a node (gpu) failed: no capacity"
    state.pending_instance_requests.add(count=2)
    assert view.why_no_more() == "2 nodes are being started"
    state.pending_instance_requests[0].count = 1
    assert view.why_no_more() == "1 node is being started"
