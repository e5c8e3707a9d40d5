"""Planning and ordering, without Ray or storage."""

from dataclasses import replace

from jobs.plan import Reason, Work, plan_videos
from jobs.queue import WorkQueue
from schemas.identity import VideoObject
from storage.published import CurrentCommit

FILM = VideoObject(uri="/films/a.mp4", size_bytes=10, modified_ns=1)


class FakeIndex:
    """Answers look-ups from two plain containers."""

    def __init__(self, visible=(), committed=()):
        self.visible = {commit.video_id: commit for commit in visible}
        self.committed = set(committed)
        self.pages = []

    def current_commits(self, video_ids):
        self.pages.append(len(video_ids))
        return {video_id: self.visible[video_id] for video_id in video_ids if video_id in self.visible}

    def is_committed(self, video_id, analysis_key):
        return (video_id, analysis_key) in self.committed


def commit(video: VideoObject, recipe_id: str = "r1", is_quarantined: bool = False) -> CurrentCommit:
    state = "quarantined" if is_quarantined else "rows"
    key = video.analysis_key(recipe_id)
    return CurrentCommit(
        1, video.video_id, key, video.object_rev, video.content_rev, recipe_id, state, failure_class=None
    )


def reason(video: VideoObject, index: FakeIndex, recipe_id: str = "r1") -> Reason:
    (work,) = plan_videos([video], index, recipe_id, max_frames=100)
    return work.reason


def test_every_reason_has_its_cause():
    """New, changed, stale, unchanged, set aside, and committed but not yet visible."""
    changed = replace(FILM, size_bytes=11)
    assert reason(FILM, FakeIndex()) is Reason.NEW
    assert reason(FILM, FakeIndex([commit(FILM)])) is Reason.UNCHANGED
    assert reason(FILM, FakeIndex([commit(FILM, is_quarantined=True)])) is Reason.QUARANTINED
    assert reason(changed, FakeIndex([commit(FILM)])) is Reason.CHANGED
    assert reason(changed, FakeIndex([commit(FILM, is_quarantined=True)])) is Reason.CHANGED
    assert reason(FILM, FakeIndex([commit(FILM)]), "r2") is Reason.STALE
    crashed = FakeIndex(committed=[(FILM.video_id, FILM.analysis_key("r1"))])
    assert reason(FILM, crashed) is Reason.COMMITTED


def test_the_index_is_asked_page_by_page():
    """A long listing is never held as a whole."""
    index = FakeIndex()
    videos = (VideoObject(uri=f"/films/{n}.mp4", size_bytes=1, modified_ns=1) for n in range(2500))
    assert sum(1 for _ in plan_videos(videos, index, "r1", 100)) == 2500
    assert index.pages == [1000, 1000, 500]


def test_s3_identity_ignores_the_modification_time():
    """On S3 the etag tells: copying an object onto itself is no change."""
    first = VideoObject(uri="s3://b/k", size_bytes=1, modified_ns=1, etag="e")
    assert first.object_rev == replace(first, modified_ns=2).object_rev
    assert first.object_rev != replace(first, etag="f").object_rev
    assert first.video_id == replace(first, etag="f").video_id


def work(size: int) -> Work:
    return Work(VideoObject(f"/{size}.mp4", size, 1), f"key{size}", Reason.NEW, 100)


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
