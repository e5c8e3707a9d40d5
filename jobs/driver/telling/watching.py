"""What the runner says of itself, passed on to metrics and to people."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.cluster.nodes import NodeEvent, View
from jobs.driver.loop.machines import Shortage
from jobs.driver.telling.metrics import Meters
from jobs.driver.telling.progress import Progress
from jobs.driver.telling.tally import Tally
from jobs.settings.limits import Ending


@dataclass(frozen=True)
class Watching:
    """Looks on for both."""

    tally: Tally
    meters: Meters
    progress: Progress
    nodes: View

    def load(self, queue_depth: int, actors: Mapping[str, int]) -> None:
        """Videos that wait, and actors by state."""
        self.meters.show(self.tally, queue_depth, actors, len(self.nodes.left_out))
        if actors.get("busy") or not actors:  # without a model there are none
            self.progress.begun()
        self.progress.tick()

    def closing(self, ending: Ending, num_in_flight: int, grace_s: float) -> None:
        """A limit is reached."""
        self.progress.closing(ending, num_in_flight, grace_s)

    def short(self, shortage: Shortage) -> None:
        """The run waits for machines."""
        self.progress.short(shortage)

    def node(self, event: NodeEvent) -> None:
        """A node came, drains or is gone."""
        self.progress.node(event)

    def scaled(self, num_gpus: int, num_wanted: int) -> None:
        """Tell how many GPUs there are now."""
        self.progress.scaled(num_gpus, num_wanted)

    def left_over(self, num_gpus: int, gpus_per_model: int) -> None:
        """Tell that some GPUs are of no use."""
        self.progress.left_over(num_gpus, gpus_per_model)
