"""One attempt at one planned video, as it travels between the driver, the actors and the tasks."""

from dataclasses import dataclass, fields, replace

from schemas.plan import PlannedVideo

MIN_FRAMES = 64  # the memory ladder does not go below this
WAITING_PER_CPU = 2  # analysed videos that wait for post-processing; with more, no new video is begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(PlannedVideo):
    """A planned video at its attempt number `attempt`. `max_frames` is the recipe's, or less once memory has
    run out on it."""

    max_frames: int
    attempt: int = 1

    @classmethod
    def first(cls, planned: PlannedVideo, max_frames: int, has_model: bool = True) -> "Work":
        """The first attempt at it, in a run with a model or without one."""
        work = cls(**{f.name: getattr(planned, f.name) for f in fields(planned)}, max_frames=max_frames)
        return work if has_model else replace(work, tasks=())

    @property
    def is_for_model(self) -> bool:
        """Whether a model is to be asked anything about it; else only its signals are read."""
        return self.tasks != ()

    def again(self) -> "Work":
        """The next attempt."""
        return replace(self, attempt=self.attempt + 1)

    def with_fewer_frames(self, num_frames: int) -> "Work | None":
        """The next rung of the memory ladder after `num_frames` were too many, None at its end."""
        fewer = min(num_frames, self.max_frames) // 2
        return replace(self, max_frames=fewer) if fewer >= MIN_FRAMES else None
