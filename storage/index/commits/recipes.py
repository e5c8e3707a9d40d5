"""What the rows' recipe ids stand for. One small file a recipe, never changed."""

from schemas.recipe import RecipeRecord
from storage.errors import NotFound
from storage.index.json_files import read_json
from storage.index.layout import recipe_key
from storage.objects.store import ObjectStore


def declare_recipe(store: ObjectStore, recipe: RecipeRecord) -> None:
    """Write a recipe down, before the first row that names it. Repeating it is harmless."""
    store.put_if_absent(recipe_key(recipe.recipe_id), recipe.model_dump_json(indent=1).encode())


def read_recipe(store: ObjectStore, recipe_id: str) -> RecipeRecord | None:
    """Read a recipe; None: rows name it, nobody declared it. PreflightError: a damaged or newer file."""
    key = recipe_key(recipe_id)
    try:
        data = store.read(key)
    except NotFound:
        return None
    hint = "Restore that file from a backup, or delete it."
    return read_json(RecipeRecord, data, f"{store.url}/{key}", hint)
