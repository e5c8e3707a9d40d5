"""Sidecars that are wrong, damaged or hostile: rows of what is right, a named reason for the rest."""

import random
import sys
from dataclasses import replace

import pytest
from beside_film import FILM, SCC, SRT, cues, read, stl

from videoxl2.captions.sidecars import reading

TTML = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body><div><p begin="1s" end="50s">Hi</p></div>'
    "</body></tt>"
)
ASS = "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:50.00,Default,,0,0,0,,Hi\n"
EVERY_FORMAT = {
    "srt": SRT.encode(),
    "vtt": b"WEBVTT\n\n00:01.000 --> 00:50.000\n<v Ann>Hi &amp; <i>bye</i>\n",
    "ass": ASS.encode(),
    "sbv": b"0:00:01.000,0:00:50.000\nHi\n",
    "sub": b"{1}{1}25\n{25}{1250}Hi|you\n",
    "mpl2": b"[10][500]/Hi|you\n",
    "ttml": TTML.encode(),
    "scc": SCC.format("01", ":").encode(),
    "stl": stl(("10000100", "10005000", b"Hi")),
}


def _line(start_s: int, end_s: int, text: str = "x") -> str:
    start, end = (f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02},000" for at in (start_s, end_s))
    return f"{start} --> {end}\n{text}\n\n"


def test_captions_of_a_longer_film() -> None:
    """What is inside is kept; more than a tenth behind the end is told."""
    track = read("".join(_line(at, at + 1) for at in range(0, 120, 10)))
    assert (len(track.cues), track.num_dropped, track.warnings) == (6, 6, ("other_film",))
    assert read("".join(_line(at, at + 1) for at in range(0, 61, 5))).warnings == ()


def test_captions_of_a_much_shorter_film() -> None:
    """Those that end within the first third; a few forced ones may."""
    text = _line(1, 2) + _line(18, 19)
    assert read(text).warnings == ("other_film",)
    assert len(read(text).cues) == 2
    assert read(text, "film.en.forced.srt").warnings == ()
    assert read(text + _line(20, 21)).warnings == ()


NO_CAPTIONS = {
    "nothing": b"",
    "words": b"These are not captions.\nNor is this --> a time.\n",
    "a playlist": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
    "a list to join": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a page": b"<!DOCTYPE html><html><body>404</body></html>",
    "a picture": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 8,
    "zeros": b"\0" * 4096,
    "times without words": _line(1, 50, "").encode(),
    "a head alone": b"WEBVTT\n",
}


@pytest.mark.parametrize("data", NO_CAPTIONS.values(), ids=NO_CAPTIONS)
@pytest.mark.parametrize("extension", ["srt", "vtt", "ass", "sub", "mpl2", "sbv", "scc"])
def test_what_holds_no_captions(extension: str, data: bytes) -> None:
    """A track without text, and why."""
    track = read(data, f"film.{extension}")
    assert (track.cues, track.has_text, track.warnings) == ((), False, ("no_cues",))


@pytest.mark.parametrize(
    ("name", "data", "codec", "warning", "language"),
    [
        ("film.smi", b"<SAMI><BODY><SYNC Start=1000><P>Hi</BODY></SAMI>", "sami", "not_readable", None),
        (
            "film.stl",
            b"//English subtitles\n00:00:01:00,00:00:02:12,Hi\n",
            "spruce_stl",
            "not_readable",
            None,
        ),
        ("film.stl", b"X", "spruce_stl", "not_readable", None),
        ("film.idx", b"# VobSub index file, v7\nid: de, index: 0\n", "dvd_subtitle", "no_text", "de"),
        (
            "film.idx",
            b"# VobSub index file, v7\nid: de, index: 0\nid: en, index: 1\n",
            "dvd_subtitle",
            "no_text",
            None,
        ),
        ("film.fr.sub", b"\0\0\1\xba" + bytes(2048), "dvd_subtitle", "no_text", "fr"),
        ("film.ttml", b"X", "ttml", "not_readable", None),
        ("film.ttml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "ttml", "not_readable", None),
        ("film.ttml", TTML[:-20].encode(), "ttml", "not_readable", None),
        ("film.srt", TTML.replace("<tt", "<!DOCTYPE tt><tt").encode(), "ttml", "not_readable", None),
    ],
)
def test_what_is_not_read_is_listed(
    name: str, data: bytes, codec: str, warning: str, language: str | None
) -> None:
    """With its format and language, so that somebody may look."""
    track = read(data, name)
    assert (track.codec, track.has_text, track.cues) == (codec, False, ())
    assert (track.warnings, track.language) == ((warning,), language)


def test_an_empty_document_has_no_captions() -> None:
    """It can be read, and says nothing."""
    assert read('<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body/></tt>', "f.ttml").warnings == (
        "no_cues",
    )


def test_times_that_are_none_leave_a_document_the_rest() -> None:
    """Nothing is shown at a time that nobody wrote."""
    lost = '<p begin="soon" end="5s">lost</p><p begin="60:00" end="70:00">lost</p>'
    more = f'{lost}<p begin="2s" end="49s">kept</p>'
    track = read(TTML.replace("</div>", f"{more}</div>"), "film.ttml")
    assert cues(track) == [(1000, 50_000, "Hi"), (2000, 49_000, "kept")]
    assert (track.num_dropped, track.warnings) == (2, ("damaged",))


def test_documents_that_grow_or_reach_out_are_refused() -> None:
    """Entities in entities, files by entity, and depth without end."""
    bomb = '<!DOCTYPE tt [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + TTML.replace("Hi", "&b;")
    reach = '<!DOCTYPE tt [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + TTML.replace("Hi", "&a;")
    deep = TTML.replace("<div>", "<div>" * 5000).replace("</div>", "</div>" * 5000)
    for text in (bomb, reach, deep):
        track = read(text, "film.ttml")
        assert (track.cues, track.warnings) == ((), ("not_readable",))


def test_no_sidecar_opens_a_file_or_a_connection() -> None:
    """Whatever it names."""
    opened: list[str] = []
    is_watching = False

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watching and event in ("open", "socket.connect", "subprocess.Popen", "os.open"):
            opened.append(f"{event} {arguments}")

    everything = [(data, extension) for extension, data in EVERY_FORMAT.items()]
    everything += [(data, extension) for data in NO_CAPTIONS.values() for extension in EVERY_FORMAT]
    for data, extension in everything:
        read(data, f"film.{extension}")  # with all that is imported once
    sys.addaudithook(watch)
    is_watching = True
    for data, extension in everything:
        read(data, f"film.{extension}")
    is_watching = False
    assert opened == []


def test_captions_without_end_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million are read; here it is a hundred."""
    monkeypatch.setattr(reading, "MAX_CUES", 100)
    track = read("".join(_line(at % 60, at % 60 + 1) for at in range(150)))
    assert (len(track.cues), track.warnings) == (100, ("too_many_cues",))


def test_a_cue_of_a_whole_book_is_no_cue() -> None:
    """The others are kept."""
    track = read(_line(1, 2, "word " * 20_000) + _line(5, 50))
    assert (cues(track), track.num_dropped, track.warnings) == ([(5000, 50_000, "x")], 1, ("damaged",))


def test_a_wrong_code_page_is_a_guess_and_no_error() -> None:
    """Without a language in the name, or with another one."""
    data = _line(1, 50, "Где ты был всю ночь?").encode("cp1251")
    assert (read(data, "f.srt").cues[0].text, read(data, "f.srt").is_encoding_guessed) == (
        "Где ты был всю ночь?",
        True,
    )
    wrong = read(data, "f.fr.srt")
    assert (wrong.encoding, wrong.is_encoding_guessed, len(wrong.cues)) == ("cp1252", True, 1)


@pytest.mark.parametrize("extension", EVERY_FORMAT)
def test_a_file_that_is_cut_off_says_what_it_still_can(extension: str) -> None:
    """At any place; no cue that the whole file does not have in its start."""
    data = EVERY_FORMAT[extension]
    starts = {cue.start_ms for cue in read(data, f"film.{extension}").cues}
    assert starts
    step = max(1, len(data) // 60)
    for length in range(0, len(data), step):
        track = read(data[:length], f"film.{extension}", replace(FILM, start_timecode=None))
        if extension not in ("sub", "stl", "scc"):  # their first line says how the others count
            assert {cue.start_ms for cue in track.cues} <= starts | {0}


@pytest.mark.parametrize("extension", EVERY_FORMAT)
def test_damage_is_never_an_error(extension: str) -> None:
    """Bytes changed, doubled, left out: cues stay in order and in the film."""
    draw = random.Random(extension)
    for _ in range(60):
        data = bytearray(EVERY_FORMAT[extension])
        for _ in range(draw.randrange(1, 12)):
            at = draw.randrange(len(data))
            data[at : at + draw.randrange(3)] = draw.choice(
                [b"", b"\0", b"\xff", b"-", b"9", b"\n", data[at : at + 9]]
            )
        found = read(bytes(data), f"film.{extension}").cues
        assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)
        assert all(0 <= cue.start_ms < cue.end_ms <= FILM.duration_ms and cue.text for cue in found)
