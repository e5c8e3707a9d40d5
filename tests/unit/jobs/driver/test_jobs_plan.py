"""Planning and ordering, without Ray or storage."""

from dataclasses import replace

import pytest

from jobs.attempts.work import Work
from jobs.driver.loop.queue import WorkQueue
from jobs.planning.reasons.reasons import examine, still_to_do
from schemas.commit import CommitState
from schemas.identity import VideoObject
from schemas.plan import PlannedVideo, Reason
from schemas.recipe import RecipeRecord
from storage.index.publishing.published import CurrentCommit
from storage.query.plans import PlannedVideos

FILM = VideoObject(
    uri="s3://films/a.mp4", size_bytes=10, modified_ns=1, etag="9e107d9d372bb6826bd81d3542a419d6"
)
TASKS = {"characters": "c1", "scenes": "s1", "highlights": "h1"}
RECIPE = RecipeRecord(
    recipe_id="r1", model_id="m", model="m1", sampling="f1", tasks=TASKS, settings={}, prompts={}
)


class FakeIndex:
    """Answers look-ups from plain containers."""

    def __init__(self, visible=(), committed=(), recipes=(), tried=(), uris=None):
        self.visible = {commit.video_id: commit for commit in visible}
        self.committed = set(committed)
        self.recipes = {recipe.recipe_id: recipe for recipe in recipes}
        self.tried = frozenset(tried)
        self.uris = uris or {}
        self.pages = []

    def current_commits(self, video_ids):
        self.pages.append(len(video_ids))
        return {video_id: self.visible[video_id] for video_id in video_ids if video_id in self.visible}

    def commits_with_content(self, content_revs):
        return [commit for commit in self.visible.values() if commit.content_rev in content_revs]

    def commits_with_sizes(self, sizes):
        starts = tuple(f"{size}-" for size in sizes)
        return [commit for commit in self.visible.values() if commit.content_rev.startswith(starts)]

    def is_committed(self, video_id, analysis_key):
        return (video_id, analysis_key) in self.committed

    def recipe(self, recipe_id):
        return self.recipes.get(recipe_id)

    def unfinished(self):
        return self.tried

    def uri_of(self, video_id, analysis_key):
        return self.uris[video_id]


def commit(video: VideoObject, recipe_id="r1", state="rows", failure_class=None) -> CurrentCommit:
    key = video.analysis_key(recipe_id)
    revisions = (video.object_rev, video.content_rev)
    return CurrentCommit(1, video.video_id, key, *revisions, recipe_id, state, failure_class)


def set_aside(video: VideoObject, failure_class: str, recipe_id="r1") -> CurrentCommit:
    """A quarantine has a key of its own."""
    made = commit(video, recipe_id, "quarantined", failure_class)
    return made._replace(analysis_key="0123456789abcdef")


def look(video: VideoObject, index: FakeIndex, recipe: RecipeRecord = RECIPE):
    found = examine([video], index, recipe, is_local=video.is_local)
    (reason,) = found.reasons
    return reason, found


def reason(*args) -> Reason:
    return look(*args)[0]


def test_every_reason_has_its_cause():
    """New, changed, tried before, unchanged, committed but not yet visible, asleep in cold storage."""
    changed = replace(FILM, size_bytes=11)
    assert reason(FILM, FakeIndex()) is Reason.NEW
    assert reason(FILM, FakeIndex([commit(FILM)])) is Reason.UNCHANGED
    assert reason(changed, FakeIndex([commit(FILM)])) is Reason.CHANGED
    assert reason(FILM, FakeIndex(tried=[FILM.video_id])) is Reason.RETRY
    assert reason(FILM, FakeIndex([commit(FILM, state=CommitState.RELEASED)])) is Reason.RETRY
    assert reason(FILM, FakeIndex([commit(FILM, state=CommitState.DELETED)])) is Reason.NEW
    crashed = FakeIndex(committed=[(FILM.video_id, FILM.analysis_key("r1"))])
    assert reason(FILM, crashed) is Reason.COMMITTED
    assert look(FILM, crashed)[1].to_publish == ((FILM.video_id, FILM.analysis_key("r1")),)
    assert reason(replace(FILM, is_archived=True), FakeIndex()) is Reason.ARCHIVED
    assert reason(replace(FILM, is_archived=True), FakeIndex([commit(FILM)])) is Reason.UNCHANGED


def test_a_quarantine_holds_for_what_it_was_about():
    """An unreadable file stays set aside until it is replaced, what a model fell over until the recipe is."""
    changed, other = (
        replace(FILM, size_bytes=11),
        RECIPE.model_copy(update={"recipe_id": "r2", "model": "m2"}),
    )
    media = FakeIndex([commit(FILM, state="quarantined", failure_class="media")], recipes=[RECIPE])
    poison = FakeIndex([commit(FILM, state="quarantined", failure_class="poison")], recipes=[RECIPE])
    for index in (media, poison):
        assert reason(FILM, index) is Reason.QUARANTINED
        assert reason(changed, index) is Reason.CHANGED
    assert reason(FILM, media, other) is Reason.QUARANTINED
    assert reason(FILM, poison, other) is Reason.RETRY


def test_of_a_saved_plan_what_was_settled_since_is_left_out():
    """Analysed, perhaps not published yet, or set aside; what a release took out of quarantine is tried."""
    key = FILM.analysis_key("r1")
    saved = PlannedVideos.of([PlannedVideo(FILM, key, Reason.RETRY)])
    for index, since in (
        (FakeIndex(), Reason.RETRY),
        (FakeIndex([commit(FILM)]), Reason.UNCHANGED),
        (FakeIndex(committed=[(FILM.video_id, key)]), Reason.COMMITTED),
        (FakeIndex([set_aside(FILM, "poison")]), Reason.QUARANTINED),
        (FakeIndex([set_aside(FILM, "poison", "r0")]), Reason.RETRY),
        (FakeIndex([set_aside(replace(FILM, size_bytes=9), "media")]), Reason.RETRY),
    ):
        found = still_to_do(saved, index, "r1")
        assert found.reasons == {since: 1}
        assert len(found.costly) == (since is Reason.RETRY)


@pytest.mark.parametrize(
    ("changes", "because", "tasks"),
    [
        ({"model": "m2"}, Reason.STALE_MODEL, None),
        ({"sampling": "f2"}, Reason.STALE_SAMPLING, None),
        ({"kv": "k2"}, Reason.STALE_KV, None),
        ({"tasks": {**TASKS, "highlights": "h2"}}, Reason.STALE_PROMPT, ("highlights",)),
        ({"tasks": {**TASKS, "plates": "p1"}}, Reason.MISSING, ("plates",)),
        ({"tasks": {**TASKS, "scenes": "s2", "plates": "p1"}}, Reason.STALE_PROMPT, ("scenes", "plates")),
        ({"tasks": dict.fromkeys(TASKS, "new")}, Reason.STALE_PROMPT, None),
        ({"tasks": {"scenes": "s1"}}, Reason.UNCHANGED, ()),
    ],
)
def test_a_changed_recipe_says_what_changed(changes, because, tasks):
    """Only the tasks that would be answered differently are asked, the others come from the old bundle."""
    recipe = RECIPE.model_copy(update={"recipe_id": "r2", **changes})
    found_reason, found = look(FILM, FakeIndex([commit(FILM)], recipes=[RECIPE]), recipe)
    assert found_reason is because
    planned = list(found.costly)
    assert [one.tasks for one in planned] == ([] if because is Reason.UNCHANGED else [tasks])
    tells_maker = tasks or because is Reason.STALE_MODEL  # whose rows they are, if the new model refuses
    carried = FILM.analysis_key("r1") if tells_maker else None
    assert [one.carried_key for one in planned] == [carried] * len(planned)
    assert all(one.has_rows for one in planned)


def test_rows_of_a_recipe_that_nobody_declared_are_stale():
    """They may be anything."""
    assert reason(FILM, FakeIndex([commit(FILM, "unknown")])) is Reason.STALE_MODEL


def test_a_moved_or_copied_object_costs_nothing():
    """Same etag and size under another name: its rows are those of the other, if they are of this recipe."""
    copy = replace(FILM, uri="s3://films/b.mp4", modified_ns=5)
    index = FakeIndex([commit(FILM)])
    moved = examine([copy], index, RECIPE, is_local=False)
    both = examine([FILM, copy], index, RECIPE, is_local=False)
    assert (moved.reasons, len(moved.costly)) == ({Reason.MOVED: 1}, 0)
    assert (both.reasons, len(both.costly)) == ({Reason.UNCHANGED: 1, Reason.DUPLICATE: 1}, 0)
    (relinked,) = moved.relinked
    assert (relinked.carried_id, relinked.carried_key) == (FILM.video_id, FILM.analysis_key("r1"))
    stale = RECIPE.model_copy(update={"recipe_id": "r2", "model": "m2"})
    assert reason(copy, FakeIndex([commit(FILM)], recipes=[RECIPE]), stale) is Reason.NEW
    assert reason(replace(copy, etag="other"), index) is Reason.NEW


def test_a_file_on_a_disk_has_moved_only_if_it_is_gone(tmp_path):
    """Size and time of change prove nothing while both files are there."""
    old, new = tmp_path / "old.mp4", tmp_path / "new.mp4"
    film, copy = VideoObject(str(old), 10, 1), VideoObject(str(new), 10, 1)
    index = FakeIndex([commit(film)], uris={film.video_id: str(old)})
    assert reason(copy, index) is Reason.MOVED
    old.touch()
    assert reason(copy, index) is Reason.NEW


def test_the_index_is_asked_page_by_page():
    """A long listing is never held as a whole."""
    index = FakeIndex()
    videos = (VideoObject(uri=f"/films/{n}.mp4", size_bytes=1, modified_ns=n) for n in range(2500))
    assert len(examine(videos, index, RECIPE, is_local=True).costly) == 2500
    assert index.pages == [1000, 1000, 500]


def test_s3_identity_ignores_the_modification_time():
    """On S3 the etag tells: copying an object onto itself is no change."""
    first = VideoObject(uri="s3://b/k", size_bytes=1, modified_ns=1, etag="e")
    assert first.object_rev == replace(first, modified_ns=2).object_rev
    assert first.object_rev != replace(first, etag="f").object_rev
    assert first.video_id == replace(first, etag="f").video_id


def work(size: int) -> Work:
    return Work(VideoObject(f"/{size}.mp4", size, 1), f"key{size}", Reason.NEW, max_frames=100)


def sizes(*works: Work | None) -> list[int]:
    return [w.video.size_bytes for w in works if w]


def test_longest_first_and_look_ahead_from_the_short_end():
    """No film starts last, none waits behind another, and a short video is followed by a long one."""
    queue = WorkQueue([work(2), work(9), work(5), work(1)])
    first = queue.take()
    second = queue.take_after(first)
    third = queue.take_after(second)
    assert sizes(first, second, third, queue.take_after(third), queue.take()) == [9, 1, 5, 2]


def test_a_backoff_is_waited_out():
    """A video put off is not taken before its time, and still counts as waiting."""
    queue = WorkQueue([])
    queue.put_later(work(3), not_before=10.0)
    queue.wake(9.9)
    assert queue.take() is None
    assert len(queue) == 1
    queue.wake(10.0)
    assert sizes(queue.take()) == [3]


def test_the_memory_ladder_halves_frames_and_ends():
    """Each rung asks for half; at the floor there is none left."""
    rungs, step = [], replace(work(1), max_frames=500)
    while step:
        rungs.append(step.max_frames)
        step = step.with_fewer_frames(step.max_frames)
    assert rungs == [500, 250, 125]
    assert work(1).with_fewer_frames(100) is None
    assert replace(work(1), max_frames=2048).with_fewer_frames(300).max_frames == 150
