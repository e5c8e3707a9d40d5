"""What a plan does without a GPU: rows get another name, and videos that are gone are marked so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from schemas.commit import Commit, CommitState
from schemas.plan import PlannedVideo
from storage.index.index import Index


def repoint(index: Index, planned: PlannedVideo, run_id: str) -> None:
    """Commit the rows that the same bytes have under another name. Raises `storage.errors`."""
    assert planned.carried_id
    assert planned.carried_key
    video = planned.video
    ids = {
        "video_id": video.video_id,
        "object_rev": video.object_rev,
        "analysis_key": planned.analysis_key,
        "uri": video.uri,
    }
    commit: dict[str, Any] = {**ids, "content_rev": video.content_rev, "run_id": run_id, "created_at": _now()}
    listed = {
        **ids,
        "etag": video.etag,
        "version_id": video.version_id,
        "modified_at": datetime.fromtimestamp(video.modified_ns / 1e9, UTC),
    }
    index.commit_copy(planned.carried_id, planned.carried_key, commit, listed)


def deleted_marks(index: Index, video_ids: frozenset[str], run_id: str) -> Iterator[Commit]:
    """One for each of these videos, that hides its rows."""
    for commit, uri in index.visible_commits():
        if commit.video_id in video_ids:
            yield Commit(
                analysis_key=commit.analysis_key,
                video_id=commit.video_id,
                object_rev=commit.object_rev,
                recipe_id=commit.recipe_id,
                uri=uri,
                run_id=run_id,
                created_at=_now(),
                content_rev=commit.content_rev,
                state=CommitState.DELETED,
                failure_class=None,
            )


def _now() -> datetime:
    return datetime.now(UTC)
