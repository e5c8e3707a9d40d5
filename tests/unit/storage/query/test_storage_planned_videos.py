"""Planned videos as a sequence: a table that gives objects one by one."""

import pytest

from schemas.identity import VideoObject
from schemas.plan import PlannedVideo, Reason
from storage.query.plans import PlannedVideos

VIDEOS = [
    PlannedVideo(video := VideoObject(f"s3://b/{n}.mp4", n, 0, "etag"), video.analysis_key("r"), Reason.NEW)
    for n in range(5)
]


def test_places_and_stretches_are_those_of_a_list():
    """From either end."""
    planned = PlannedVideos.of(VIDEOS)
    assert [planned[n] for n in range(-5, 5)] == VIDEOS + VIDEOS
    for stretch in (slice(1, 3), slice(None), slice(3, 1), slice(-2, None)):
        assert list(planned[stretch]) == VIDEOS[stretch]


@pytest.mark.parametrize("place", [5, -6])
def test_beyond_the_ends_is_nothing(place):
    """As of any sequence; iteration relies on it."""
    with pytest.raises(IndexError):
        PlannedVideos.of(VIDEOS)[place]
