"""What a plan does without a GPU: rows get another name, and videos that are gone are marked so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import compress

from jobs.planning.preflight import Preflight
from jobs.planning.reasons.reasons import Findings, examine
from schemas.commit import Commit, CommitState
from schemas.identity import VideoId, VideoObject, digest
from schemas.plan import PlannedVideo, Reason
from schemas.rows import columns_of
from schemas.tables import Video
from storage.errors import NotFound
from storage.index.batches import batches
from storage.index.index import Index
from storage.library.same_bytes import are_same
from storage.query.plans import PlannedVideos

_PAGE = 1000  # videos compared before the first of them is worked on


def relink(index: Index, planned: PlannedVideo, run_id: str, reads_texts: bool) -> bool:
    """Commit the rows that the same bytes have under another name; a copy does without the captions that lie
    beside the other one alone, where the run knows what lies beside it (`reads_texts`).

    Returns whether the captions are those of the texts beside it. Raises `storage.errors`.
    """
    assert planned.carried_id
    assert planned.carried_key
    video = planned.video
    key = {"analysis_key": planned.analysis_key}
    commit = columns_of(Commit, video) | key | {"run_id": run_id, "created_at": _now()}
    del commit["sidecars_rev"]  # the texts that are in the rows are the other's
    listed = columns_of(Video, video) | key
    # Texts of a moved video are its own most likely, under another name, too.
    keeps_all = not reads_texts or planned.reason is Reason.MOVED
    rev = index.commit_copy(
        planned.carried_id,
        planned.carried_key,
        commit,
        listed,
        lambda rev: keeps_all or video.has_texts_of(rev),
    )
    return not reads_texts or video.has_texts_of(rev)


def texts_to_read(videos: Sequence[VideoObject], checked: Preflight) -> Findings:
    """Plan to read the texts beside videos that got rows of others, where that needs no model."""
    recipe, index = checked.recipe, checked.index
    told = recipe.of_sidecars, recipe.tasks_of_said
    found = examine(videos, index, recipe.record, checked.library.is_local, *told)
    costly = (one for one in found.costly if one.reason is Reason.NEW_SIDECARS and one.tasks == ())
    return replace(found, costly=PlannedVideos.of(costly))


class Relinking:
    """The videos of one run that get the rows of others with the same bytes."""

    def __init__(self, index: Index, recipe_id: str, run_id: str, reads_texts: bool) -> None:
        self.relinked: list[tuple[VideoId, str]] = []  # (video_id, analysis_key): committed, to be published
        self.num_relinked = 0  # in all
        self.beside_others: list[VideoObject] = []  # relinked, whose own texts nobody read yet
        self._index = index
        self._recipe_id = recipe_id
        self._run_id = run_id
        self._reads_texts = reads_texts
        self._copies: list[PlannedVideo] = []

    def relink(self, videos: PlannedVideos) -> Iterator[PlannedVideo]:
        """Commit the rows of moved and duplicate videos, which are there; hands back those that can't have
        them, to be analysed."""
        for one, is_same in self._compared(videos, self._uri_of):
            if not is_same or not self._relink(one):
                yield self._unlinked(one)

    def expect(self, originals: PlannedVideos, copies: PlannedVideos) -> Iterator[PlannedVideo]:
        """Copies of videos that are yet to be analysed wait for `relink_copies`; what proves to be none is
        handed back, to be analysed, too."""
        ids = {one.carried_id for one in copies}
        uris = {one.video.video_id: one.video.uri for one in originals if one.video.video_id in ids}
        for one, is_same in self._compared(copies, lambda one: uris[one.carried_id or one.video.video_id]):
            if is_same:
                self._copies.append(one)
            else:
                yield self._unlinked(one)

    def relink_copies(self) -> None:
        """Give copies, at the run's end, what the first of them has come to, as far as it did."""
        for one in self._copies:
            assert one.carried_id
            assert one.carried_key
            quarantine = digest("quarantine", one.carried_key, self._run_id)
            if self._index.is_committed(one.carried_id, one.carried_key):
                self._relink(one)
            elif not one.has_rows and self._index.is_committed(one.carried_id, quarantine):
                key = digest("quarantine", one.analysis_key, self._run_id)
                self._relink(replace(one, analysis_key=key, carried_key=quarantine))

    def _relink(self, one: PlannedVideo) -> bool:
        try:
            has_own_texts = relink(self._index, one, self._run_id, self._reads_texts)
        except NotFound:
            return False
        if not has_own_texts:
            self.beside_others.append(one.video)
        self.relinked.append((one.video.video_id, one.analysis_key))
        self.num_relinked += 1
        return True

    def _compared(
        self, videos: PlannedVideos, uri_of: Callable[[PlannedVideo], str]
    ) -> Iterator[tuple[PlannedVideo, bool]]:
        """Whether they have the bytes of the others. Files on a disk are read: so far they look alike."""
        for page in batches(videos, _PAGE):
            looks_alike = [one.video.is_local and one.reason is Reason.DUPLICATE for one in page]
            answers = are_same((uri_of(one), one.video) for one in compress(page, looks_alike))
            for one, is_to_compare in zip(page, looks_alike, strict=True):
                yield one, not is_to_compare or next(answers)

    def _uri_of(self, one: PlannedVideo) -> str:
        assert one.carried_id
        assert one.carried_key
        try:
            return self._index.uri_of(one.carried_id, one.carried_key)
        except NotFound:
            return ""  # no file

    def _unlinked(self, one: PlannedVideo) -> PlannedVideo:
        key = one.video.analysis_key(self._recipe_id)
        return replace(one, analysis_key=key, reason=Reason.NEW, carried_key=None, carried_id=None)


def deleted_marks(index: Index, video_ids: frozenset[VideoId], run_id: str) -> Iterator[Commit]:
    """One for each of these videos, that hides its rows."""
    for commit, uri in index.visible_commits():
        if commit.video_id in video_ids:
            new = {"uri": uri, "run_id": run_id, "created_at": _now(), "failure_class": None}
            yield Commit(**(columns_of(Commit, commit) | new | {"state": CommitState.DELETED}))


def _now() -> datetime:
    return datetime.now(UTC)
