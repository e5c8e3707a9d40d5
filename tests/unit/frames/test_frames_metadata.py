"""What files say of themselves, in the places where each container keeps it, written by real muxers."""

import random
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from videoxl2.frames import MediaInfo, probe
from videoxl2.frames.probing.dates import parse_date
from videoxl2.frames.probing.header_dates import created_in_header
from videoxl2.frames.probing.languages import language_tag
from videoxl2.frames.probing.places import parse_place

WHEN = datetime(2021, 5, 3, 10, 11, 12, tzinfo=UTC)
WHERE = "+48.8577+002.2950/"
EVERYTHING = {
    "title": "Night walk",
    "creation_time": "2021-05-03T10:11:12Z",
    "location": WHERE,
    "make": "Canon",
    "model": "EOS R5",
}


def _write(
    path: Path,
    on_file: dict[str, str],
    codec: str = "mpeg4",
    on_video: dict[str, str] | None = None,
    on_audio: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """A few pictures and, where `on_audio` is given, some silence."""
    with av.open(str(path), "w", options=options) as out:
        out.metadata.update(on_file)
        video = out.add_stream(codec, rate=Fraction(25))
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.metadata.update(on_video or {})
        audio = out.add_stream("pcm_s16le", rate=48000, layout="mono") if on_audio is not None else None
        if audio:
            audio.metadata.update(on_audio)
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 19200), np.int16), "s16", "mono")
            sound.sample_rate, sound.pts = 48000, 0
            out.mux(audio.encode(sound))
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number * 20, np.uint8))
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio:
            out.mux(audio.encode(None))
    return path


def _told(info: MediaInfo) -> tuple[str | None, datetime | None, str | None, str | None]:
    said = info.metadata
    return info.title, said.recorded_at, said.place.text if said.place else None, said.camera_model


@pytest.mark.parametrize(
    ("name", "codec", "told"),
    [
        ("a.mov", "mpeg4", ("Night walk", WHEN, WHERE, "EOS R5")),
        ("a.mp4", "mpeg4", ("Night walk", WHEN, WHERE, None)),
        ("a.mkv", "mpeg4", ("Night walk", WHEN, WHERE, "EOS R5")),
        ("a.webm", "libvpx", ("Night walk", WHEN, WHERE, "EOS R5")),
        ("a.ogg", "libtheora", ("Night walk", WHEN, WHERE, "EOS R5")),
        ("a.flv", "flv", ("Night walk", WHEN, WHERE, "EOS R5")),
        ("a.asf", "wmv2", ("Night walk", WHEN, WHERE, "EOS R5")),
        ("a.avi", "mpeg4", ("Night walk", None, None, None)),
        ("a.mxf", "mpeg2video", (None, WHEN, None, None)),
        ("a.ts", "mpeg2video", (None, None, None, None)),
    ],
)
def test_each_container_is_asked_where_it_keeps_things(tmp_path, name, codec, told):
    """As far as its muxer stores them."""
    if codec not in av.codecs_available:
        codec = "libvpx"  # Ogg takes VP8 as well
    info = probe(_write(tmp_path / name, EVERYTHING, codec))
    assert _told(info) == told
    if told[2]:
        assert (info.metadata.place.latitude, info.metadata.place.longitude) == (48.8577, 2.295)


@pytest.mark.parametrize("name", ["a.mov", "a.mp4"])
def test_what_phones_write_comes_first(tmp_path, name):
    """Apple's keys; the date with its zone is that of the recording, the header's that of an export."""
    phone = {
        "com.apple.quicktime.title": "Harbour",
        "com.apple.quicktime.creationdate": "2021-05-03T12:11:12+0200",
        "com.apple.quicktime.location.ISO6709": "-33.8568+151.2153+004.9/",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 12",
        "creation_time": "2024-01-01T00:00:00Z",
    }
    info = probe(_write(tmp_path / name, phone, movflags="use_metadata_tags"))
    assert _told(info) == ("Harbour", WHEN, "-33.8568+151.2153+004.9/", "iPhone 12")
    assert info.metadata.camera_make == "Apple"
    assert (info.metadata.place.latitude, info.metadata.place.longitude) == (-33.8568, 151.2153)


def test_an_avi_has_the_day_that_its_header_names(tmp_path):
    """RIFF's ICRD; and no date of the file around it."""
    assert probe(_write(tmp_path / "a.avi", {"date": "2021-05-03"})).metadata.recorded_at == datetime(
        2021, 5, 3, tzinfo=UTC
    )


def test_the_name_of_a_track_is_not_the_films_title(tmp_path):
    """In Matroska a stream has a title of its own."""
    path = _write(tmp_path / "a.mkv", {}, on_video={"title": "Angle 2"}, on_audio={"title": "Comments"})
    assert probe(path).title is None


def test_languages_are_told_stream_by_stream(tmp_path):
    """BCP 47, one for each stream; Matroska's `und` says nothing."""
    path = _write(tmp_path / "a.mkv", {}, on_video={"language": "ger"}, on_audio={"language": "fra"})
    said = probe(path).metadata
    assert (said.video_language, said.audio_languages) == ("de", ("fr",))
    silent = probe(_write(tmp_path / "b.mkv", {}, on_audio={"language": "und"})).metadata
    assert (silent.video_language, silent.audio_languages) == (None, (None,))


@pytest.mark.parametrize(
    "date", ["soon", "2021-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "2021", "9" * 500, " "]
)
@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "mpeg4"), ("a.flv", "flv")])
def test_dates_that_are_none_are_ignored(tmp_path, name, codec, date):
    """A muxer stores what it is given."""
    path = _write(tmp_path / name, {"date": date, "DATE_RECORDED": date}, codec)
    assert probe(path).metadata.recorded_at is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-05-03T10:11:12.000000Z", WHEN),
        ("2021-05-03 10:11:12", WHEN),
        ("2021-05-03T12:11:12+0200", WHEN),
        ("2021-05-03T06:11:12-04", WHEN),
        ("2021:05:03 10:11:12", WHEN),
        ("20210503T101112Z", WHEN),
        ("Mon May  3 10:11:12 2021", WHEN),
        ("MON MAY 03 10:11:12 2021\0", WHEN),
        ("Mon, 3 May 2021 12:11:12 +0200", WHEN),
        ("2021-05-03T10:11:12.345678901Z", WHEN.replace(microsecond=345678)),
        ("1927-08-01", datetime(1927, 8, 1, tzinfo=UTC)),
        ("1904-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00.000000Z", None),
        ("2021-02-29", None),
        ("2021-05-03T10:11:60Z", None),
        ("2021-05-03T10:11:12+9999", None),
        ("0001-01-01T00:00:00+1400", None),
        ("9999-12-31T23:59:59-1200", None),
        ("1600-01-01", None),
        ("2104-02-06", None),
        ("2021", None),
        ("2021-05", None),
        ("", None),
    ],
)
def test_dates_are_read_in_the_forms_that_cameras_write(text, moment):
    """UTC, also without a zone. Clocks never set, the future and years alone are no dates of a recording."""
    assert parse_date(text) == moment


@pytest.mark.parametrize(
    ("text", "latitude", "longitude"),
    [
        ("+48.8577+002.2950/", 48.8577, 2.295),
        ("+27.5916+086.5640+8850CRSWGS_84/", 27.5916, 86.564),
        ("-1230.5-06045/", -12.5083333, -60.75),
        ("+404218.5-0740021/", 40.7051389, -74.0058333),
        ("+00-025/", 0.0, -25.0),
        ("+95+000/", None, None),
        ("+1260+00000/", None, None),
        ("Berlin", None, None),
    ],
)
def test_places_are_degrees_where_they_are_given(text, latitude, longitude):
    """ISO 6709 in its three forms; the text stays whatever it is."""
    place = parse_place(text)
    assert (place.text, place.latitude, place.longitude) == (text, latitude, longitude)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("eng", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("pt_br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("gsw", "gsw"),
        ("und", None),
        ("English", None),
        ("", None),
        ("e\0g", None),
    ],
)
def test_languages_have_the_shortest_tag(text, tag):
    """So that `eng` and `en` are one language."""
    assert language_tag(text) == tag


@pytest.mark.parametrize(("name", "codec"), [("a.asf", "wmv2"), ("a.mxf", "mpeg2video")])
def test_no_bytes_of_a_header_make_it_fail(tmp_path, name, codec):
    """Cut and with wrong bytes: some date, or none."""
    path = _write(tmp_path / name, {"creation_time": "2021-05-03T10:11:12Z"}, codec)
    sound, draw = path.read_bytes(), random.Random(5)
    demuxer = name.partition(".")[2]
    assert created_in_header(path, demuxer) == WHEN
    for n in range(400):
        bad = bytearray(sound[: draw.randrange(len(sound)) if n % 4 == 0 else len(sound)])
        for _ in range(draw.randint(1, 40)):
            if bad:
                bad[draw.randrange(min(2000, len(bad)))] = draw.choice((0, 1, 127, 128, 255))
        path.write_bytes(bad)
        found = created_in_header(path, demuxer)
        assert found is None or found.tzinfo is UTC
