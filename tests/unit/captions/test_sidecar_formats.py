"""Sidecars of every format: what is said, by whom, from when to when."""

import io
from dataclasses import replace
from fractions import Fraction

import av
import pytest
from beside_film import FILM, SCC, SRT, cues, read, stl

from videoxl2.frames import MediaInfo

SAID = [(1000, 2500, "Hello there"), (20_000, 22_000, "Two\nlines & more"), (55_250, 58_000, "1984")]
SAME = {
    "plain": SRT,
    "Windows lines": SRT.replace("\n", "\r\n"),
    "old Mac lines": SRT.replace("\n", "\r"),
    "no numbers": "".join(
        line for line in SRT.splitlines(True) if not line.strip().isdecimal() or "84" in line
    ),
    "blank lines inside": SRT.replace("Two\n", "Two\n\n"),
    "no blank lines": SRT.replace("\n\n", "\n"),
    "dots for commas": SRT.replace(",", "."),
    "hours of one digit": SRT.replace("00:00:", "0:00:"),
    "places on the screen": SRT.replace("02,500\n", "02,500  X1:10 X2:20 Y1:5 Y2:9\n"),
    "byte order mark": "\ufeff" + SRT,
    "byte order mark inside": SRT.replace("Hello", "\ufeffHello"),
    "zeros at the end": SRT + "\0" * 50,
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_subrip_however_it_is_written(text: str) -> None:
    """The same cues; a number that is said is no number of a cue."""
    track = read(text)
    assert (track.source, track.origin, track.codec, track.language) == (
        "sidecar",
        "film.en.srt",
        "subrip",
        "en",
    )
    assert cues(track) == SAID
    assert (track.has_text, track.num_dropped, track.warnings) == (True, 0, ())


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("format_", ["srt", "vtt", "ass", "sbv", "sub", "mpl2"])
def test_every_format_in_every_encoding(format_: str, encoding: str) -> None:
    """By its marks or its zeros, else by the language in the file's name."""
    said = "Où étais-tu, déjà ?"
    text = {
        "srt": f"1\n00:00:01,500 --> 00:00:03,000\n{said}\n",
        "vtt": f"WEBVTT\n\n00:01.500 --> 00:03.000\n{said}\n",
        "ass": f"[Script Info]\n[Events]\nDialogue: 0,0:00:01.50,0:00:03.00,Default,,0,0,0,,{said}\n",
        "sbv": f"0:00:01.500,0:00:03.000\n{said}\n",
        "sub": f"{{1}}{{1}}25\n{{37}}{{75}}{said}\n",
        "mpl2": f"[15][30]{said}\n",
    }[format_]
    track = read(text.encode(encoding), f"film.fr.{format_}")
    start_ms = 1480 if format_ == "sub" else 1500
    assert cues(track) == [(start_ms, 3000, said)]
    assert track.is_encoding_guessed == (encoding == "cp1252")
    assert track.encoding == {"utf-8-sig": "utf-8"}.get(encoding, encoding)


def test_a_number_that_is_said_last_is_kept_in_a_file_without_numbers() -> None:
    """There, what stands above a line of times is not its number."""
    text = "00:00:01,000 --> 00:00:02,000\nWhich year?\n1984\n00:00:03,000 --> 00:00:50,000\nYes.\n"
    assert [cue.text for cue in read(text).cues] == ["Which year?\n1984", "Yes."]


def test_times_that_are_odd() -> None:
    """A fraction is one of a second, what begins before the film is cut, an end before its start guessed."""
    track = read(
        "0:00:01.5 --> 0:00:02.25\nfraction\n\n-00:00:01,000 --> 00:00:01,000\nbefore\n\n"
        "00:00:10,000 --> 00:00:09,000\nbackwards\n\n00:00:12,000 --> 00:00:30,000\nover\n\n"
        "00:00:13,000 --> 00:00:14,000\nlap\n\n"
        "00:00:59,000 --> 00:01:59,000\nlonger\n\n00:00:58,5 --> 00:00:5"
    )
    assert cues(track) == [
        (0, 1000, "before"),
        (1500, 2250, "fraction"),
        (10_000, 12_000, "backwards"),
        (12_000, 30_000, "over"),
        (13_000, 14_000, "lap"),
        (59_000, 60_000, "longer"),
    ]
    assert [cue.text for cue in track.cues if cue.is_end_guessed] == ["backwards"]


def test_a_damaged_line_of_times_takes_its_words_along() -> None:
    """They are not said with the cue before; an arrow that is said is no damage."""
    text = "1\n00:00:01,000 --> 00:00:02,000\nleft --> right\n\n2\n00:00:0x,000 --> oops\nlost\n\n3\n"
    track = read(text + "00:00:05,000 --> 00:00:50,000\nkept\n")
    assert cues(track) == [(1000, 2000, "left --> right"), (5000, 50_000, "kept")]
    assert track.num_dropped == 1


def test_webvtt() -> None:
    """Voices are rows of their own; notes, styles, regions, names of cues and settings are not said."""
    track = read(
        "WEBVTT - a title\nKind: captions\n\nNOTE\nnot said\n\n"
        "STYLE\n::cue { color: red }\n\nREGION\nid:bill\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start\n"
        "<v.loud Mary Ann>Hi &lt;all&gt;\n<v Bob><c.red>Yo</c></v>\n\n"
        "00:00:40.000 --> 00:00:50.000\nsaid <00:00:45.000>later\n\nNOTE end\n",
        "film.vtt",
    )
    assert track.codec == "webvtt"
    assert [(cue.speaker, cue.text) for cue in track.cues] == [
        ("Mary Ann", "Hi <all>"),
        ("Bob", "Yo"),
        (None, "said later"),
    ]
    assert cues(track)[2] == (40_000, 50_000, "said later")


def test_ass_and_ssa() -> None:
    """Fields in the file's own order; comments and drawings are not said, animated lines are one cue."""
    track = read(
        "[Script Info]\nTitle: x\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n[Events]\n"
        "Format: Start, End, Style, Actor, Text\n"
        "Dialogue: 0:00:01.00,0:00:02.00,Default,Ann,{\\i1}Hello,{\\i0} you\\Nthere\n"
        "Comment: 0:00:03.00,0:00:04.00,Default,,not said\n"
        "Dialogue: 0:00:05.00,0:00:06.00,Sign,,{\\p1}m 0 0 l 10 0{\\p0}\n"
        "Dialogue: 0:00:07.00,0:00:07.50,Sign,,{\\pos(1,1)}moving\n"
        "Dialogue: 0:00:07.50,0:00:08.25,Sign,,{\\pos(2,1)}moving\n"
        "Dialogue: x,0:00:08.25,Sign,,no time\n"
        "Dialogue: 0:00:40.00,0:00:50.00,Default,,last\n",
        "film.ass",
    )
    assert track.codec == "ass"
    assert cues(track) == [
        (1000, 2000, "Hello, you\nthere"),
        (7000, 8250, "moving"),
        (40_000, 50_000, "last"),
    ]
    assert track.cues[0].speaker == "Ann"
    fields = "Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    ssa = f"[Script Info]\n[Events]\nFormat: {fields}\n"
    line = "Dialogue: Marked=0,0:00:01.00,0:00:50.00,Default,Default,0,0,0,,said, by nobody\n"
    track = read(ssa + line, "film.ssa")
    assert [(cue.text, cue.speaker) for cue in track.cues] == [("said, by nobody", None)]


def test_microdvd_counts_pictures() -> None:
    """Of the rate that it says, else of the film's."""
    text = "{0}{48}{y:i}one|two\n{960}{}three\n"
    slow = replace(FILM, fps_num=24)
    assert cues(read(text, "film.sub", slow)) == [(0, 2000, "one\ntwo"), (40_000, 45_000, "three")]
    told = read("{1}{1}23.976\n" + text, "film.sub")
    assert cues(told)[0] == (0, 2002, "one\ntwo")
    assert cues(told)[1][0] == 40_040
    late = read("{1}{1}23.976\n{100000}{100024}late", "film.sub", replace(FILM, duration_ms=7_200_000))
    assert late.cues[0].start_ms == 4_170_833  # of 24000/1001, which is what is meant
    assert read("{1}{1}0.5\n{10}{20}x", "film.sub").cues[0].text == "0.5"


def test_mpl2_counts_tenths() -> None:
    """A slash begins a line in italics."""
    assert cues(read("[10][25]/one|two\n[400][]three\n", "film.mpl2")) == [
        (1000, 2500, "one\ntwo"),
        (40_000, 45_000, "three"),
    ]


def test_sbv_and_subviewer() -> None:
    """Two times with a comma between, lines parted in either way."""
    assert cues(read("0:00:01.000,0:00:02.000\none\ntwo\n\n0:00:40.000,0:00:41.500\nthree\n", "f.sbv")) == [
        (1000, 2000, "one\ntwo"),
        (40_000, 41_500, "three"),
    ]
    head = "[INFORMATION]\n[TITLE]x\n[END INFORMATION]\n[SUBTITLE]\n"
    assert cues(read(head + "00:00:01.00,00:00:40.50\none[br]two\n", "f.sub")) == [(1000, 40_500, "one\ntwo")]


def test_what_a_file_holds_goes_before_its_extension() -> None:
    """People rename them."""
    assert read("WEBVTT\n\n00:01.000 --> 00:50.000\n<v Al>x", "film.srt").cues[0].speaker == "Al"
    assert read(SRT, "film.vtt").codec == "subrip"
    assert read(SRT, "film.sub").codec == "subrip"
    assert read("{25}{1000}x", "film.srt").codec == "microdvd"


def test_a_players_clock_begins_before_the_first_picture() -> None:
    """Where sound begins earlier, players count from there, and so does who writes captions with them."""
    late = replace(FILM, player_start_ms=500)
    track = read(SRT, film=late)
    assert cues(track) == [(start - 500, end - 500, text) for start, end, text in SAID]
    assert track.offset_ms == 500


def test_flags_and_languages_come_from_the_name() -> None:
    """The tables have them as the name does."""
    track = read(SRT, "film.Director's cut.pt-BR.forced.default.srt")
    assert (track.language, track.language_as_written, track.title) == ("pt-BR", "pt-BR", "Director's cut")
    assert (track.is_forced, track.is_default, track.is_hearing_impaired, track.is_commentary) == (
        True,
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("hour", "mark", "start_timecode", "offset_ms"),
    [
        ("00:00", ":", None, 0),
        ("01:00", ":", None, 3_603_600),
        ("01:00", ";", None, 3_600_000),
        ("10:00", ":", "10:00:00:00", 36_036_000),
        ("01:00", ":", "00:00:00:00", 3_603_600),
        ("00:00", ":", "01:00:00:00", 0),
    ],
)
def test_scc_counts_from_the_films_first_label(
    hour: str, mark: str, start_timecode: str | None, offset_ms: int
) -> None:
    """Its own where that puts captions into the film, else whole hours; codes take a picture each."""
    film = replace(FILM, start_timecode=start_timecode)
    track = read(SCC.format(hour[:2], mark), "film.scc", film)
    assert (track.codec, track.is_hearing_impaired) == ("cea608", True)
    assert abs(track.offset_ms - offset_ms) <= 4
    shown, erased = round((30 + 9) * 1001 / 30), round(300 * 1001 / 30)
    first, rolled = track.cues
    assert (first.start_ms, first.end_ms, first.text) == (shown, erased, "Hello")
    assert (rolled.text, rolled.end_ms) == ("Roll", 60_000)
    assert rolled.start_ms == round((1200 + 6) * 1001 / 30)


@pytest.mark.parametrize(
    ("film_minutes", "hours", "minutes", "offset_hours"),
    [
        (120, 1, (0, 118), 1),  # it would end an hour after the film
        (120, 1, (0, 30), 0),  # which may be so
        (120, 0, (0, 118), 0),
        (50, 10, (0, 55), 10),  # of a longer film
        (50, 2, (70, 80), 3),  # of another film, perhaps
    ],
)
def test_whole_hours_are_taken_off_where_captions_end_behind_the_film(
    film_minutes: int, hours: int, minutes: tuple[int, int], offset_hours: int
) -> None:
    """Where nothing says what the first picture's label is."""
    lines = (
        f"{hours + minute // 60:02}:{minute % 60:02}:01;00\t9420 9470 c8e5 942f\n\n"
        f"{hours + minute // 60:02}:{minute % 60:02}:03;00\t942c\n\n"
        for minute in minutes
    )
    film = replace(FILM, duration_ms=film_minutes * 60_000)
    track = read("Scenarist_SCC V1.0\n\n" + "".join(lines), "film.scc", film)
    assert abs(track.offset_ms - offset_hours * 3_600_000) <= 40


def test_a_film_in_other_counting_than_its_captions() -> None:
    """Labels are compared as labels: 01:00:00:00 is the same picture in each."""
    film = replace(FILM, start_timecode="01:00:00:12", timecode_rate=Fraction(25))
    track = read(SCC.format("01", ":"), "film.scc", film)
    assert track.cues[0].start_ms == round((30 + 9 - 14) * 1001 / 30)


def test_of_several_channels_in_scc_the_first_is_read() -> None:
    """A track is one language; that there is more is told."""
    second = "00:00:05:00\t1c20 1c70 c8e9 1c2f\n\n00:00:50:00\t1c2c\n"
    track = read(SCC.format("00", ":") + "\n" + second, "film.scc")
    assert [cue.text for cue in track.cues] == ["Hello", "Roll"]
    assert track.warnings == ("other_channels",)
    alone = read("Scenarist_SCC V1.0\n\n" + second, "film.scc")
    assert ([cue.text for cue in alone.cues], alone.warnings) == (["Hi"], ())


def test_speakers_in_ttml() -> None:
    """By the names that the document's head gives them."""
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="en">'
        '<head><metadata><ttm:agent xml:id="a" type="person"><ttm:name type="full">Ann Lee</ttm:name>'
        '</ttm:agent></metadata></head><body><div><p begin="1s" end="2s" ttm:agent="a">Hi</p>'
        '<p begin="40s" end="50s">Bye</p></div></body></tt>'
    )
    assert [(cue.speaker, cue.text) for cue in read(text, "film.ttml").cues] == [
        ("Ann Lee", "Hi"),
        (None, "Bye"),
    ]


def test_ttml() -> None:
    """Nested times, speakers, the document's language; old namespaces too."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><tt xmlns="{}" xml:lang="de-CH" '
        'xmlns:ttm="http://www.w3.org/ns/ttml#metadata"><body><div begin="10s">'
        '<p begin="1s" end="2.5s">Grüezi<br/>mitenand</p><p begin="00:00:30.000" dur="5s">Tschüss</p>'
        "</div></body></tt>"
    )
    for namespace in ("http://www.w3.org/ns/ttml", "http://www.w3.org/2006/10/ttaf1"):
        track = read(text.format(namespace), "film.xml.ttml")
        assert cues(track) == [(11_000, 12_500, "Grüezi\nmitenand"), (40_000, 45_000, "Tschüss")]
        assert (track.codec, track.language, track.language_as_written) == ("ttml", "de-CH", "de-CH")
    assert read(text.format(namespace), "film.fr.dfxp").language == "fr"
    latin = text.format("http://www.w3.org/ns/ttml").replace("UTF-8", "ISO-8859-1").encode("latin-1")
    track = read(latin, "film.itt")
    assert track.cues[0].text == "Grüezi\nmitenand"
    assert (track.encoding, track.is_encoding_guessed) == ("iso8859-1", False)
    assert cues(read(text.format("http://www.w3.org/ns/ttml").encode("utf-16"), "film.ttml"))[0][0] == 11_000


def test_ttml_that_counts_by_labels() -> None:
    """Whole hours are taken off where the film has no label; times that are no labels stay."""
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
        'xml:lang="en" ttp:timeBase="{}" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" '
        'ttp:dropMode="nonDrop"><body><div><p begin="01:00:02:00" end="01:00:50:00">x</p></div></body></tt>'
    )
    track = read(text.format("smpte"), "film.itt")
    assert cues(track) == [(2002, 50_050, "x")]
    assert track.offset_ms == 3_603_600
    assert read(text.format("media"), "film.itt").cues == ()


def test_ebustl() -> None:
    """Letters with marks, lines, colours, subtitles of several blocks; its own start is taken off."""
    long = b"word " * 40
    data = stl(
        ("10000100", "10000212", b"\x0b\x0bGr\xc8u\xfb \x07dich\x8a\x8aTsch\xc8uss"),
        ("10004000", "10005000", long),
    )
    track = read(data, "film.stl")
    assert cues(track) == [(1000, 2480, "Grüß dich\nTschüss"), (40_000, 50_000, long.decode().strip())]
    assert (track.codec, track.language, track.encoding, track.offset_ms) == (
        "ebu_stl",
        "de",
        "iso6937",
        36_000_000,
    )
    film = replace(FILM, start_timecode="10:00:00:10")
    assert read(data, "film.fr.stl", film).cues[0].start_ms == 600
    assert read(data, "film.fr.stl", film).language == "fr"
    zero = stl(("00000100", "00005000", b"x"), tcp="00000000")
    assert read(zero, "film.stl", replace(FILM, start_timecode="10:00:00:00")).cues[0].start_ms == 1000


def test_comments_and_data_in_ebu_stl_are_not_said() -> None:
    """Nor are they parts of what is."""
    subtitle = ("10000100", "10005000", b"said")
    head, block = stl(subtitle)[:1024], bytearray(stl(subtitle)[1024:])
    comment, data = bytearray(block), bytearray(block)
    comment[15] = 1
    data[3] = 0xFE
    for other in (comment, data):
        other[16:20] = b"note"
    track = read(head + bytes(data + comment + block + data), "film.stl")
    assert (cues(track), track.num_dropped) == ([(1000, 50_000, "said")], 0)
    block[5] = 25  # no hour
    assert read(head + bytes(block), "film.stl").warnings == ("no_cues", "damaged")


def test_every_letter_of_ebu_stl_is_what_another_reader_has() -> None:
    """ttconv's, for the Latin page; a dollar and a place without a letter apart."""
    from ttconv.stl import iso6937

    from videoxl2.captions.sidecars.broadcast import _MARKS, _decoded

    letters = [
        bytes([code]) for code in range(0x20, 0x100) if code not in (0x7F, 0xA4, *range(0x80, 0xA0), *_MARKS)
    ]
    letters += [
        bytes([mark, letter]) for mark in _MARKS for letter in b"aAcCdDeEgGhHiIjJkKlLnNoOrRsStTuUwWyYzZ"
    ]
    num_same = 0
    for letter in letters:
        try:
            expected = iso6937.decode(letter)[0]
        except UnicodeDecodeError:
            continue
        assert _decoded(letter, "iso6937") in (expected, expected.replace("\u2126", "\u03a9")), letter
        num_same += 1
    assert num_same > 200


TTML = (
    '<tt xmlns="{namespace}" xmlns:ttp="{namespace}#parameter" xmlns:ttm="{namespace}#metadata" '
    'xml:lang="en" {parameters}><body>{body}</body></tt>'
)
RATE = 'ttp:frameRate="25" ttp:tickRate="10000000"'
DROP = 'ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" ttp:dropMode="dropNTSC"'


@pytest.mark.parametrize("year", ["ns/ttml", "2006/10/ttaf1", "2006/04/ttaf1"])
@pytest.mark.parametrize(
    ("parameters", "body", "expected"),
    [
        (RATE, '<div><p begin="00:00:03:10" end="00:00:50:00">x</p></div>', [(3400, 50_000, "x")]),
        (RATE, '<div><p begin="30000000t" end="500000000t">x</p></div>', [(3000, 50_000, "x")]),
        (RATE, '<div><p begin="75f" dur="0.5m">x</p></div>', [(3000, 33_000, "x")]),
        ("", '<div begin="5s"><p begin="1s" end="40s">x</p></div>', [(6000, 45_000, "x")]),
        ("", '<div begin="5s"><p>to the end</p></div>', [(5000, 10_000, "to the end")]),
        (
            "",
            '<div timeContainer="seq"><p dur="20s">one</p><p dur="10s">two</p></div>',
            [(0, 20_000, "one"), (20_000, 30_000, "two")],
        ),
        (
            "",
            '<div><p begin="10s" end="40s"><span begin="0s" end="5s">ka</span>'
            '<span begin="5s">ra</span></p></div>',
            [(10_000, 15_000, "ka"), (15_000, 40_000, "ra")],
        ),
        (DROP, '<div><p begin="00:00:10:00" end="00:00:50:00">x</p></div>', [(10_010, 50_050, "x")]),
        (DROP, '<div><p begin="00:00:10;00" end="00:00:50;00">x</p></div>', [(10_010, 50_050, "x")]),
        (
            "",
            '<div><p begin="1s" end="50s"><metadata><ttm:desc>not said</ttm:desc></metadata>'
            "said\n   so</p></div>",
            [(1000, 50_000, "said so")],
        ),
    ],
)
def test_ttml_tells_time_in_many_ways(
    year: str, parameters: str, body: str, expected: list[tuple[int, int, str]]
) -> None:
    """Pictures, ticks, lengths, containers, sequences, spans and labels, in drafts as in the standard."""
    namespace = f"http://www.w3.org/{year}"
    text = TTML.format(namespace=namespace, parameters=parameters, body=body)
    assert cues(read(text, "film.ttml")) == expected


@pytest.mark.parametrize(
    ("format_", "extension", "text"),
    [
        ("srt", "srt", SRT),
        (
            "webvtt",
            "vtt",
            "WEBVTT\n\nNOTE no\n\n00:01.000 --> 00:02.250\none\ntwo\n\nid\n00:00:03.500 --> 01:00.000\nx\n",
        ),
        ("ass", "ass", "[Script Info]\n[Events]\nDialogue: 0,0:00:01.50,0:00:03.00,Default,,0,0,0,,a\n"),
        ("subviewer", "sbv", "0:00:01.000,0:00:02.000\none\n\n0:00:40.000,0:00:41.500\nthree\n"),
        ("microdvd", "sub", "{1}{1}25\n{25}{50}one\n{1000}{1025}two\n"),
        ("mpl2", "mpl2", "[10][25]one\n[400][425]two\n"),
    ],
)
def test_another_reader_has_the_same_times(format_: str, extension: str, text: str) -> None:
    """PyAV's, with its format told: of well-formed files."""
    with av.open(io.BytesIO(text.encode()), mode="r", format=format_) as file:
        stream = file.streams.subtitles[0]
        told = [
            (round(packet.pts * packet.time_base * 1000), round(packet.duration * packet.time_base * 1000))
            for packet in file.demux(stream)
            if packet.size and packet.pts is not None and packet.duration
        ]
    found = cues(read(text, f"film.{extension}"))
    assert [(start, end - start) for start, end, _ in found] == told


def _mapped(line: str, *times: str) -> str:
    said = "".join(f"\n{start} --> 00:59.000\nHello\n" for start in times)
    return f"WEBVTT\n{line}\n{said}"


STREAMED = replace(FILM, container="mpegts", start_ms=11_400)


@pytest.mark.parametrize(
    ("text", "film", "starts_ms"),
    [
        (_mapped("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", "00:02.000"), STREAMED, [600]),
        (_mapped("X-TIMESTAMP-MAP=LOCAL:00:00:30.500,MPEGTS:1080000", "00:32.500"), STREAMED, [2600]),
        (
            _mapped("X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000", "00:01.000"),
            replace(STREAMED, start_ms=95_440_000),
            [4718],
        ),
        (
            _mapped("X-TIMESTAMP-MAP=MPEGTS:1080000,LOCAL:00:00:00.000", "00:02.000")
            + _mapped("X-TIMESTAMP-MAP=MPEGTS:1620000,LOCAL:00:00:00.000", "00:02.000", "00:03.000"),
            STREAMED,
            [2600, 8600, 9600],
        ),
        (_mapped("X-TIMESTAMP-MAP=MPEGTS:often", "00:02.000"), STREAMED, [2000]),
        (_mapped("NOTE X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", "00:02.000"), STREAMED, [2000]),
    ],
    ids=["a map", "another local time", "a clock that wraps", "put together", "a broken map", "a note"],
)
def test_webvtt_of_streaming_counts_on_the_film_s_clock(
    text: str, film: MediaInfo, starts_ms: list[int]
) -> None:
    """From the film's first picture, whatever the stream's clock shows by then."""
    track = read(text, "film.en.vtt", film)
    assert [start for start, _, _ in cues(track)] == starts_ms
    assert "clock_unknown" not in track.warnings


def test_a_film_without_that_clock_is_told_so() -> None:
    """Times as they are written, and a warning."""
    track = read(_mapped("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", "00:02.000"), "film.en.vtt")
    assert [start for start, _, _ in cues(track)] == [2000]
    assert track.warnings == ("clock_unknown",)
