"""What the rows' recipe ids stand for. One small file a recipe, never changed."""

from pydantic import ValidationError

from schemas.failures import PreflightError
from schemas.recipe import RecipeRecord
from storage.errors import NotFound
from storage.layout import recipe_key
from storage.objects import ObjectStore


def declare_recipe(store: ObjectStore, recipe: RecipeRecord) -> None:
    """Before the first row that names it. Repeating it is harmless."""
    store.put_if_absent(recipe_key(recipe.recipe_id), recipe.model_dump_json(indent=1).encode())


def read_recipe(store: ObjectStore, recipe_id: str) -> RecipeRecord | None:
    """None: rows name it, but nobody declared it. PreflightError: the file is damaged."""
    key = recipe_key(recipe_id)
    try:
        return RecipeRecord.model_validate_json(store.read(key))
    except NotFound:
        return None
    except ValidationError as error:
        raise PreflightError(
            f"{store.url}/{key} is damaged: {error.errors()[0]['msg']}",
            "Restore that file from a backup, or delete it.",
        ) from error
