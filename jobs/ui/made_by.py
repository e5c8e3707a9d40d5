"""Which model wrote the rows that are shown, and what has to be said of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from jobs.weights import note_on

_REVISION = 12  # characters that people see of it


@dataclass(frozen=True, slots=True, order=True)
class MadeBy:
    """A model as the lineage columns name it; None: no model was involved."""

    model_id: str | None
    model_revision: str | None

    @property
    def name(self) -> str:
        """The model's name with its revision: `small (6f1c2a9b03de)`."""
        if self.model_id is None:
            return "no model"
        revision = (self.model_revision or "")[:_REVISION]
        return f"{self.model_id} ({revision})" if revision else self.model_id

    @property
    def note(self) -> str | None:
        """A sentence, where the model is not to be taken at its word."""
        return note_on(self.model_id)


def notes_on(models: Iterable[MadeBy]) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(model.note for model in models if model.note))
