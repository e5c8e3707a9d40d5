"""What came of reading one signal."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from jobs.failures import Stage, VideoFailure, classify
from jobs.signals.signal import PartlyRead
from schemas.failures import FailureClass
from schemas.measured import Measured


@dataclass(frozen=True)
class Outcome:
    """Rows, why there are none or not all of them, and the seconds of a CPU that it took."""

    rows: tuple[Measured, ...] = ()
    failure: VideoFailure | None = None
    seconds: float = 0.0


def collect(read: Callable[[], Iterable[Measured]]) -> Outcome:
    """All that it gives. Of a signal that fails nothing counts, unless it says that it read a part."""
    found: list[Measured] = []
    try:
        for row in read():
            found.append(row)
        return Outcome(tuple(found))
    except PartlyRead as part:
        # The video's own matter, as damage inside it would be: another try finds the same.
        why = replace(classify(part.why, Stage.READ), failure_class=FailureClass.MEDIA)
        return Outcome(tuple(found), why)
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Outcome:
    """Return the outcome of a signal that read nothing, for this reason."""
    return Outcome(failure=classify(error, Stage.READ))
