"""What differs between two recipes, in words."""

from collections.abc import Iterator

from schemas.recipe import RecipeRecord

_UNKNOWN = "not declared, so what differs is not known"


def changes_between(before: RecipeRecord | None, after: RecipeRecord | None) -> tuple[str, ...]:
    """Return what is other in `after`; () where nothing is. One that nobody declared cannot be compared."""
    if before is None or after is None:
        return (_UNKNOWN,)
    return tuple(_changes(before, after))


def _changes(before: RecipeRecord, after: RecipeRecord) -> Iterator[str]:
    if before.model_id != after.model_id and before.model != after.model:
        yield f"model {before.model_id or 'none'} → {after.model_id or 'none'}"
    for name, value in after.settings.items():
        if before.settings.get(name) != value:
            yield f"{name} {before.settings.get(name, '–')} → {value}"
    if after.model:
        for name in sorted(before.settings.keys() - after.settings.keys() - before.signals.keys()):
            yield f"{name} {before.settings[name]} → –"
    for name, task in after.tasks.items():
        if name not in before.tasks:
            yield f"prompt {name} added"
        elif before.tasks[name] != task:
            is_own = before.prompts.get(name) != after.prompts.get(name)
            yield f"prompt {name} changed" if is_own else f"prompt {name} is told or checked otherwise"
    yield from (f"prompt {name} left out" for name in before.tasks if name not in after.tasks)
    yield from (f"signal {name} added" for name in after.signals if name not in before.signals)
    yield from (f"signal {name} left out" for name in before.signals if name not in after.signals)
