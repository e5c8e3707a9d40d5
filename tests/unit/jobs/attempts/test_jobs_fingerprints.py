"""Failures that are alike have one fingerprint, whatever video, machine and moment they met."""

from dataclasses import replace

import pytest

from jobs.attempts.fingerprints import fingerprint
from jobs.failures import Stage, VideoFailure, classify
from schemas.failures import FailureClass


def failure(message: str, traceback: str | None = None) -> VideoFailure:
    return VideoFailure(Stage.READ, FailureClass.TRANSIENT, "code", message, "hint", traceback=traceback)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3://films/a 1.mp4: 503 after 3 tries", "s3://films/a 1.mp4: 503 after 12 tries"),
        ("out of memory: 1.5 GiB of 79.2 GiB", "out of memory: 22 GiB of 39 GiB"),
        ("request 4f9c1b22d0 at 0x7f3a failed", "request 99ab01cdee at 0xffe1 failed"),
        ("part 123e4567-e89b-12d3-a456-426614174000", "part deadbee1-1111-2222-3333-0123456789ab"),
        ("/mnt/a/scratch/1.part: No space left", "/data/2.part: No space left"),
        ("no value for 'a man'", "no value for 'the dog'"),
        ("at 00:12:01.5 the stream ends", "at 01:00:59 the stream ends"),
    ],
)  # fmt: skip
def test_what_varies_is_left_out(one, other):
    """Numbers, ids, paths, URLs, quoted names."""
    assert fingerprint(failure(one), "/x.mp4") == fingerprint(failure(other), "/y.mp4")


def test_the_videos_own_name_is_left_out():
    """Also one with spaces and words."""
    one, other = "s3://films/A Night.mp4", "s3://films/old/The Day (2).mp4"
    assert fingerprint(failure(f"{one}: no index"), one) == fingerprint(failure(f"{other}: no index"), other)
    assert fingerprint(failure("A Night.mp4: bad"), one) == fingerprint(
        failure("The Day (2).mp4: bad"), other
    )


def test_what_differs_in_kind_stays_apart():
    """Another class, code or text is another failure."""
    base = failure("access denied")
    others = [
        failure("slow down"),
        replace(base, code="other"),
        replace(base, failure_class=FailureClass.BUG),
    ]
    assert len({fingerprint(one, "/x.mp4") for one in (base, *others)}) == 4


def _first(key):
    return {}[key]


def _second(key):
    return {}[key]


def test_bugs_are_told_apart_by_where_they_happened():
    """The same message from another function is another bug; from other data it is the same one."""

    def caught(function, key):
        try:
            function(key)
        except KeyError as error:
            return fingerprint(classify(error, Stage.ROWS), "/x.mp4")

    assert caught(_first, "a") == caught(_first, "b") != caught(_second, "a")
