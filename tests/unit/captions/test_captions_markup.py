"""What is said in a cue, and by whom, once a format's marks are out."""

import pytest

from videoxl2.captions.markup.ass import Event, ass_event, ass_text
from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.markup.subrip import subrip_text
from videoxl2.captions.markup.webvtt import webvtt_texts


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("  one   two\t three ", "one two three"),
        ("one\r\n\r\n two\rthree", "one\ntwo\nthree"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\ufeffso\u00adft \u200ehy\u200fphen\u202a\u202c", "soft hyphen"),
        ("nul\0 and \x1bescape", "nul and escape"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("♪ la [door] ♪", "♪ la [door] ♪"),
        ("\u2028\x85", ""),
    ],
)
def test_lines_are_tidy_and_joiners_that_letters_need_stay(written: str, text: str) -> None:
    assert tidy(written) == text


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        ("plain", [(None, "plain")]),
        ("<v Bob><i>Hello</i> &amp; <b>you</b>, friend", [("Bob", "Hello & you, friend")]),
        ("<v.loud Mary Ann>I said</v> <v Tom>no</v>&lrm;", [("Mary Ann", "I said"), ("Tom", "no")]),
        (
            "&#39;x&#39; &quot;q&quot;&nbsp;|\n<c.red>second</c> <00:03.000>line",
            [(None, "'x' \"q\" |\nsecond line")],
        ),
        ("<ruby>overlapping<rt>note</rt></ruby> one <lang fr>oui</lang>", [(None, "overlapping one oui")]),
        ("a < b & c, <3, d's ♪", [(None, "a < b & c, <3, d's ♪")]),
        ("<v Ann>one\n<v Bob>two", [("Ann", "one"), ("Bob", "two")]),
        ("before <v Ann &amp; Bob>we</v> after", [(None, "before"), ("Ann & Bob", "we"), (None, "after")]),
        ("<v>who", [(None, "who")]),
        ("left open <v Bob", [(None, "left open")]),
        ("<c.x></c>", []),
        ("&#" + "1" * 5000 + ";x", [(None, "x")]),
        ("<rt>never closed", []),
    ],
)
def test_webvtt_gives_speakers_and_loses_tags(cue: str, said: list[tuple[str | None, str]]) -> None:
    assert webvtt_texts(cue) == said


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("{\\an8}<i>Hi</i> <font color=red>red</font>", "Hi red"),
        ("a < b {not a tag} &lt;x&gt; <b>bold", "a < b {not a tag} <x> bold"),
        ("I <3 you", "I <3 you"),
        ("<John> says", "<John> says"),
        ("1 > 0", "1 > 0"),
        ("one<br/>two<BR>three", "one\ntwo\nthree"),
        ("&amp;&quot;&apos;&#39;&nbsp;| &euro;", "&\"'' | &euro;"),
        ("<c.yellow>class</c> <I>UPPER</I> <bold>no tag</bold>", "class UPPER <bold>no tag</bold>"),
        ("<i></i>", ""),
    ],
)
def test_subrip_loses_known_tags_alone(cue: str, text: str) -> None:
    assert subrip_text(cue) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("{\\pos(10,10)\\p1}m 0 0 l 100 0{\\p0}", ""),
        ("{\\p1}m 0 0{\\p0} words", "words"),
        ("{\\i1}later{\\i0} first\\Nline\\h2\\nsoft", "later first\nline 2 soft"),
        ("Hello {translator note}& you", "Hello & you"),
        ("{\\an8", "{\\an8"),
        ("{\\pbo5}x", "x"),
        ("{\\k20}ka{\\k30}ra", "kara"),
        ("{\\p" + "0" * 5000 + "1}m 0 0", ""),
    ],
)
def test_ass_loses_drawings_and_overrides(written: str, text: str) -> None:
    assert ass_text(written) == text


def test_an_ass_event_names_its_speaker_unless_that_is_its_style() -> None:
    assert ass_event("1,0,Default,Ann,0,0,0,,Yes, you") == Event("Default", "Ann", "Yes, you")
    assert ass_event("1,0,Sign,Sign,0,0,0,,Exit") == Event("Sign", None, "Exit")
    assert ass_event("1,0,Sign") is None


@pytest.mark.parametrize("read", [webvtt_texts, subrip_text, ass_text])
@pytest.mark.parametrize("piece", ["<", "<v ", "{", "{\\p1", "&", "&#", "<i ", "</", "\\"])
def test_text_of_nothing_but_openings_is_read_in_one_pass(read: object, piece: str) -> None:
    """Of 48 KiB: a reader that looks to the end for every opening would not come back."""
    assert callable(read)
    read(piece * (49_152 // len(piece)))
