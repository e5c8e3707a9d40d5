"""The wait for machines and the number of models, told by a clock of the test's own; no Ray."""

from dataclasses import dataclass, field, replace

import pytest

from jobs.cluster.nodes import Draining, Joined, LeftOut, Lost, Node, Nodes
from jobs.driver.loop.machines import Machines, Shortage
from jobs.driver.telling.node_words import node_said, shortage_said
from jobs.workers.placement import Placement

HEAD = Node("head" * 14, "head", 0, 0)
ONE, TWO = (Node(f"gpu{n}" * 14, f"gpu-{n}", 1, 2) for n in (1, 2))


def nodes(*alive: Node, draining=(), used: int = 0) -> Nodes:
    """These, whose GPUs are free but for so many of the first that has some."""
    free = {node.node_id: node.num_gpus for node in alive}
    for node in alive:
        taken = min(used, free[node.node_id])
        free[node.node_id] -= taken
        used -= taken
    return Nodes(
        {node.node_id: node for node in (HEAD, *alive)}, {one.node_id: 5 for one in draining}, {}, free
    )


@dataclass
class Site:
    """What the cluster is, and what was told of it."""

    now: Nodes
    why: str | None = None
    told: list = field(default_factory=list)
    left_out: dict = field(default_factory=dict)

    def look(self):
        return self.now

    def leave_out(self, node_id, why, seconds=0.0):
        self.left_out[node_id] = why
        self.now = replace(self.now, left_out=self.left_out)

    def why_no_more(self):
        return self.why

    def short(self, shortage):
        self.told.append(shortage)

    def node(self, event):
        self.told.append(event)

    def scaled(self, num_gpus, num_wanted):
        self.told.append((num_gpus, num_wanted))

    def left_over(self, num_gpus, gpus_per_model):
        self.told.append(f"{num_gpus} left over of {gpus_per_model}")


def machines_of(
    site: Site, num_wanted: int | None = None, device="cuda", wait_s: float = 100.0, num_gpus: int = 1
) -> Machines:
    return Machines(site, Placement(num_wanted, device, 0, 0, num_gpus), wait_s, site)


def test_a_run_waits_for_gpus_from_zero_and_goes_on_when_one_comes():
    """At once and then twice a minute it says how long, and why; with a GPU it waits no more."""
    site = Site(nodes(), why="2 nodes are being started")
    machines = machines_of(site, 4)
    overs = []
    for second in range(70):
        machines.look(second, num_placed=0, num_pending=4)
        overs.append(machines.is_wait_over(second, 0, pending_s=second))
    scaled, *shortages = site.told
    assert scaled == (0, 4)
    assert [(one.seconds, one.num_wanted, one.num_there, one.why) for one in shortages] == [
        (0, 4, 0, None),
        (30, 4, 0, "2 nodes are being started"),
        (60, 4, 0, "2 nodes are being started"),
    ]
    site.now, site.told = nodes(ONE), []
    machines.look(70, 0, 4)
    assert not machines.is_wait_over(90, 0, pending_s=90.0), "its process is being started"
    assert not machines.is_wait_over(200, num_placed=2, pending_s=200.0)
    assert site.told == [Joined(ONE), (2, 4)]
    assert not any(overs)


def test_the_wait_ends_and_its_clock_begins_anew_when_the_last_gpu_is_lost():
    """As long as one model is at work the run goes on, however many more it wants."""
    site = Site(nodes(ONE))
    machines = machines_of(site, 2, wait_s=100.0)
    machines.look(0, 0, 2)
    assert not machines.is_wait_over(1000, num_placed=1, pending_s=900.0)
    site.now = nodes()
    machines.look(1001, 0, 2)
    assert [machines.is_wait_over(at, 0, 1.0) for at in (1001, 1100, 1101)] == [False, False, True]


def test_gpus_that_others_use_are_waited_for_and_said_to_be_there():
    """A process that is being started is not taken for one that waits."""
    site = Site(nodes(ONE, used=2))
    machines = machines_of(site)
    machines.look(0, 0, 1)
    assert not machines.is_wait_over(20, 0, pending_s=20.0)
    assert site.told == []
    machines.is_wait_over(31, 0, pending_s=31.0)
    machines.is_wait_over(61, 0, pending_s=61.0)
    first, second = site.told
    assert (first.num_wanted, first.num_there) == (1, 2)
    assert "in use by others" in second.why


def test_without_a_number_there_are_as_many_models_as_free_gpus_and_no_more_is_asked_for():
    """Asked for one per GPU that there is, an autoscaler would add a node for each that others use."""
    site = Site(nodes(ONE, TWO, used=2))
    machines = machines_of(site)
    machines.look(0, 0, 0)
    assert machines.num_actors == 2
    site.now = nodes(ONE, TWO, used=4)  # its own two have been placed, which it does not know yet
    machines.look(1, 0, 2)
    assert machines.num_actors == 2
    site.now = nodes(ONE, TWO, used=2)  # the others' run is over
    machines.look(2, 2, 0)
    assert machines.num_actors == 4
    site.now = nodes(TWO, used=2)
    machines.look(3, 2, 0)
    assert machines.num_actors == 4, "what was lost is asked for again"
    assert machines_of(Site(nodes()), None).num_actors == 1, "one is asked for where there is none"


def test_a_model_of_several_gpus_takes_them_of_one_node():
    """Two nodes of two GPUs hold two models of two, and none of three or of four; a node of five holds one
    of three and two GPUs that nobody can use, which is said once."""
    five = Node("gpu5" * 14, "gpu-5", 1, 5)
    site = Site(nodes(ONE, TWO))
    machines = machines_of(site, num_gpus=2)
    machines.look(0, 0, 0)
    assert (machines.num_actors, site.told) == (2, [])
    for each in (3, 4):
        site.told = []
        machines = machines_of(site, 1, num_gpus=each)
        machines.look(0, 0, 1)
        assert not machines.is_wait_over(1, 0, pending_s=1.0), "it waits at once"
        [shortage] = [one for one in site.told if isinstance(one, Shortage)]
        assert (shortage.num_wanted, shortage.num_there) == (each, 4)
        assert shortage.why == f"a model takes {each} GPUs of one node, and none has so many"
    site.now, site.told = nodes(five), []
    machines = machines_of(site, num_gpus=3)
    machines.look(0, 0, 1)
    machines.look(1, 1, 0)
    assert (machines.num_actors, site.told) == (1, ["2 left over of 3"])


def test_nodes_that_come_drain_and_go_are_told_once_and_at_the_start_nothing():
    """With the number of GPUs whenever that changes."""
    site = Site(nodes(ONE))
    machines = machines_of(site)
    machines.look(0, 0, 0)
    assert site.told == []
    for second, now in enumerate([nodes(ONE, TWO), nodes(ONE, TWO, draining=[ONE]), nodes(TWO), nodes(TWO)]):
        site.now = now
        machines.look(second + 1, 2, 0)
    assert site.told == [
        Joined(TWO),
        (4, 4),
        Draining(ONE, 5),
        (2, 4),
        Lost(ONE, "it is not listed any more"),
    ]


def test_a_node_where_no_model_starts_is_left_out_as_long_as_there_are_others():
    """It takes no work from then on, and that is told, with the wait too; the last one is not left out."""
    site = Site(nodes(ONE, TWO))
    machines = machines_of(site)
    machines.look(0, 0, 0)
    assert machines.leave_out(TWO.node_id, "has no room")
    machines.look(0.1, 0, 0)
    assert (machines.nodes.num_gpus, machines.nodes.num_cpus) == (2, 1)
    assert machines.nodes.is_leaving(TWO.node_id)
    assert site.told == [LeftOut(TWO, "has no room"), (2, 4)]
    assert machines.leave_out(TWO.node_id, "it was tried twice"), "nothing is wrong with the run"
    assert not machines.leave_out(ONE.node_id, "has no room")
    assert not machines.nodes.is_leaving(ONE.node_id)
    site.now = replace(nodes(TWO), left_out=site.left_out)
    machines.look(2, 0, 0)
    assert not machines.is_wait_over(3, 0, pending_s=9.0)
    machines.is_wait_over(40, 0, pending_s=9.0)
    assert site.told[-1].why == "left out: gpu-2 (gpu2gpu2) has no room"


def test_a_node_that_was_left_out_before_the_run_began_is_told():
    """Nodes that are there at the start are not, but for those."""
    site = Site(replace(nodes(ONE, TWO), left_out={TWO.node_id: "has no room"}))
    machines_of(site).look(0, 0, 0)
    assert site.told == [LeftOut(TWO, "has no room")]


def test_an_answer_that_does_not_come_changes_nothing():
    """Nor does one within the second."""
    site = Site(nodes(ONE))
    machines = machines_of(site)
    machines.look(0, 0, 0)
    site.now = None
    machines.look(5, 0, 0)
    site.now = nodes()
    machines.look(5.5, 0, 0)
    assert (site.told, machines.nodes) == ([], nodes(ONE))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_cluster_without_a_cpu_is_waited_for_too(device):
    """Nobody could read; the driver's own node may have none."""
    site = Site(nodes())
    machines = machines_of(site, 0, device, wait_s=10.0)
    machines.look(0, 0, 0)
    assert [machines.is_wait_over(at, 0, None) for at in (0, 9, 10)] == [False, False, True]
    assert [one.lacks for one in site.told if isinstance(one, Shortage)] == ["CPU"]


def test_people_and_machines_are_told_the_same():
    """In one line, and in fields that one filters by."""
    line, fields = shortage_said(Shortage("GPU", 4, 0, 0.0, 1800.0, None))
    assert line == "waiting   for 4 GPUs (0 now)"
    assert fields == {"for": "GPU", "wanted": 4, "there": 0, "seconds": 0, "limit_seconds": 1800, "why": None}
    line, _ = shortage_said(Shortage("CPU", 1, 0, 30.2, 1800.0, "2 nodes are being started"))
    assert line == "waiting   for 1 CPU (0 now), for 30 of 1800 s: 2 nodes are being started"
    line, event, fields = node_said(Draining(ONE, 1_796_049_643_800))
    assert line == "draining  gpu-1 (gpu1gpu1) until 14:40:43 UTC: no more videos begin there"
    assert (event, fields["node"], fields["gpus"]) == ("node_draining", "gpu-1", 2)
    assert fields["deadline"].startswith("2026-11-30T14:40:43.8")
    assert node_said(Draining(ONE, 0))[2]["deadline"] is None
    assert node_said(Lost(ONE, "received SIGTERM"))[:2] == (
        "lost      gpu-1 (gpu1gpu1): received SIGTERM",
        "node_lost",
    )
    assert node_said(LeftOut(ONE, "has no room"))[:2] == (
        "left out  gpu-1 (gpu1gpu1): it has no room",
        "node_left_out",
    )
    assert node_said(Joined(ONE))[1] == "node_joined"
