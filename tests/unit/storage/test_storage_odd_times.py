"""Files and objects with times that calendars, or 64 bits of nanoseconds, do not have."""

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject, moment_of
from schemas.plan import PlannedVideo, Reason
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.library.local import LocalLibrary
from storage.library.selection import Selection
from storage.objects.local import LocalStore
from storage.query.catalog import open_catalog
from storage.query.plans import PlannedVideos
from storage.s3.pages import listed_moment

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TIMES = {  # seconds since 1970, and what they are
    -62_167_219_200: FIRST,  # year 0
    -(2**33): datetime(1697, 10, 17, 11, 3, 28, tzinfo=UTC),
    -1: datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    2**34: datetime(2514, 5, 30, 1, 53, 4, tzinfo=UTC),  # nanoseconds of it do not fit into 64 bits
    253_402_300_799: datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    253_402_300_800: LAST,  # year 10000
    2**40: LAST,
}


@pytest.fixture
def films() -> Iterator[dict[int, Path]]:
    """A file with each of the times, in a file system that can hold them."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None  # tmpfs has 64 bits of seconds, ext4 has 34
    with tempfile.TemporaryDirectory(dir=place) as folder:
        paths = {second: Path(folder, f"{number}.mp4") for number, second in enumerate(TIMES)}
        for second, path in paths.items():
            path.write_bytes(b"film")
            os.utime(path, ns=(0, second * 10**9))
            if path.stat().st_mtime_ns != second * 10**9:
                pytest.skip("no file system here holds such times")
        yield paths


def test_odd_times_of_files_are_planned_fetched_and_dated(films: dict[int, Path], tmp_path: Path) -> None:
    """To the nanosecond, through a plan and back; the date is the nearest that a calendar has."""
    library = LocalLibrary(next(iter(films.values())).parent)
    videos = list(library.list_videos(Selection()))
    assert {video.modified_ns: video.modified_at for video in videos} == {
        second * 10**9: moment for second, moment in TIMES.items()
    }
    assert [library.fetch(video, tmp_path) for video in videos] == list(films.values())
    planned = PlannedVideos.of(PlannedVideo(video, "key", Reason.NEW) for video in videos)
    assert [each.video for each in planned] == videos
    listed = list(LocalStore(library.root).list_objects(""))
    assert [each.modified_at for each in listed] == list(TIMES.values())


def test_plans_are_cut_by_odd_times(tmp_path: Path) -> None:
    """`--where modified_at …` compares what the row will say."""
    videos = [VideoObject(f"/v/{second}.mp4", 1, second * 10**9) for second in TIMES]
    planned = PlannedVideos.of(PlannedVideo(video, "key", Reason.NEW) for video in videos)
    open_index(str(tmp_path / "index"), create=True)
    with open_catalog(str(tmp_path / "index")) as catalog:
        old = planned.where("modified_at < TIMESTAMPTZ '1970-01-01'", catalog)
        late = planned.where("modified_at > TIMESTAMPTZ '9999-12-31 23:59:59.5'", catalog)
    assert [each.video for each in old] == videos[:3]
    assert [each.video for each in late] == videos[5:]


def test_rows_hold_the_first_and_the_last_moment(tmp_path: Path, make_bundle: Callable[..., Bundle]) -> None:
    """Through Parquet and DuckDB unchanged."""
    index = open_index(str(tmp_path / "index"), create=True)
    moments = {f"/v/{n}.mp4": moment for n, moment in enumerate(TIMES.values())}
    pairs = []
    for uri, moment in moments.items():
        bundle = make_bundle(uri=uri, modified_at=moment)
        pairs.append((bundle.commit.video_id, bundle.commit.analysis_key))
        index.commit(*pairs[-1], encode_bundle(bundle))
    index.publish(pairs)
    with open_catalog(str(tmp_path / "index")) as catalog:
        assert dict(catalog.query("SELECT uri, modified_at FROM videos").rows) == moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T08:15:02.000Z", datetime(2026, 11, 20, 8, 15, 2, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", FIRST),  # what Go says where it has no time
        ("0000-00-00T00:00:00Z", FIRST),
        ("-0001-11-30T00:00:00Z", FIRST),
        ("+10000-01-01T00:00:00Z", LAST),
        ("292277026596-12-04T15:30:07Z", LAST),
    ],
)
def test_odd_times_of_objects_are_read(text: str, moment: datetime) -> None:
    """They are no part of an object's revision, so that it is indexed all the same."""
    assert listed_moment(text) == moment
    video = VideoObject("s3://b/k", 1, int(listed_moment(text).timestamp()) * 10**9, "etag")
    assert abs(video.modified_at - moment).total_seconds() < 1


def test_moments_are_exact() -> None:
    """As floating-point seconds are not."""
    assert moment_of(1_700_000_000_123_456_789) == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
