"""What became of a recipe: which of its answers would come out differently today."""

from dataclasses import dataclass

from schemas.plan import Reason
from schemas.recipe import RecipeRecord


@dataclass(frozen=True)
class Staleness:
    """`tasks` are those to ask again; none means all."""

    reason: Reason
    tasks: tuple[str, ...] = ()


def compare_recipes(old: RecipeRecord | None, new: RecipeRecord) -> Staleness | None:
    """Why rows made by `old` are not what `new` would make; None: as far as `new` asks, they are.

    Answers that `new` does not ask for are no reason. An `old` that nobody declared may be anything.
    """
    if old is None or old.model != new.model:
        return Staleness(Reason.STALE_MODEL)
    if old.sampling != new.sampling:
        return Staleness(Reason.STALE_SAMPLING)
    to_ask = tuple(name for name, task in new.tasks.items() if old.tasks.get(name) != task)
    if not to_ask:
        return None
    is_added = all(name not in old.tasks for name in to_ask)
    tasks = to_ask if len(to_ask) < len(new.tasks) else ()
    return Staleness(Reason.MISSING if is_added else Reason.STALE_PROMPT, tasks)
