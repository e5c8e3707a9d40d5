"""EBU STL (Tech 3264): a block of 1024 bytes about the file, then blocks of 128 bytes, one or more a cue."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.settling import Written
from videoxl2.captions.sidecars.origins import origin_of
from videoxl2.captions.times import Counting
from videoxl2.frames.probing.media_info import MediaInfo

_HEAD_BYTES, _BLOCK_BYTES = 1024, 128
_RATES = {
    b"STL23.01": Fraction(24000, 1001),
    b"STL24.01": Fraction(24),
    b"STL25.01": Fraction(25),
    b"STL30.01": Fraction(30000, 1001),
    b"STL50.01": Fraction(50),
}
_LAST_OF_CUE, _FIRST_RESERVED = 0xFF, 0xF0
_COMMENT = 1
_LINE, _UNUSED = 0x8A, 0x8F
# Second half of ISO 6937 from A0 on, without what marks the letter after it.
_LATIN = (
    "\xa0¡¢£$¥ §¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿                —¹®©™♪¬¦    ⅛⅜⅝⅞ΩÆÐªĦ ĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ\xad"
)
_MARKS = {
    0xC1: "\u0300",
    0xC2: "\u0301",
    0xC3: "\u0302",
    0xC4: "\u0303",
    0xC5: "\u0304",
    0xC6: "\u0306",
    0xC7: "\u0307",
    0xC8: "\u0308",
    0xCA: "\u030a",
    0xCB: "\u0327",
    0xCD: "\u030b",
    0xCE: "\u0328",
    0xCF: "\u030c",
}
_PAGES = {b"01": "iso8859_5", b"02": "iso8859_6", b"03": "iso8859_7", b"04": "iso8859_8"}
_ISO_6937 = "iso6937"
# Codes of EBU Tech 3264, appendix 3; Latin scripts from 01, others down from 7F.
_WESTERN = (
    "sq br ca hr cy cs da de en es eo et eu fo fr fy ga gd gl is it se la lv lb lt hu mt nl no oc pl pt ro "
    "rm sr sk sl fi sv tr nl wa"
)
_OTHERS = (
    "am ar hy as az bm be bn bg my zh cv prs ff ka el gu gn ha he hi id ja kn kk km ko lo mk mg ms mo mr nd "
    "ne or pap fa pa ps qu ru rue sh sn si so srn sw tg ta tt te th uk ur uz vi zu"
)
_LANGUAGES = dict(enumerate(_WESTERN.split(), 0x01)) | {
    0x7F - number: language for number, language in enumerate(_OTHERS.split())
}


class Broadcast(NamedTuple):
    """The captions of an EBU STL file; `offset_ms` was taken off the labels, and `num_damaged` blocks are
    none."""

    cues: list[Written]
    offset_ms: int
    language: str | None
    encoding: str
    num_damaged: int


@dataclass(frozen=True, slots=True)
class _Subtitle:
    start: int
    end: int
    field: bytes


def is_broadcast(data: bytes) -> bool:
    """Whether its head names the disk format."""
    return data[3:6] == b"STL" and data[3:11] in _RATES


def broadcast_cues(data: bytes, film: MediaInfo) -> Broadcast:
    """Read captions from `data` that `is_broadcast`; it may be cut off."""
    head = data[:_HEAD_BYTES].ljust(_HEAD_BYTES)
    rate = _RATES[head[3:11]]
    counting = Counting(round(rate), rate)
    page = _PAGES.get(head[12:14], _ISO_6937)
    found = list(_subtitles(data[_HEAD_BYTES:], counting))
    told = [one for one in found if one is not None]
    own = _label(head[256:264], counting)
    origin = origin_of((one.start for one in told), counting, film, own)
    cues = [
        Written(counting.ms(one.start - origin), counting.ms(one.end - origin), _text(one.field, page))
        for one in told
    ]
    return Broadcast(cues, counting.ms(origin), _language(head[14:16]), page, len(found) - len(told))


def _subtitles(blocks: bytes, counting: Counting) -> Iterator[_Subtitle | None]:
    """None: a block that is damaged, or cut off."""
    field = b""
    for at in range(0, len(blocks), _BLOCK_BYTES):
        block = blocks[at : at + _BLOCK_BYTES]
        if len(block) < _BLOCK_BYTES:
            if block.strip(b"\0\x1a\r\n "):
                yield None
            return
        number, is_comment = block[3], block[15] == _COMMENT
        if _FIRST_RESERVED <= number < _LAST_OF_CUE or is_comment:
            continue
        field += block[16:]
        if number == _LAST_OF_CUE:
            start, end = _number(block[5:9], counting), _number(block[9:13], counting)
            yield None if start is None or end is None else _Subtitle(start, end, field)
            field = b""


def _number(parts: bytes, counting: Counting) -> int | None:
    hours, minutes, seconds, frames = parts
    is_label = hours < 24 and minutes < 60 and seconds < 60 and frames < counting.per_second
    return counting.number(hours, minutes, seconds, frames) if is_label else None


def _label(digits: bytes, counting: Counting) -> int | None:
    if len(digits) < 8 or not digits.isdigit():
        return None
    return _number(bytes(int(digits[at : at + 2]) for at in (0, 2, 4, 6)), counting)


def _language(code: bytes) -> str | None:
    try:
        return _LANGUAGES.get(int(code, 16))
    except ValueError:
        return None


def _text(field: bytes, page: str) -> str:
    """Lines are parted by 8A, colours and boxes by other codes that take a place of their own."""
    lines = field.partition(bytes([_UNUSED]))[0].split(bytes([_LINE]))
    return tidy("\n".join(_decoded(line, page) for line in lines))


def _decoded(line: bytes, page: str) -> str:
    shown = bytes(byte if 0x20 <= byte < 0x7F or byte >= 0xA0 else 0x20 for byte in line)
    if page != _ISO_6937:
        return shown.decode(page, "replace")
    letters, mark = [], ""
    for byte in shown:
        if byte in _MARKS:
            mark = _MARKS[byte]
            continue
        letters.append((chr(byte) if byte < 0xA0 else _LATIN[byte - 0xA0]) + mark)
        mark = ""
    # What has no letter g with a cedilla below writes it as one with an acute.
    return unicodedata.normalize("NFC", "".join(letters)).replace("ǵ", "ģ")
