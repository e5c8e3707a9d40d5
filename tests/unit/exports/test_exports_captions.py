"""What is said, written for players and editors, and read back by parsers of their own."""

import html
import io
import json
import re

import opentimelineio as otio
import pytest
import srt
import webvtt

from jobs.exports.moments import Moment, models_of
from jobs.exports.otio import to_otio
from jobs.exports.subrip import to_subrip
from jobs.exports.webvtt import to_webvtt
from schemas.measured import Caption, CaptionTrack, Speech
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index

SAID = [
    (0, 900, "Two lines\nof text.", None),
    (900, 2000, "a --> b & <i>c</i> {\\an8}", "Ann <x>"),
    (1500, 1500, "مرحبا\u2028there", None),
]


@pytest.fixture
def cues():
    """Captions whose words look like marks."""
    return [
        Moment("captions", n, start, end, "", text, who, None, None, None, None, None)
        for n, (start, end, text, who) in enumerate(SAID, 1)
    ]


def test_captions_come_back_from_webvtt(source, cues):
    """Line by line, with who speaks; and no model is said to have written them."""
    text = to_webvtt(source, cues)
    found = webvtt.from_buffer(io.StringIO(text)).captions
    assert [one.start for one in found] == ["00:00:00.000", "00:00:00.900", "00:00:01.500"]
    assert found[0].text == "Two lines\nof text."
    assert html.unescape(found[1].raw_text) == "<v Ann <x>>a --> b & <i>c</i> {\\an8}"
    assert text.count("-->") == len(cues)
    assert "model" not in text
    assert models_of(source, cues) == []


def test_captions_come_back_from_subrip(source, cues):
    """With look-alikes for what players would take for marks."""
    found = list(srt.parse(to_subrip(source, cues)))
    assert [one.content for one in found][:2] == ["Two lines\nof text.", "a --› b & ‹i›c‹/i› (\\an8)"]


def test_captions_are_markers(source, cues):
    """Named by what is said, and by whom."""
    (clip,) = otio.adapters.read_from_string(to_otio(source, cues), "otio_json").find_clips()
    names = [marker.name for marker in clip.markers]
    assert names == ["Two lines of text.", "Ann <x>: a --> b & <i>c</i> {\\an8}", "مرحبا there"]


@pytest.fixture
def index(tmp_path, make_bundle, make_row):
    """A film with full and forced captions in two languages."""
    bundle = make_bundle(uri="s3://b/film.mp4", duration_ms=9000, fps_num=25, fps_den=1)
    ids = {k: getattr(bundle.commit, k) for k in ("video_id", "analysis_key", "object_rev", "recipe_id")}
    tracks = (("en", True, 9), ("en", False, 2), ("de-CH", False, 2), ("fr", False, 0))
    measured = {
        "caption_tracks": tuple(
            make_row(CaptionTrack, track=n, language=language, is_forced=forced, num_cues=num, **ids)
            for n, (language, forced, num) in enumerate(tracks)
        ),
        "captions": tuple(
            make_row(Caption, track=n, cue=0, start_ms=0, end_ms=1000, text=f"{language} {forced}", **ids)
            for n, (language, forced, num) in enumerate(tracks)
            if num
        ),
    }
    bundle = bundle.model_copy(update={"measured": measured})
    opened = open_index(str(tmp_path / "index"), create=True)
    opened.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    opened.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    return tmp_path / "index"


@pytest.fixture
def heard(tmp_path, make_bundle, make_row):
    """A film without captions in which two sentences were heard."""
    bundle = make_bundle(uri="s3://b/film.mp4", duration_ms=9000, fps_num=25, fps_den=1)
    ids = {k: getattr(bundle.commit, k) for k in ("video_id", "analysis_key", "object_rev", "recipe_id")}
    by = {"model_id": "tiny.en", "model_revision": "1a5afae0"}
    said = (("en", "Go home."), ("de", "Geh heim."))
    rows = tuple(
        make_row(
            Speech, segment=n, start_ms=n * 1000, end_ms=n * 1000 + 900, language=tag, text=text, **ids, **by
        )
        for n, (tag, text) in enumerate(said)
    )
    bundle = bundle.model_copy(update={"measured": {"speech": rows}})
    opened = open_index(str(tmp_path / "heard"), create=True)
    opened.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    opened.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    return tmp_path / "heard"


def test_what_was_heard_is_written_with_what_heard_it(heard, media_index):
    """Sentence by sentence, of one language or all; where nobody wrote captions it is the transcript."""
    told = ("--index", heard, "--video", "film.mp4")
    done = media_index("export", "--format", "vtt", "--kind", "speech", *told)
    assert done.code == 0, done.stderr
    text = done.stdout.decode()
    assert "NOTE by model tiny.en, 1a5afae0" in text
    assert [one.text for one in webvtt.from_buffer(io.StringIO(text)).captions] == ["Go home.", "Geh heim."]
    german = media_index("export", "--format", "srt", "--kind", "speech", "--language", "de", *told)
    assert [one.content for one in srt.parse(german.stdout.decode())] == ["Geh heim."]
    web = json.loads(media_index("export", "--format", "jsonld", *told).stdout)
    assert web["transcript"] == "Go home.\nGeh heim."


@pytest.mark.parametrize(
    ("language", "text"),
    [((), "en False"), (("--language", "de"), "de-CH False"), (("--language", "fr"), None)],
)
def test_one_track_is_written(index, media_index, language, text):
    """The whole one before one that is forced; of a language, with its regions."""
    told = ("--index", index, "--video", "film.mp4", *language)
    done = media_index("export", "--format", "srt", "--kind", "captions", *told)
    assert done.code == 0, done.stderr
    assert [one.content for one in srt.parse(done.stdout.decode())] == ([text] if text else [])
    web = json.loads(media_index("export", "--format", "jsonld", *told).stdout)
    assert web.get("transcript") == text
    assert len(web["hasPart"]) == 1, "the scene"


def test_an_edit_list_holds_no_captions(index, media_index):
    """A mistake, with what does."""
    done = media_index("export", "--index", index, "--format", "edl", "--kind", "captions", "--output", "x")
    assert done.code == 2
    assert re.search("vtt, srt, otio", done.stderr)
