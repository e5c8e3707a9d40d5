"""What a recipe id stands for, as the index keeps it: so that a changed recipe can say what changed."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.tables import SCHEMA_VERSION


class Budget(BaseModel):
    """How much one prompt may take."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_new_tokens: int = Field(description="Of one window")
    window_ms: int | None = Field(description="Longer videos are asked window by window; null: never")


class RecipeRecord(BaseModel):
    """The parts of a recipe, each as an id that changes with it.

    A task is one prompt with its answer type; its id also covers the tasks whose answers it is told, so that
    equal ids mean that the same answer would be given.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    schema_version: int = SCHEMA_VERSION
    recipe_id: str
    model_id: str = Field(description="For people; the same weights elsewhere are the same")
    model: str = Field(description="Weights, number format and engine")
    sampling: str = Field(description="Which frames the model is shown")
    tasks: dict[str, str] = Field(description="By the prompt's name, in the order of asking")
    settings: dict[str, str] = Field(description="What model and sampling are made of, for people")
    prompts: dict[str, str] = Field(description="Each prompt's text, for people")
    budgets: dict[str, Budget] = Field(
        default_factory=dict, description="By the prompt's name, for estimates"
    )
