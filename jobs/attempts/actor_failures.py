"""Why an actor is gone: of its machine, of the host's memory, or of the video in its hands."""

import ray

from jobs.failures import KILLS_UNTIL_POISON, WORKER_KILLED, Stage, VideoFailure
from schemas.failures import FailureClass

NODE_LACKS_CODE = "node_lacks_code"
LACKS_CODE_PAUSE_S = 1.0  # before the same is tried again: the idle node would get it until it is left out
_NOT_THERE = ("ImportError", "ModuleNotFoundError", "AttributeError")  # a module, or what one holds elsewhere
MACHINE_LOST = VideoFailure(
    Stage.MODEL,
    FailureClass.LOST,
    "machine_lost",
    "its machine went away",
    "None needed, it is tried again elsewhere.",
)


def failure_of_death(error: Exception, num_kills: int, max_frames: int) -> VideoFailure:
    """Return the failure of the video in a dead actor's hands, which killed `num_kills` actors before."""
    if is_out_of_memory(error):
        hint = "Use fewer --num-actors, or machines with more memory."
        return VideoFailure(
            Stage.MODEL,
            FailureClass.RESOURCE,
            "host_out_of_memory",
            last_line(error),
            hint,
            num_frames=max_frames,
        )
    if is_lost_machine(error):
        return MACHINE_LOST
    return failure_of_kill(last_line(error), num_kills)


def failure_of_kill(why: str, num_kills: int) -> VideoFailure:
    """Return the failure of the video in the hands of a process that died, or was ended as it did not get
    on."""
    kills = num_kills + 1
    return VideoFailure(
        Stage.MODEL,
        FailureClass.POISON if kills >= KILLS_UNTIL_POISON else FailureClass.LOST,
        WORKER_KILLED,
        f"the model's process died on this video or hung in it, time {kills}: {why}",
        "Check the file in a player, the host's memory and the GPU (nvidia-smi).",
    )


def is_out_of_memory(error: Exception) -> bool:
    """Whether Ray's own watch over the host's memory killed the actor."""
    return isinstance(error, ray.exceptions.OutOfMemoryError) or "NODE_OUT_OF_MEMORY" in str(error)


def lacks_code(error: Exception) -> bool:
    """Tell whether a task or an actor could not begin, as its node lacks the code. Ray has no type for it.

    Ray reads what a task is given before it says that the task itself could not be imported.
    """
    said = str(error)
    is_unread = isinstance(getattr(error, "cause", None), ray.exceptions.RaySystemError)
    return "failed to import on the worker" in said or (is_unread and any(one in said for one in _NOT_THERE))


def is_lost_machine(error: Exception) -> bool:
    """Whether the actor died of its machine, not of its video: unreachable, preempted, gone, or without the
    code."""
    if not isinstance(error, ray.exceptions.ActorDiedError):
        return True  # unavailable actors, lost objects and owners
    return (
        error.preempted or lacks_code(error) or "its node has died" in str(error)
    )  # Ray has no type for the latter


def last_line(error: Exception) -> str:
    """Ray's last line without its paragraph of advice."""
    return str(error).strip().splitlines()[-1].partition(". ")[0]
