"""What differs between two recipes, in words."""

from schemas.recipe import RecipeRecord


def changes_between(before: RecipeRecord | None, after: RecipeRecord | None) -> tuple[str, ...]:
    """What is other in `after`; () where nothing is. One that nobody declared cannot be compared."""
    if before is None or after is None:
        return ("not declared, so what differs is not known",)
    if before.recipe_id == after.recipe_id:
        return ()
    changes = []
    if before.model != after.model:
        is_named = before.model_id != after.model_id
        changes.append(
            f"model {before.model_id} → {after.model_id}" if is_named else "model weights or number format"
        )
    if before.sampling != after.sampling:
        changes.append("sampling")
    changes += [f"prompt {name} added" for name in after.tasks if name not in before.tasks]
    changes += [f"prompt {name} left out" for name in before.tasks if name not in after.tasks]
    for name, task in after.tasks.items():
        if name in before.tasks and before.tasks[name] != task:
            is_own = before.prompts.get(name) != after.prompts.get(name)
            changes.append(
                f"prompt {name} changed" if is_own else f"prompt {name} is asked or told otherwise"
            )
    if not changes and list(before.tasks) != list(after.tasks):
        changes.append("order of the prompts")
    return tuple(changes) or ("something this version cannot name",)
