"""JSON-LD: schema.org's names, ISO durations, and nothing that ends a script element."""

import json
from datetime import UTC, datetime

import pytest

from jobs.exports.json_ld import iso_duration, to_json_ld


def test_a_video_object_has_its_clips(source, make_moments):
    """The properties that search engines and catalogs read, offsets in seconds."""
    video = json.loads(to_json_ld(source, make_moments((0, 2000, "A"), (2000, 4505, "B"))))
    url = "s3://films/2026/Night%20Walk%20%232.mov"
    assert {**video, "hasPart": None} == {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "identifier": source.video_id,
        "name": "A night walk",
        "description": "Someone walks.",
        "contentUrl": url,
        "uploadDate": "2026-11-21T08:30:00+00:00",
        "duration": "PT1M",
        "sdDatePublished": "2026-11-22T03:00:00+00:00",
        "sdPublisher": [{"@type": "Organization", "name": "media-index with model Video-XL-2, revision r1"}],
        "hasPart": None,
    }
    assert video["hasPart"] == [
        {
            "@type": "Clip",
            "name": "A",
            "description": "What happens.",
            "startOffset": 0,
            "endOffset": 2,
            "url": f"{url}#t=0,2",
        },
        {
            "@type": "Clip",
            "name": "B",
            "description": "What happens.",
            "startOffset": 2,
            "endOffset": 4.505,
            "url": f"{url}#t=2,4.505",
        },
    ]


def test_what_the_file_says_of_its_recording_is_told(source):
    """When, where and in which languages; the date of the object stays the upload's."""
    said = {
        "recorded_at": datetime(2021, 5, 3, 10, 11, 12, tzinfo=UTC),
        "location": "+48.8577+002.2950/",
        "latitude": 48.8577,
        "longitude": 2.295,
        "audio_languages": ["de", None, "en", "de"],
    }
    video = json.loads(to_json_ld(source.model_copy(update=said), []))
    assert video["dateCreated"] == "2021-05-03T10:11:12+00:00"
    assert video["uploadDate"] == "2026-11-21T08:30:00+00:00"
    assert video["locationCreated"]["geo"] == {
        "@type": "GeoCoordinates",
        "latitude": 48.8577,
        "longitude": 2.295,
    }
    assert video["inLanguage"] == ["de", "en"]
    named = json.loads(to_json_ld(source.model_copy(update={"location": "Berlin"}), []))["locationCreated"]
    assert named == {"@type": "Place", "name": "Berlin"}


def test_offsets_are_on_the_players_clock(source, make_moments):
    """And no clip ends after the video."""
    film = source.model_copy(update={"player_start_ms": 3000, "duration_ms": 8000})
    video = json.loads(to_json_ld(film, make_moments((0, 8000, "All of it"))))
    (clip,) = video["hasPart"]
    assert (clip["startOffset"], clip["endOffset"], video["duration"]) == (3, 11, "PT11S")
    assert clip["url"].endswith("#t=3,11")


def test_it_says_what_small_is(source):
    """Beside the model's name."""
    (by,) = json.loads(to_json_ld(source.model_copy(update={"model_id": "small"}), []))["sdPublisher"]
    assert by["description"].startswith("The model small understands drawn films")


def test_any_text_is_safe_in_a_script_element(source, hostile):
    """The page's parser sees no tag, no comment and no entity; JSON's parser sees the text."""
    film = source.model_copy(update={"title": "</script><!--", "summary": hostile[2].title})
    text = to_json_ld(film, hostile)
    assert not set("<>&\u2028\u2029") & set(text)
    video = json.loads(text)
    assert (video["name"], video["description"]) == (film.title, film.summary)
    assert [clip["description"] for clip in video["hasPart"]] == [m.text for m in hostile]


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("/films/a b?.mp4", "file:///films/a%20b%3F.mp4"),
        ("s3://films/100%/é.mp4", "s3://films/100%25/%C3%A9.mp4"),
        ("s3://films/a://b.mp4", "s3://films/a%3A//b.mp4"),
    ],
)
def test_addresses_are_urls(source, uri, url):
    """`?`, `#` and `%` of a file's name are part of its name; the text without title is the file's."""
    video = json.loads(to_json_ld(source.model_copy(update={"uri": uri, "title": None}), []))
    assert video["contentUrl"] == url
    assert video["name"] == uri.rpartition("/")[2]


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "PT0S"), (1, "PT0.001S"), (60_000, "PT1M"), (3_600_000, "PT1H"), (90_061_500, "PT25H1M1.5S")],
)
def test_durations_are_iso_8601(ms, text):
    """Parts that are zero are left out."""
    assert iso_duration(ms) == text
