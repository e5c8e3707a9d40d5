"""Which videos need work, and why. Reads the listing and the index, never a byte of video."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Protocol

from schemas.identity import VideoObject
from storage.published import CurrentCommit

PAGE = 1000  # videos looked up in the index at once
MIN_FRAMES = 64  # the memory ladder does not go below this
_LOOKUPS = 16  # requests to the index under way


class Reason(StrEnum):
    """Why a video is, or is not, worth a GPU's time."""

    NEW = "new"
    CHANGED = "changed"  # other bytes under the same URI
    STALE = "stale"  # other model, prompts or sampling than last time
    COMMITTED = "committed"  # analysed before, not visible yet: costs nothing
    UNCHANGED = "unchanged"
    QUARANTINED = "quarantined"  # set aside until its object is replaced


FREE = frozenset({Reason.COMMITTED, Reason.UNCHANGED, Reason.QUARANTINED})


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at one video. `max_frames` is the recipe's, or less once memory has run out on it."""

    video: VideoObject
    analysis_key: str
    reason: Reason
    max_frames: int
    attempt: int = 1
    has_rows: bool = False  # readers see rows of it, of this or an earlier revision or recipe

    def again(self) -> "Work":
        """The next attempt."""
        return replace(self, attempt=self.attempt + 1)

    def with_fewer_frames(self, num_frames: int) -> "Work | None":
        """The next rung of the memory ladder after `num_frames` were too many, None at its end."""
        fewer = min(num_frames, self.max_frames) // 2
        return replace(self, max_frames=fewer) if fewer >= MIN_FRAMES else None


@dataclass(frozen=True)
class Plan:
    """What one look at library and index says is to be done."""

    to_analyse: tuple[Work, ...]
    to_publish: tuple[Work, ...]  # committed by an interrupted run, or under an earlier revision
    reasons: Counter[Reason]

    @property
    def num_listed(self) -> int:
        """Videos that the filters let through."""
        return self.reasons.total()


class CommitLookup(Protocol):
    """What planning needs of the index."""

    def current_commits(self, video_ids: Sequence[str]) -> Mapping[str, CurrentCommit]:
        """The visible commit of each of these videos that has one."""

    def is_committed(self, video_id: str, analysis_key: str) -> bool:
        """Whether the bundle exists, visible or not."""


def make_plan(videos: Iterable[VideoObject], index: CommitLookup, recipe_id: str, max_frames: int) -> Plan:
    """Look every listed video up in the index."""
    reasons: Counter[Reason] = Counter()
    to_analyse, to_publish = [], []
    for work in plan_videos(videos, index, recipe_id, max_frames):
        reasons[work.reason] += 1
        if work.reason is Reason.COMMITTED:
            to_publish.append(work)
        elif work.reason not in FREE:
            to_analyse.append(work)
    return Plan(tuple(to_analyse), tuple(to_publish), reasons)


def plan_videos(
    videos: Iterable[VideoObject], index: CommitLookup, recipe_id: str, max_frames: int
) -> Iterator[Work]:
    """Every listed video with its reason, in listing order, a page of look-ups at a time."""
    listing = iter(videos)
    with ThreadPoolExecutor(_LOOKUPS) as pool:
        while page := list(islice(listing, PAGE)):
            current = index.current_commits([video.video_id for video in page])

            def plan_one(video: VideoObject, current: Mapping[str, CurrentCommit] = current) -> Work:
                key = video.analysis_key(recipe_id)
                known = current.get(video.video_id)
                reason = _reason(video, key, recipe_id, known, index)
                return Work(video, key, reason, max_frames, has_rows=known is not None and known.has_rows)

            yield from pool.map(plan_one, page)


def _reason(
    video: VideoObject, key: str, recipe_id: str, current: CurrentCommit | None, index: CommitLookup
) -> Reason:
    if current and (current.object_rev, current.recipe_id) == (video.object_rev, recipe_id):
        return Reason.UNCHANGED if current.has_rows else Reason.QUARANTINED
    if index.is_committed(video.video_id, key):
        return Reason.COMMITTED
    if current is None:
        return Reason.NEW
    return Reason.CHANGED if current.object_rev != video.object_rev else Reason.STALE
