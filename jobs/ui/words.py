"""How times, sizes, shares and texts from outside are written, on a page and in a terminal."""

import unicodedata
from datetime import datetime

MAX_TEXT = 300  # characters of a title, message or URI; --json has all


# Beside control characters: what turns the direction of writing, and line ends that are none in ASCII.
_UNSEEN = frozenset(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


_MARKS = "\u061c\u200e\u200f"  # of texts that are written from the right; they turn nothing by themselves
_LINE_ENDS = "\n\r\t\u2028\u2029"


def is_harmless(character: str) -> bool:
    """Whether it may reach a terminal: it moves no cursor, sets no colour, turns no text around."""
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _UNSEEN


def visible(text: object) -> str:
    """One line that a terminal only shows: whatever it would obey instead is spelled, `\\x1b` or `\\n`."""
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if is_harmless(c) else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def printable(text: object) -> str:
    """The text as a page shows it: no control characters, and nothing that turns a name around, so that
    `gpj.exe` would read `exe.jpg`; line ends become spaces."""
    return "".join(c if is_harmless(c) or c in _MARKS else " " if c in _LINE_ENDS else "" for c in str(text))


def short(text: str, most: int = MAX_TEXT) -> str:
    """The text as a page shows it, cut where it is long."""
    text = printable(text[: most * 2])
    return text if len(text) <= most else text[: most - 1] + "…"


def brief(text: str, most: int = MAX_TEXT) -> str:
    """The text as a terminal shows it: what it would obey is spelled, and the end cut off."""
    return visible(text if len(text) <= most else text[: most - 1] + "…")


def moment(time: datetime | None) -> str:
    """A moment to the second, UTC."""
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else "–"


def seconds(number: float) -> str:
    """Return a length of time: `0.4 s`, `35 s`, `3.2 min`, `12 min`, `4 h 05 min`, `3 d 2 h`."""
    if number < 10:
        return f"{number:.1f} s"
    if number < 100:
        return f"{number:.0f} s"
    if number < 600:
        return f"{number / 60:.1f} min"
    minutes = round(number / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def hours(number: float) -> str:
    """Hours of video or of a model: two digits that matter."""
    if number < 0.1:
        return seconds(number * 3600)
    return f"{number:,.0f} h" if number >= 100 else f"{number:.1f} h" if number >= 1 else f"{number:.2f} h"


def percent(share: float | None) -> str:
    """Return a share as whole percents, a dash for None."""
    return "–" if share is None else f"{share:.0%}"


def hms(ms: int) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and milliseconds."""
    minutes, rest = divmod(ms, 60_000)
    return minutes // 60, minutes % 60, rest // 1000, rest % 1000


def clock(ms: int, with_hours: bool = False) -> str:
    """Return a time in a film as `2:03` or `1:02:03`, rounded down."""
    hours, minutes, seconds, _ = hms(ms)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours or with_hours else f"{minutes}:{seconds:02}"


def timecode(ms: int) -> str:
    """Return a time in a film as players show it: `2:03.4` or `1:02:03.4`."""
    return f"{clock(ms)}.{ms % 1000 // 100}"


def size(num_bytes: int) -> str:
    """Return a number of bytes as `12.3 kB`, `4.2 MB` or `1.7 GB`."""
    if num_bytes < 1e5:
        return f"{num_bytes / 1e3:,.1f} kB"
    return f"{num_bytes / 1e6:,.1f} MB" if num_bytes < 1e9 else f"{num_bytes / 1e9:,.1f} GB"


def file_name(uri: str) -> str:
    """Return the last part of a URI, or all of it where there is no other."""
    return uri.rstrip("/").rpartition("/")[2] or uri
