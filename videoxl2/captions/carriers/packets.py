"""Words of one packet of a text track, by format.

Every reader gives who says what. Formats that say a cue again whenever another one begins or ends give each a
kind, which the repetition has, too. Nothing said is a gap. ValueError: the packet is damaged.
"""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from videoxl2.captions.markup.ass import ass_event
from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.markup.subrip import subrip_text
from videoxl2.captions.markup.webvtt import webvtt_texts
from videoxl2.frames.files.formats.boxes import boxes


class Words(NamedTuple):
    """The words of one speaker at a time."""

    kind: Hashable  # None: nothing is said again
    speaker: str | None
    text: str


Reader = Callable[[bytes], list[Words]]


def of_subrip(packet: bytes) -> list[Words]:
    """Matroska's S_TEXT/UTF8: the cue with its marks."""
    return [Words(None, None, subrip_text(decoded(packet)))]


def of_ass(packet: bytes) -> list[Words]:
    """Read an event without its times. ValueError: it has too few fields."""
    event = ass_event(decoded(packet))
    if event is None:
        raise ValueError("an event has too few fields")
    return [Words(event.style, event.speaker, event.text)]


def of_webvtt(packet: bytes) -> list[Words]:
    """Matroska's two kinds: the cue with its marks, its settings elsewhere."""
    return [Words(None, speaker, text) for speaker, text in webvtt_texts(decoded(packet))]


def of_mov_text(packet: bytes) -> list[Words]:
    """Read 3GPP timed text: a length, that many bytes of text, then boxes of looks. ValueError: the text is
    longer than its sample."""
    size = int.from_bytes(packet[:2])
    if len(packet) < 2 or size > len(packet) - 2:
        raise ValueError("a text is longer than its sample")
    text = packet[2 : 2 + size]
    is_wide = text[:2] in (b"\xfe\xff", b"\xff\xfe")
    return (
        [Words(None, None, tidy(text.decode("utf-16", "replace") if is_wide else decoded(text)))]
        if size
        else []
    )


def of_wvtt(packet: bytes) -> list[Words]:
    """WebVTT in MP4 (ISO 14496-30): boxes, each a cue; one that goes on is in the next sample again."""
    cues = (dict(boxes(box.body)) for box in boxes(memoryview(packet)) if box.kind == b"vttc")
    found: list[Words] = []
    for cue in cues:
        payload, name = bytes(cue.get(b"payl", b"")), bytes(cue.get(b"iden", b""))
        found += (Words((name, payload), *said) for said in webvtt_texts(decoded(payload)))
    return found


def decoded(text: bytes) -> str:
    """UTF-8, as all these formats have it; else the encoding that careless writers use most."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


READERS: dict[str, Reader] = {
    "subrip": of_subrip,
    "text": of_subrip,
    "ass": of_ass,
    "webvtt": of_webvtt,
    "mov_text": of_mov_text,
    "wvtt": of_wvtt,
}
