"""The weights of a run that is examined, looked up once for all checks that ask for them."""

from functools import cached_property

from jobs.planning.preflight import weights_of
from jobs.settings.config import Settings
from jobs.weights import BUILT_IN, Weights
from schemas.failures import MediaIndexError


class WeightsOnce:
    """Weights of which heads alone are downloaded: the hub or S3 is asked when a check first wants them."""

    def __init__(self, settings: Settings) -> None:
        """Take the built-in model where the settings name none."""
        self._settings = settings.model_copy(update={"model": settings.model or BUILT_IN})

    def find(self) -> Weights:
        """Return the same answer each time, or raise the same error: those of `find_weights`."""
        if isinstance(self._outcome, MediaIndexError):
            raise self._outcome
        return self._outcome

    @cached_property
    def _outcome(self) -> Weights | MediaIndexError:
        try:
            weights = weights_of(self._settings)
        except MediaIndexError as error:
            return error
        assert weights is not None  # one is named
        return weights
