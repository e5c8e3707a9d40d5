"""What one try at one video took: said by its actor, kept by the driver, written beside the video's rows."""

from dataclasses import dataclass
from datetime import datetime

from jobs.failures import Trouble


@dataclass(frozen=True)
class Seat:
    """Where an actor is at work. `device` is "cpu" or the GPU's name."""

    node_id: str
    host: str
    device: str


@dataclass(frozen=True)
class Spent:
    """What a try took of its actor, as far as it got; None: not so far. Memory is the try's own peak."""

    wait_seconds: float | None = None
    prefill_seconds: float | None = None
    generate_seconds: float | None = None
    peak_memory_bytes: int | None = None
    video_ms: int | None = None
    num_frames: int | None = None
    num_prompt_tokens: int | None = None
    num_output_tokens: int | None = None
    num_again_tokens: int | None = None  # of those: when answers with faults were asked for once more

    @property
    def busy_seconds(self) -> float:
        """The model at work: prefill without the wait for pictures, and the answers."""
        prefill = (self.prefill_seconds or 0.0) - (self.wait_seconds or 0.0)
        return prefill + (self.generate_seconds or 0.0)


@dataclass(frozen=True)
class Receipt:
    """What an actor hands back for one try: a pickled `Analysis`, or why there is none.

    Pickled by the actor, so that the driver keeps and passes on the answers without ever opening them.
    """

    spent: Spent
    outcome: bytes | Trouble


@dataclass(frozen=True)
class Try:
    """One try at one video, over or at its finishing."""

    attempt: int
    started_at: datetime
    seconds: float  # in the actor's hands
    seat: Seat | None
    spent: Spent = Spent()
    trouble: Trouble | None = None
