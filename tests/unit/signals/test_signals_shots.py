"""The signal `shots` of a real film: rows, with a picture each."""

from typing import Any

import pytest
from cue_films import moving, write_pictures

from jobs.planning.preflight import chosen_signals
from jobs.settings.config import Settings
from jobs.signals.cues import Cues
from jobs.signals.reading import read_signals
from jobs.signals.shots import Shots
from jobs.signals.signal import VideoFile, described, identity_of
from jobs.signals.strip import Strips
from jobs.signals.watching import shares_of, takes_draft
from schemas.failures import UsageError
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


def test_a_draft_is_another_reading_of_the_same_signal(file):
    """Its rows are read again where the other is wanted; cuts are the same."""
    read: Any = read_signals(file, (Shots(is_draft=True), Cues(is_draft=True)), lineage_of)
    assert not read.failures
    assert [row.start_ms for row in read.rows["shots"]] == [0, 2000, 3000]
    assert identity_of(Shots()) != identity_of(Shots(is_draft=True))
    assert described(Shots(is_draft=True)) == "2, pictures draft"


def test_a_draft_is_made_only_where_it_will_do_for_all():
    """Signals that take what there is have no say; one that needs every picture has."""
    assert takes_draft((Shots(is_draft=True), Strips()))
    assert not takes_draft((Shots(is_draft=True), Cues()))
    assert not takes_draft((Strips(),))


def test_a_draft_is_cheaper(file):
    hour = [sum(shares_of((Shots(is_draft=is_draft), Strips()), 1, 1)) for is_draft in (False, True)]
    assert 0.5 < hour[1] / hour[0] < 0.85


@pytest.mark.parametrize("wrong", [{"signals": ("captions",)}, {"signals": ("cues",)}])
def test_a_draft_of_shots_that_are_not_read_is_refused(wrong):
    settings = Settings.of(library="films", index="catalog", shots="draft", **wrong)
    with pytest.raises(UsageError, match="not read"):
        chosen_signals(settings)


def test_the_setting_is_for_all_that_look_at_every_picture():
    chosen = chosen_signals(Settings.of(library="films", index="catalog", shots="draft"))
    assert {one.name for one in chosen if getattr(one, "is_draft", False)} == {"shots", "cues"}
    with pytest.raises(UsageError, match="shots"):
        Settings.of(library="films", index="catalog", shots="roughly")
