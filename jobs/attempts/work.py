"""One attempt at one planned video, as it travels between the driver, the actors and the tasks."""

from dataclasses import dataclass, replace

from schemas.identity import VideoObject
from schemas.plan import PlannedVideo, Reason

MIN_FRAMES = 64  # the memory ladder does not go below this


@dataclass(frozen=True, slots=True)
class Work:
    """`max_frames` is the recipe's, or less once memory has run out on it.

    No `tasks` means all of the recipe's; with some, the other answers are those of the bundle `carried_key`.
    """

    video: VideoObject
    analysis_key: str
    reason: Reason
    max_frames: int
    attempt: int = 1
    has_rows: bool = False  # readers see rows of its present bytes
    tasks: tuple[str, ...] = ()
    carried_key: str | None = None

    @classmethod
    def first(cls, planned: PlannedVideo, max_frames: int) -> "Work":
        """The first attempt at it."""
        return cls(
            planned.video,
            planned.analysis_key,
            planned.reason,
            max_frames,
            has_rows=planned.has_rows,
            tasks=planned.tasks,
            carried_key=planned.carried_key,
        )

    def again(self) -> "Work":
        """The next attempt."""
        return replace(self, attempt=self.attempt + 1)

    def with_fewer_frames(self, num_frames: int) -> "Work | None":
        """The next rung of the memory ladder after `num_frames` were too many, None at its end."""
        fewer = min(num_frames, self.max_frames) // 2
        return replace(self, max_frames=fewer) if fewer >= MIN_FRAMES else None
