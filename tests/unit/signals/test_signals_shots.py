"""The signal `shots` of a real film: rows, with a picture each."""

from typing import Any

import pytest
from cue_films import moving, write_pictures

from jobs.signals.reading import read_signals
from jobs.signals.shots import Shots
from jobs.signals.signal import VideoFile
from schemas.identity import VideoObject
from videoxl2.frames import DEFAULT_LIMITS, probe


@pytest.fixture
def file(tmp_path):
    """Three shots of two, one and two seconds."""
    pictures = [*moving(1, 50), *moving(2, 25), *moving(3, 50)]
    path = write_pictures(tmp_path / "film.mp4", pictures)
    video = VideoObject(str(path), path.stat().st_size, 0, None)
    return VideoFile(video, path, probe(path), DEFAULT_LIMITS, fetch=lambda sidecar: b"")


def lineage_of(name):
    ids = dict.fromkeys(("video_id", "object_rev", "recipe_id", "analysis_key", "run_id"), "x")
    none = dict.fromkeys(("model_id", "model_revision", "prompt_id"))
    return ids | none | {"created_at": "2026-11-30T00:00:00Z", "signal_id": name}


def test_every_shot_is_a_row_with_a_keyframe_from_within_it(file):
    read: Any = read_signals(file, (Shots(),), lineage_of)
    assert not read.failures
    shots, keyframes = read.rows["shots"], read.rows["shot_keyframes"]
    assert [(row.shot_index, row.start_ms, row.end_ms, row.kind) for row in shots] == [
        (0, 0, 2000, None),
        (1, 2000, 3000, "cut"),
        (2, 3000, 5000, "cut"),
    ]
    assert [row.shot_index for row in keyframes] == [0, 1, 2]
    for shot, keyframe in zip(shots, keyframes, strict=True):
        assert shot.start_ms <= keyframe.at_ms < shot.end_ms
        assert keyframe.image.startswith(b"\xff\xd8")
        assert (keyframe.width, keyframe.height, keyframe.media_type) == (320, 180, "image/jpeg")
    assert shots[0].score is None
    assert all(0 < row.score <= 1 for row in shots[1:])
