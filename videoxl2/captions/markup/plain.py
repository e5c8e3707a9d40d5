"""Text as rows have it: lines parted by a line feed, single spaces, nothing that is not seen."""

import re

_LINE_BREAKS = str.maketrans(dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n"))
# Marks of direction, word joiners and optional hyphens are no words; controls are no text.
_UNSEEN = "\xad\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_CONTROLS = "\0-\x08\x0e-\x1f\x7f"
_LEFT_OUT = re.compile(f"[{_CONTROLS}{_UNSEEN}]")


def tidy(text: str) -> str:
    """Return a text without empty lines and doubled or odd spaces; empty: nothing is said."""
    seen = _LEFT_OUT.sub("", text.translate(_LINE_BREAKS))
    lines = (" ".join(line.split()) for line in seen.split("\n"))
    return "\n".join(line for line in lines if line)
