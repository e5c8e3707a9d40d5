"""Whether the kernel has killed processes for want of memory, as far as it tells this one."""

from dataclasses import dataclass, field
from pathlib import Path

CGROUPS, OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
WHOLE_MACHINE = Path("/proc/vmstat")
_NAME = "oom_kill"


def num_memory_kills() -> int | None:
    """Count the kills for lack of memory so far, of this process's control group where there is one, else of
    the machine. None: not told."""
    for path in (*_own_group(), WHOLE_MACHINE):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        found = [int(line.split()[1]) for line in lines if line.split()[:1] == [_NAME]]
        if found:
            return found[0]
    return None


def _own_group() -> list[Path]:
    """Counters of its own control group, in either version; a container may see that group as the root."""
    try:
        groups = [line.split(":", 2) for line in OWN_GROUP.read_text().splitlines()]
    except OSError:
        return []
    paths = []
    for _, controllers, name in groups:
        if not controllers:
            folders, file = (CGROUPS / name.lstrip("/"), CGROUPS), "memory.events"
        elif controllers == "memory":
            root = CGROUPS / "memory"
            folders, file = (root / name.lstrip("/"), root), "memory.oom_control"
        else:
            continue
        paths += [folder / file for folder in folders]
    return paths


@dataclass(frozen=True)
class MemoryKills:
    """A count of kills for lack of memory, from the moment when it is made."""

    before: int | None = field(default_factory=num_memory_kills)

    def since(self) -> int | None:
        """Count the kills since it was made; None: nobody says."""
        now = num_memory_kills()
        return None if now is None or self.before is None else now - self.before


def what_is_known(kills: MemoryKills) -> str:
    """The hint where something died and did not say why: memory only where the kernel named it."""
    num = kills.since()
    if num:
        ended = "a process" if num == 1 else f"{num} processes"
        cause = f"The kernel ended {ended} for want of memory: use fewer --num-actors, or a larger machine. "
    elif num == 0:
        cause = "The kernel ended nothing here for want of memory. "
    else:
        cause = ""
    return f"{cause}Repeat the command; what is committed stays."
