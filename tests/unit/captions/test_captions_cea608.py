"""Codes beside pictures become cues: text as it stood on the screen, from its first letter until it left."""

from itertools import chain, zip_longest

import pytest
import ttconv.model
import ttconv.scc.reader
from hypothesis import given, settings
from hypothesis import strategies as st
from line21 import (
    BACKSPACE,
    CLEAR_LOADED,
    DELETE_TO_END,
    ERASE,
    ITALICS,
    PADDING,
    PAINT_ON,
    POP_ON,
    RETURN,
    ROLL_UP,
    ROW_14,
    ROW_15,
    SHOW,
    TEXT_MODE,
    Pairs,
    beside_pictures,
    control,
    loading,
    pair,
    second_channel,
    service_packet,
    shown_ms,
    triplets,
    words,
)

from videoxl2.captions.cea608 import Channels
from videoxl2.captions.cea608.screen import Screen

NUM_PICTURES = 400
FILM_MS = shown_ms(NUM_PICTURES)
Events = list[tuple[float, Pairs]]
Said = list[tuple[int, int, str]]


def read(first: Events, second: Events | None = None) -> dict[str, Said]:
    channels = Channels()
    fields = beside_pictures(first, NUM_PICTURES), beside_pictures(second or [], NUM_PICTURES)
    for number, (one, two) in enumerate(zip(*fields, strict=True)):
        channels.note(shown_ms(number), triplets(one, two if second else b""))
    return {
        name: [(cue.start_ms, cue.end_ms or 0, cue.text) for cue in cues]
        for name, cues in channels.written(FILM_MS).items()
    }


CASES: dict[str, tuple[Events, Said]] = {
    "pop-on": ([(0.4, loading("Hello")), (1, SHOW), (2.5, ERASE)], [(1001, 2502, "Hello")]),
    "two rows are one cue": (
        [(0.4, loading("- Who is it?", "- Me.")), (2, SHOW), (3, ERASE)],
        [(2002, 3003, "- Who is it?\n- Me.")],
    ),
    "the next one ends the one before": (
        [(0.4, loading("One")), (1, SHOW), (2, loading("Two")), (3, SHOW), (4, ERASE)],
        [(1001, 3003, "One"), (3003, 4004, "Two")],
    ),
    "never erased": ([(0.4, loading("Stays")), (1, SHOW)], [(1001, FILM_MS, "Stays")]),
    "roll-up": (
        [
            (3, ROLL_UP[2] + RETURN + ROW_15 + words("Roll one")),
            (4, RETURN + words("Roll two")),
            (5, RETURN + words("Roll three")),
            (6.2, ERASE),
        ],
        [(3203, 5005, "Roll one"), (4071, 6206, "Roll two"), (5072, 6206, "Roll three")],
    ),
    "three rows": (
        [(1, ROLL_UP[3] + RETURN), *((n, RETURN + words(f"Row {n}")) for n in range(2, 6)), (7, ERASE)],
        [
            (2069, 5005, "Row 2"),
            (3070, 7007, "Row 3"),
            (4071, 7007, "Row 4"),
            (5072, 7007, "Row 5"),
        ],
    ),
    "said again word for word": (
        [(1, ROLL_UP[2] + RETURN + words("Yes.")), (2, RETURN + words("Yes.")), (3, ERASE)],
        [(1134, 3003, "Yes."), (2069, 3003, "Yes.")],
    ),
    "fewer rows": (
        [(1, ROLL_UP[3] + words("A")), (2, RETURN + words("B")), (4, ROLL_UP[2] + RETURN), (5, ERASE)],
        [(1068, 4071, "A"), (2069, 5005, "B")],
    ),
    "paint-on": ([(7, PAINT_ON + ROW_15 + words("Painted")), (8.5, ERASE)], [(7140, 8508, "Painted")]),
    "painted over": (
        [(1, PAINT_ON + ROW_15 + words("Old text")), (3, ROW_15 + words("New")), (5, ERASE)],
        [(1134, 3070, "Old text"), (3070, 5005, "New")],
    ),
    "backspace": (
        [(1, ROLL_UP[2] + ROW_15 + words("wrogn") + BACKSPACE * 2 + words("ng")), (3, ERASE)],
        [(1134, 3003, "wrong")],
    ),
    "deleted to the end of the row": (
        [(1, PAINT_ON + ROW_15 + words("Gone")), (2, ROW_15 + DELETE_TO_END), (3, words("Back")), (4, ERASE)],
        [(1134, 2069, "Gone"), (3003, 4004, "Back")],
    ),
    "begins inside a roll-up": (
        [(0.1, words("nd of it.")), (1, ROLL_UP[2] + RETURN + words("Full line")), (3, ERASE)],
        [(1134, 3003, "Full line")],
    ),
    "begins inside a pop-on": (
        [(0.1, words("nd of it.")), (1, SHOW), (2, ERASE)],
        [(1001, 2002, "nd of it.")],
    ),
    "roll-up ends what was there": (
        [(0.4, loading("Pop")), (1, SHOW), (2, ROLL_UP[2] + RETURN + words("Roll")), (3, ERASE)],
        [(1001, 2002, "Pop"), (2135, 3003, "Roll")],
    ),
    "text of another service": ([(1, TEXT_MODE + words("Weather")), (2, ERASE)], []),
    "special letters": (
        [(0.2, POP_ON + CLEAR_LOADED + ROW_15 + control(0x11, 0x37) + words(" la ") + control(0x11, 0x37)
          + ITALICS + words("E") + control(0x12, 0x21) + words("cole")), (1, SHOW), (2, ERASE)],
        [(1001, 2002, "♪ la ♪ École")],
    ),
    "more letters than a row has": (
        [(0.1, POP_ON + CLEAR_LOADED + ROW_15 + words("a" * 30 + "bcd")), (1, SHOW), (2, ERASE)],
        [(1001, 2002, "a" * 30 + "bd")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_text_and_times_are_those_of_the_screen(case: str) -> None:
    events, said = CASES[case]
    assert read(events).get("CC1", []) == said


def test_channels_of_one_field_and_of_the_other_are_kept_apart() -> None:
    first = [
        (1.4, loading("chan")),
        (1.8, second_channel(loading("two "))),
        (2.2, POP_ON + words("one") + SHOW),
        (2.8, second_channel(POP_ON + words("second") + SHOW)),
        (4, ERASE),
        (4.5, second_channel(ERASE)),
    ]
    field_two = [
        pair(0x15, b & 0x7F) if a & 0x7F == 0x14 and b & 0x7F < 0x30 else bytes((a, b)) for a, b in SHOW
    ]
    second = [(1.4, loading("Three")), (2, field_two), (3, ERASE)]
    assert read(first, second) == {
        "CC1": [(2336, 4004, "chanone")],
        "CC2": [(2970, 4504, "two second")],
        "CC3": [(2002, 3003, "Three")],
    }


def test_rows_five_and_six_of_the_second_field_are_no_commands() -> None:
    upper, lower = control(0x15, 0x50), control(0x15, 0x70)
    loaded = POP_ON + CLEAR_LOADED + lower + words("six") + upper + words("five")
    assert read([], [(0.2, loaded), (1, SHOW), (2, ERASE)]) == {"CC3": [(1001, 2002, "five\nsix")]}


def test_programme_data_between_captions_are_no_text() -> None:
    data = [pair(0x01, 0x05), *words("TITLE"), pair(0x0F, 0x1D)]
    second = [(0.2, loading("Words")), (0.8, data), (1.2, POP_ON + words(" on") + SHOW), (3, ERASE)]
    assert read([], second) == {"CC3": [(1335, 3003, "Words on")]}


def test_a_control_is_doubled_only_in_pictures_that_follow_each_other() -> None:
    once = control(0x14, 0x2D)[:1]
    events = [
        (1, ROLL_UP[2] + words("A")),
        (2, once),
        (2.5, words("B")),
        (3, once),
        (3.5, words("C")),
        (4, ERASE),
    ]
    assert read(events)["CC1"] == [(1068, 3003, "A"), (2502, 4004, "B"), (3504, 4004, "C")]


def test_services_of_cea_708_are_told_and_not_read() -> None:
    channels = Channels()
    channels.note(0, triplets(PADDING, b"", service_packet(2, b"Hello")))
    channels.note(33, triplets(PADDING, b"", b"\xfa\0\0"))
    assert channels.services == {2}
    assert channels.written(1000) == {}


def test_letters_are_those_of_another_reader() -> None:
    """Every printable code, special and extended letters included, as ttconv has them."""
    plain = [bytes(pair(code, 0)) for code in range(0x20, 0x80)]
    special = [control(0x11, code) for code in range(0x30, 0x40) if code != 0x39]
    extended = [words("?") + control(first, code) for first in (0x12, 0x13) for code in range(0x20, 0x40)]
    letters = [[one] for one in plain] + special + extended
    events: Events = []
    for number in range(0, len(letters), 16):
        shown_s = 3 + number / 4
        events += [(shown_s - 2.5, POP_ON + CLEAR_LOADED + ROW_15), (shown_s, SHOW)]
        events.append((shown_s - 2.2, list(chain.from_iterable(letters[number : number + 16]))))
    codes = beside_pictures(events, 2_000)
    channels = Channels()
    for number, beside in enumerate(codes):
        channels.note(shown_ms(number), triplets(beside))
    ours = "".join(cue.text for cue in channels.written(10**6)["CC1"])
    theirs = "".join(
        "".join(node.get_text() for node in paragraph.dfs_iterator() if isinstance(node, ttconv.model.Text))
        for division in ttconv.scc.reader.to_model(_as_scc(codes)).get_body()
        for paragraph in division
    )
    differing = [(a, b) for a, b in zip_longest(_solid(ours), _solid(theirs)) if a != b]
    assert len(_solid(ours)) > 150
    # A dash, a caret and lines: ttconv has signs that only look like them.
    assert "".join(ours for ours, _ in differing) == "—^│┌┐└┘"
    assert "".join(theirs for _, theirs in differing) == "━ʌ┃┏┓┗┛"


def _solid(text: str) -> str:
    return "".join(text.split())


def _as_scc(beside: list[bytes]) -> str:
    lines = ["Scenarist_SCC V1.0"]
    for number, codes in enumerate(beside):
        if codes != PADDING:
            seconds, pictures = divmod(number, 30)
            lines.append(f"00:{seconds // 60:02d}:{seconds % 60:02d}:{pictures:02d}\t{codes.hex()}")
    return "\n\n".join(lines) + "\n"


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=3, max_size=12), max_size=200))
def test_whatever_codes_come_cues_lie_in_the_film(beside: list[bytes]) -> None:
    channels = Channels()
    for number, codes in enumerate(beside):
        channels.note(number * 40, codes)
    for cues in channels.written(len(beside) * 40).values():
        assert all(0 <= cue.start_ms < (cue.end_ms or 0) <= len(beside) * 40 and cue.text for cue in cues)


_LETTERS = st.tuples(st.integers(0x20, 0x7F), st.integers(0x20, 0x7F))
_CONTROLS = st.sampled_from(
    [(0x14, code) for code in (0x20, 0x21, 0x24, 0x25, 0x26, 0x27, 0x29, 0x2A, 0x2C, 0x2D, 0x2E, 0x2F)]
    + [(0x14, 0x40), (0x14, 0x7E), (0x16, 0x5C), (0x17, 0x22), (0x11, 0x37), (0x12, 0x21)]
)


@settings(max_examples=100)
@given(st.lists(st.one_of(_CONTROLS, _LETTERS, _LETTERS, _LETTERS), max_size=120))
def test_letters_that_come_in_pairs_are_those_that_come_one_by_one(codes: list[tuple[int, int]]) -> None:
    """Whatever stands where they are written."""
    paired, single = Screen(), Screen()
    for number, (first, second) in enumerate(codes):
        paired.take(number, first, second)
        if first < 0x20:
            single.take(number, first, second)
        else:
            single.take(number, first, 0)
            single.take(number, second, 0)
    assert paired.written(len(codes)) == single.written(len(codes))


def test_bytes_that_are_cut_off_are_left() -> None:
    channels = Channels()
    channels.note(0, b"\xfc\x94")
    channels.note(0, ROW_14[0])
    assert channels.written(1000) == {}
