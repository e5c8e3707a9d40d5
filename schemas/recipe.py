"""What a recipe id stands for, as the index keeps it: so that a changed recipe can say what changed."""

import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from schemas.identity import digest
from schemas.tables import SCHEMA_VERSION


class Budget(BaseModel):
    """The most that one prompt may take."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_new_tokens: int = Field(description="Of one window")
    window_ms: int | None = Field(description="Longer videos are asked window by window; null: never")


class RecipeRecord(BaseModel):
    """The parts of a recipe, each as an id that changes with it.

    A task is one prompt with its answer type; its id also covers the tasks whose answers it is told, so that
    equal ids mean that the same answer would be given. A signal's id covers its code's version, its settings
    and its weights. Without a model there are signals only: model and sampling are empty.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    schema_version: int = SCHEMA_VERSION
    recipe_id: str
    model_id: str | None = Field(description="For people; the same weights elsewhere are the same")
    model: str = Field(description="Weights, number format and engine")
    sampling: str = Field(description="Which frames the model is shown")
    kv: str = Field(default="", description="How bi-level decoding pools keys and values; empty: dense")
    tasks: dict[str, str] = Field(description="By the prompt's name, in the order of asking")
    signals: dict[str, str] = Field(default_factory=dict, description="By the signal's name")
    settings: dict[str, str] = Field(description="What model and sampling are made of, for people")
    prompts: dict[str, str] = Field(description="Each prompt's text, for people")
    budgets: dict[str, Budget] = Field(
        default_factory=dict, description="By the prompt's name, for estimates"
    )

    def with_signals_of(self, other: "RecipeRecord") -> "RecipeRecord":
        """The same with the other's signals besides its own; of those that both have, the other's."""
        signals = self.signals | other.signals
        if signals == self.signals:
            return self
        versions = {name: value for name, value in other.settings.items() if name in other.signals}
        changes = {"signals": signals, "settings": self.settings | versions}
        recipe_id = recipe_id_of(self.model, self.sampling, self.tasks, signals, self.kv)
        return self.model_copy(update=changes | {"recipe_id": recipe_id})


def recipe_id_of(
    model: str, sampling: str, tasks: Mapping[str, str], signals: Mapping[str, str], kv: str = ""
) -> str:
    """Hash over a recipe's parts. What reads no signals, or decodes dense, has the id that it had before
    there was anything else."""
    parts = [json.dumps(dict(sorted(signals.items())))] if signals else []
    parts += ["kv", kv] if kv else []
    return digest("recipe", model, sampling, json.dumps(dict(tasks)), *parts)
