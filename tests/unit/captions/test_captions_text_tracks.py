"""Text tracks of every container: text, speakers and times exact, and what the file says of each track."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from captioned import (
    FORCED_TX3G,
    GAP,
    STPP,
    TX3G,
    WVTT,
    box,
    entry,
    film,
    mov_text,
    with_track,
    wvtt_cue,
)

from videoxl2.captions import Track, read_texts
from videoxl2.captions.carriers.collecting import text_collector
from videoxl2.captions.carriers.packets import READERS
from videoxl2.frames import probe

Said = list[tuple[int, int, str | None, str]]
Times = list[tuple[int, int]]

SRT = (
    "1\n00:00:00,500 --> 00:00:01,250\n<i>Hello</i> &amp; you\n\n2\n00:00:01,000 --> 00:00:03,000\nI <3 it\n"
)
VTT = """WEBVTT

one
00:00:00.500 --> 00:00:01.250 align:left
<v Bob>Hello</v> <v Ann>Hi</v>

00:00:01.000 --> 00:00:03.000
<c.red>second</c>&nbsp;line
"""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.10,0:00:01.00,Default,,0,0,0,,not said
Dialogue: 0,0:00:00.50,0:00:01.00,Default,Ann,0,0,0,,{\\pos(1,2)}Hel{\\i1}lo
Dialogue: 0,0:00:01.00,0:00:01.25,Default,Ann,0,0,0,,{\\pos(2,2)}Hello
Dialogue: 1,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 0{\\p0}
Dialogue: 0,0:00:02.50,0:00:03.00,Default,Default,0,0,0,,Two\\Nlines
"""
FROM_VTT: Said = [(500, 1250, "Bob", "Hello"), (500, 1250, "Ann", "Hi"), (1000, 3000, None, "second line")]
SAMPLES = [(500, GAP), (750, mov_text("Hello")), (750, GAP), (1000, mov_text("Big\rworld")), (1000, GAP)]


def tracks(path: Path) -> tuple[Track, ...]:
    return read_texts(path, probe(path)).tracks


def said(track: Track) -> Said:
    return [(cue.start_ms, cue.end_ms, cue.speaker, cue.text) for cue in track.cues]


def test_matroska_carries_subrip_webvtt_and_ass(tmp_path: Path) -> None:
    texts = [("srt", SRT, {"language": "ger"}), ("webvtt", VTT, {}), ("ass", ASS, {"title": "Signs"})]
    subrip, webvtt, ass = tracks(film(tmp_path / "film.mkv", texts=texts))
    assert (subrip.source, subrip.origin, subrip.codec, subrip.language) == ("stream", "1", "subrip", "de")
    assert said(subrip) == [(500, 1250, None, "Hello & you"), (1000, 3000, None, "I <3 it")]
    assert webvtt.codec == "webvtt"
    assert said(webvtt) == FROM_VTT
    assert (ass.codec, ass.title, ass.language) == ("ass", "Signs", None)
    assert said(ass) == [(500, 1250, "Ann", "Hello"), (2500, 3000, None, "Two\nlines")]
    assert ass.num_dropped == 1  # a drawing
    assert all(track.has_text and track.warnings == () for track in (subrip, webvtt, ass))


def test_webm_carries_webvtt(tmp_path: Path) -> None:
    path = film(tmp_path / "film.webm", codec="vp8", num_pictures=100, texts=[("webvtt", VTT, {})])
    assert said(tracks(path)[0]) == FROM_VTT


def test_webvtt_that_ffmpeg_has_no_name_for_is_read(tmp_path: Path) -> None:
    """As mkvmerge stores it: by another codec name than FFmpeg's."""
    path = film(
        tmp_path / "film.mkv", texts=[("webvtt", VTT.replace("one\n", "").replace(" align:left", ""), {})]
    )
    data = path.read_bytes()
    path.write_bytes(data.replace(b"D_WEBVTT/SUBTITLES", b"S_TEXT/WEBVTT".ljust(18, b"\0")))
    with av.open(str(path)) as opened:
        assert opened.streams.subtitles[0].codec_context is None
    assert said(tracks(path)[0]) == FROM_VTT


def test_a_language_in_full_wins_over_its_three_letters(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", texts=[("srt", SRT, {"language": "por", "title": "TITLE."})])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x53\x6e\x86TITLE.", b"\x22\xb5\x9d\x85pt-BR"))
    assert (tracks(path)[0].language, tracks(path)[0].language_as_written) == ("pt-BR", "pt-BR")
    movie = with_track(film(tmp_path / "film.mp4"), TX3G, SAMPLES, language="deu", tag="de-CH")
    assert tracks(movie)[0].language == "de-CH"


@pytest.mark.parametrize("b_pictures", [0, 2])
@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([], [(500, 1250), (2000, 3000)]),
        ([(4000, 0)], [(500, 1250), (2000, 3000)]),
        ([(3000, 1000)], [(0, 250), (1000, 2000)]),
        ([(1000, -1), (4000, 0)], [(1500, 2250), (3000, 4000)]),
        ([(1000, 0)], [(500, 1000)]),
        ([(700, 0), (1000, 2500)], [(500, 700), (700, 1200)]),
        ([(1500, 2000), (1500, 2000)], [(0, 1000), (1500, 2500)]),
    ],
)
def test_a_text_track_follows_its_own_edit_list(
    edits: Times, expected: Times, ending: str, b_pictures: int, tmp_path: Path
) -> None:
    path = film(tmp_path / f"film.{ending}", b_pictures=b_pictures)
    (track,) = tracks(with_track(path, TX3G, SAMPLES, edits=edits))
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == expected
    assert {cue.text for cue in track.cues} <= {"Hello", "Big\nworld"}


def test_an_edit_list_at_another_speed_is_named_and_not_followed(tmp_path: Path) -> None:
    path = with_track(film(tmp_path / "film.mp4"), TX3G, SAMPLES, edits=[(2000, 0)])
    data = path.read_bytes()
    normal = b"\0\0\7\xd0\0\0\0\0\0\1\0\0"
    assert data.count(normal) == 1
    path.write_bytes(data.replace(normal, normal[:-4] + b"\0\2\0\0"))
    (track,) = tracks(path)
    assert [(cue.start_ms, cue.end_ms) for cue in track.cues] == [(500, 1250), (2000, 3000)]
    assert track.warnings == ("edits_ignored",)


def test_mov_text_may_be_utf_16_forced_or_damaged(tmp_path: Path) -> None:
    wide = b"\xfe\xff" + "Höre".encode("utf-16-be")
    samples = [
        (1000, mov_text(wide)),
        (1000, mov_text("été".encode("cp1252"))),
        (500, b"\0\x09ab"),
        (500, GAP),
    ]
    (track,) = tracks(with_track(film(tmp_path / "film.mp4"), FORCED_TX3G, samples))
    assert said(track) == [(0, 1000, None, "Höre"), (1000, 2000, None, "été")]
    assert track.is_forced
    assert (track.num_dropped, track.warnings) == (1, ("damaged",))


def test_webvtt_in_mp4_joins_what_goes_on_in_the_next_sample(tmp_path: Path) -> None:
    gap, one, two = box(b"vtte"), wvtt_cue("<v Ann>One", "a"), wvtt_cue("Two")
    samples = [(500, gap), (500, one), (500, one + two), (1000, two), (500, gap), (500, two)]
    (track,) = tracks(with_track(film(tmp_path / "film.mp4"), WVTT, samples, handler=b"text"))
    assert track.codec == "webvtt"
    assert said(track) == [(500, 1500, "Ann", "One"), (1000, 2500, None, "Two"), (3000, 3500, None, "Two")]


def _document(body: str) -> bytes:
    names = "xmlns='http://www.w3.org/ns/ttml' xmlns:ttm='http://www.w3.org/ns/ttml#metadata'"
    agent = "<ttm:agent xml:id='a' type='person'><ttm:name type='full'>Ann</ttm:name></ttm:agent>"
    return f"<tt {names} xml:lang='en'><head>{agent}</head><body><div>{body}</div></body></tt>".encode()


def test_ttml_in_mp4_has_times_of_the_track(tmp_path: Path) -> None:
    one = "<p begin='1s' end='3s' ttm:agent='a'>One</p>"
    samples = [(2000, _document(one)), (2000, _document(one + "<p begin='3.5s'>Two</p>")), (500, b"<junk")]
    (track,) = tracks(with_track(film(tmp_path / "film.mp4"), STPP, samples, handler=b"subt"))
    assert track.codec == "ttml"
    assert said(track) == [(1000, 3000, "Ann", "One"), (3500, 4000, None, "Two")]
    assert (track.num_dropped, track.warnings) == (1, ("damaged",))


def test_a_cue_in_another_encoding_does_not_end_the_track(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", texts=[("srt", SRT.replace("Hello", "Hallo, Jo rg"), {})])
    path.write_bytes(path.read_bytes().replace(b"Jo rg", "Jörg!".encode("cp1252")))
    assert [text for *_, text in said(tracks(path)[0])] == ["Hallo, Jörg! & you", "I <3 it"]


def test_pictures_of_text_and_unknown_formats_are_listed_without_text(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", texts=[("webvtt", VTT, {}), ("webvtt", VTT, {}), ("srt", SRT, {})])
    data = path.read_bytes()
    for name in (b"S_HDMV/PGS", b"S_TEXT/USF"):
        data = data.replace(b"D_WEBVTT/SUBTITLES", name.ljust(18, b"\0"), 1)
    path.write_bytes(data)
    pictures, unknown, text = tracks(path)
    assert (pictures.codec, pictures.has_text, pictures.cues) == ("pgs", False, ())
    assert pictures.warnings == ("no_text",)
    assert (unknown.codec, unknown.has_text, unknown.warnings) == ("usf", False, ("not_readable",))
    assert text.has_text


@pytest.mark.parametrize("ending", ["mkv", "ts"])
def test_dvb_subtitles_are_listed_with_their_language(ending: str, tmp_path: Path) -> None:
    def add(output: av.container.OutputContainer) -> None:
        stream = output.add_stream("dvbsub")
        stream.metadata["language"] = "deu"

    (track,) = tracks(film(tmp_path / f"film.{ending}", after=add))
    assert (track.codec, track.language, track.has_text) == ("dvb_subtitle", "de", False)


def test_a_stream_of_several_languages_is_a_track_for_each(tmp_path: Path) -> None:
    def add(output: av.container.OutputContainer) -> None:
        output.add_stream("dvbsub").metadata["language"] = "deu,eng"

    found = tracks(film(tmp_path / "film.ts", after=add))
    assert [(track.origin, track.language, track.language_as_written) for track in found] == [
        ("1", "de", "deu"),
        ("1", "en", "eng"),
    ]


def test_a_track_without_end_is_read_up_to_its_limits() -> None:
    packet = av.Packet(b"words")
    packet.pts, packet.duration = 0, 10
    few, short = text_collector("subrip", Fraction(1, 1000)), text_collector("subrip", Fraction(1, 1000))
    assert few is not None
    assert short is not None
    few.max_cues, short.max_bytes = 3, 12
    for _ in range(5):
        few.note(packet)
        short.note(packet)
    assert (len(few.said), few.is_full) == (3, True)
    assert (len(short.said), short.is_full) == (2, True)


def test_a_track_of_data_is_no_caption_track(tmp_path: Path) -> None:
    path = with_track(film(tmp_path / "film.mp4"), entry(b"gpmd"), SAMPLES, handler=b"meta")
    assert tracks(path) == ()


def test_text_of_a_film_whose_pictures_are_counted_is_not_timed(tmp_path: Path) -> None:
    """Edit lists of pictures that are not followed leave the film without a clock that tracks share."""
    path = film(tmp_path / "film.mp4", b_pictures=2)
    data = path.read_bytes()
    at = data.index(b"elst") + 12
    path.write_bytes(data[: at + 8] + b"\0\2\0\0" + data[at + 12 :])
    with_track(path, TX3G, SAMPLES)
    (track,) = tracks(path)
    assert (track.cues, track.warnings) == ((), ("not_timed",))


@pytest.mark.parametrize("codec", sorted(READERS))
def test_a_damaged_packet_raises_nothing_but_what_is_counted(codec: str) -> None:
    for packet in (
        b"",
        b"\0",
        b"\xff" * 50,
        b"\0\0\0\x08vttc",
        b"\0\0\0\xffvttc\0\0\0\x0cpaylHi",
        b"a,b,c",
        bytes(range(256)),
    ):
        try:
            READERS[codec](packet)
        except ValueError:
            continue
