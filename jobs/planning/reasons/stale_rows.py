"""What is stale of the rows that videos have: by the recipe that made them, and by what lay beside then."""

from collections.abc import Callable
from dataclasses import replace

from jobs.planning.reasons.staleness import Names, Staleness, compare_recipes
from schemas.failures import FailureClass
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.recipe import RecipeRecord
from storage.index.publishing.published import CurrentCommit


class StaleRows:
    """Compares with the run's recipe. `find` gives what a recipe id stands for, None where nobody said.

    `of_sidecars` are the recipe's signals that read what lies beside a video, `tasks_of_said` its prompts
    that tell what is said there.
    """

    def __init__(
        self,
        find: Callable[[str], RecipeRecord | None],
        recipe: RecipeRecord,
        of_sidecars: Names,
        tasks_of_said: Names,
    ) -> None:
        self._find = find
        self._recipe = recipe
        self._of_sidecars = of_sidecars
        self._tasks_of_said = tasks_of_said
        self._records: dict[str, RecipeRecord | None] = {recipe.recipe_id: recipe}
        self._by_recipe: dict[str, Staleness | None] = {}
        self._results: dict[str, RecipeRecord] = {}

    @property
    def recipes(self) -> tuple[RecipeRecord, ...]:
        """The recipes that videos which were found stale will be made by, besides the run's."""
        return tuple(record for name, record in self._results.items() if name != self._recipe.recipe_id)

    def of_recipe(self, recipe_id: str) -> Staleness | None:
        """Return what is stale of rows that this recipe made; None: nothing."""
        if recipe_id not in self._by_recipe:
            self._by_recipe[recipe_id] = compare_recipes(self._record(recipe_id), self._recipe)
        return self._by_recipe[recipe_id]

    def has_all_of(self, wanted: str | None, recipe_id: str) -> bool:
        """Whether rows that this recipe made are all that `wanted` (None: the run's recipe) would make."""
        record = self._results.get(wanted, self._recipe) if wanted else self._recipe
        return compare_recipes(self._record(recipe_id), record) is None

    def of(self, video: VideoObject, current: CurrentCommit) -> Staleness | None:
        """Return what is stale of the rows that a video has of its present bytes; None: nothing."""
        stale = self.of_recipe(current.recipe_id)
        if stale and stale.tasks != () and current.failure_class == FailureClass.DOMAIN:
            stale = replace(stale, reason=Reason.MISSING, tasks=None)  # no model has said anything of it
        if self._of_sidecars and not video.has_texts_of(current.sidecars_rev):
            stale = self._with_sidecars(stale, current.recipe_id)
        if stale is not None:
            self._results[stale.recipe.recipe_id] = stale.recipe
        return stale

    def _with_sidecars(self, stale: Staleness | None, recipe_id: str) -> Staleness:
        """And read again what reads sidecars, and ask again what tells it."""
        if stale is None:
            record = self._record(recipe_id)
            recipe = record.with_signals_of(self._recipe) if record else self._recipe
            return Staleness(Reason.NEW_SIDECARS, self._tasks_of_said, self._of_sidecars, recipe)
        signals = tuple(dict.fromkeys((*stale.signals, *self._of_sidecars)))
        if stale.tasks is None:
            return replace(stale, signals=signals)
        tasks = tuple(dict.fromkeys((*stale.tasks, *self._tasks_of_said)))
        return replace(stale, signals=signals, tasks=tasks)

    def _record(self, recipe_id: str) -> RecipeRecord | None:
        if recipe_id not in self._records:
            self._records[recipe_id] = self._find(recipe_id)
        return self._records[recipe_id]
