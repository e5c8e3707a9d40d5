"""What became of a recipe: which of its answers and signals would come out differently today."""

from dataclasses import dataclass

from schemas.plan import Reason
from schemas.recipe import RecipeRecord

Names = tuple[str, ...]


@dataclass(frozen=True)
class Staleness:
    """The stale part of rows: `tasks` are those to ask again, `signals` those to read again; None means all.

    `recipe` is what the rows are made by once that is done.
    """

    reason: Reason
    tasks: Names | None
    signals: Names
    recipe: RecipeRecord

    @property
    def has_all_anew(self) -> bool:
        """Whether nothing of the rows that are there can be kept."""
        return self.tasks is None and set(self.signals) == set(self.recipe.signals)


def compare_recipes(old: RecipeRecord | None, new: RecipeRecord) -> Staleness | None:
    """Return why rows made by `old` are not what `new` would make; None: as far as `new` asks, they are.

    Answers and signals that `new` does not ask for are no reason. Such signals are kept whatever is done
    anew. An `old` that nobody declared may be anything.
    """
    signals = tuple(name for name, identity in new.signals.items() if not _has_signal(old, name, identity))
    because, tasks = _stale_tasks(old, new)
    if because is not None:
        return Staleness(because, tasks, signals, new if old is None else _keeping_signals(old, new))
    if not signals:
        return None
    is_added = old is not None and all(name not in old.signals for name in signals)
    because = Reason.MISSING_SIGNALS if is_added else Reason.STALE_SIGNALS
    return Staleness(because, (), signals, old.with_signals_of(new) if old else new)


def _has_signal(old: RecipeRecord | None, name: str, identity: str) -> bool:
    return old is not None and old.signals.get(name) == identity


def _keeping_signals(old: RecipeRecord, new: RecipeRecord) -> RecipeRecord:
    """The new recipe, with signals that only the old one has."""
    return new.with_signals_of(old.model_copy(update={"signals": old.signals | new.signals}))


def _stale_tasks(old: RecipeRecord | None, new: RecipeRecord) -> tuple[Reason | None, Names | None]:
    """Why answers are asked for anew, if they are, and which; None: all of them."""
    if not new.tasks:
        return None, ()
    if old is not None and not old.tasks:
        return Reason.MISSING, None
    if old is None or old.model != new.model:
        return Reason.STALE_MODEL, None
    if old.sampling != new.sampling:
        return Reason.STALE_SAMPLING, None
    if old.kv != new.kv:
        return Reason.STALE_KV, None
    to_ask = tuple(name for name, task in new.tasks.items() if old.tasks.get(name) != task)
    if not to_ask:
        return None, ()
    is_added = all(name not in old.tasks for name in to_ask)
    return (
        Reason.MISSING if is_added else Reason.STALE_PROMPT,
        to_ask if len(to_ask) < len(new.tasks) else None,
    )
