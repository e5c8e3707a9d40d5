"""How one video stands, in a sentence, and what can be done about it."""

from collections.abc import Iterator

from jobs.reports.explain.records import Committed, Failed
from jobs.reports.explain.rows import RowsOfTable
from jobs.reports.next_steps import Newest, Step
from jobs.ui.next_command import IndexPlace
from schemas.commit import CommitState
from schemas.failures import FailureAction, FailureClass
from schemas.plan import MISSING, Reason

_WORTH_A_LOOK = {"scenes": ("its scenes", "title"), "captions": ("what is said", "text")}


def state_of(commits: tuple[Committed, ...], failures: tuple[Failed, ...], stale: Reason | None) -> str:
    """Say in words how things stand with a video, by its newest commit and failures."""
    left = "; the latest try was left to the next run" if _is_left(failures) else ""
    match commits[-1].state if commits else None:
        case CommitState.ROWS:
            aside = ""
            if commits[-1].failure_class == FailureClass.DOMAIN:
                aside = ", signals only: set aside for the model, which was not made for such videos"
            return "indexed" + aside + (f", {stale}" if stale else "") + left
        case CommitState.QUARANTINED:
            is_media = commits[-1].failure_class == FailureClass.MEDIA
            until = "its object is replaced" + ("" if is_media else ", or the model or the prompts are")
            return f"set aside until {until}{left}"
        case CommitState.DELETED:
            return "gone from the library; its rows are history, in the views …_all"
        case CommitState.RELEASED:
            return "released: the next run tries it again" + left
    return "never settled" + left


def _is_left(failures: tuple[Failed, ...]) -> bool:
    return any(failure.counts and failure.action == FailureAction.NEXT_RUN for failure in failures)


def steps_for(
    commits: tuple[Committed, ...],
    failures: tuple[Failed, ...],
    stale: Reason | None,
    place: IndexPlace,
    uri: str,
    video_id: str,
    newest: Newest | None,
    rows: tuple[RowsOfTable, ...],
) -> Iterator[Step]:
    """Yield what can be done about a video, each with the command for it."""
    said = newest or Newest("", "LIBRARY", "")
    state = commits[-1].state if commits else None
    if _is_left(failures) or state in (None, CommitState.RELEASED):
        yield Step("try it again, with all that is new", said.again(place))
    if state == CommitState.QUARANTINED:
        yield Step("have the next run try it once more as it is", place.command("retry", uri))
    if state == CommitState.ROWS:
        for table, (what, column) in _WORTH_A_LOOK.items():
            if any(one.table == table for one in rows):
                query = (
                    f"select start_ms, end_ms, {column} from {table} where video_id = '{video_id}' order by 1"
                )
                yield Step(f"see {what}", place.command("sql", query))
        if stale:
            flag = "--missing" if stale in MISSING else "--stale"
            yield Step("have it answered as it would be now", said.again(place, "backfill", flag))
    if state in (CommitState.DELETED, CommitState.QUARANTINED):
        yield Step("remove every trace of it", place.command("forget", uri))
