"""Bytes to text. Unicode is told by marks, zeros or its rules; of older code pages the likeliest is taken.

The language in a file's name says which pages it may be in; without one, all are tried.
"""

import codecs
import re
from typing import NamedTuple

from videoxl2.captions.sidecars.pages import ALL_PAGES, PAGES_OF, likelihood

_MARKS = (  # UTF-32's begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD_BYTES, _MANY_ZEROS = 400, 0.1
_SAMPLE_BYTES = 16 << 10
_DECLARATION = re.compile(rb"""\s*<\?xml[^>]{0,80}\sencoding\s*=\s*["']([A-Za-z][\w.-]{0,30})["']""")
# What documents are in. Python has others, some of which take hours for a few megabytes.
_OF_TEXT = re.compile(r"(utf-(8|16|32)|ascii|iso8859|cp|koi8|gb|big5|shift_jis|euc_|iso2022_|tis-620).*")
_ISO_2022_JP = (b"\x1b$B", b"\x1b$@")
_DEFAULT = "cp1252"


class Decoded(NamedTuple):
    """Decoded text; `is_guessed`: nothing in the bytes says that it is this encoding, so letters may be
    wrong."""

    text: str
    encoding: str
    is_guessed: bool


def decode(data: bytes, language: str | None = None) -> Decoded:
    """Decode bytes of any encoding: what it does not have becomes U+FFFD, so nothing is raised. `language` is
    BCP 47."""
    if encoding := _marked(data) or _by_zeros(data):
        return Decoded(data.decode(encoding, "replace"), encoding.removesuffix("-sig"), False)
    if (declared := _declared(data)) is not None:
        return declared
    if any(escape in data for escape in _ISO_2022_JP):
        return Decoded(data.decode("iso2022_jp", "replace"), "iso2022_jp", False)
    if (text := _as_utf8(data)) is not None:
        return Decoded(text, "utf-8", False)
    page = _likeliest(data, language)
    return Decoded(data.decode(page, "replace"), page, True)


def _marked(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def _by_zeros(data: bytes) -> str | None:
    """Digits and line ends have a zero in UTF-16, always in the same half. It may well be valid UTF-8."""
    head = data[:_HEAD_BYTES]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) <= len(head) * _MANY_ZEROS or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _declared(data: bytes) -> Decoded | None:
    """Decode by the head of an XML document; None: it has none, or one that is wrong."""
    found = _DECLARATION.match(data)
    try:
        name = codecs.lookup(found[1].decode()).name if found else None
        is_of_text = name is not None and _OF_TEXT.fullmatch(name) is not None
        return Decoded(data.decode(name), name, False) if name and is_of_text else None
    except (LookupError, ValueError):  # of no encoding of text, or not in it
        return None


def _as_utf8(data: bytes) -> str | None:
    """None: it is not. A letter may be cut off at the end."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and error.end == len(data)
        return data.decode("utf-8", "replace") if is_cut else None


def _likeliest(data: bytes, language: str | None) -> str:
    """The first of several that are as likely."""
    pages = _pages_of(language) if language else ALL_PAGES
    sample = b"\n".join(line for line in data[: _SAMPLE_BYTES * 64].splitlines() if not line.isascii())
    sample = sample[:_SAMPLE_BYTES]
    return max(pages, key=lambda page: likelihood(sample, page)) if len(pages) > 1 else pages[0]


def _pages_of(language: str) -> tuple[str, ...]:
    """Pages by as much of the tag as there is something known of; Western languages share one."""
    parts = language.split("-")
    tags = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((PAGES_OF[tag] for tag in tags if tag in PAGES_OF), (_DEFAULT,))
