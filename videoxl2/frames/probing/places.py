"""Where something was recorded: ISO 6709, as phones and cameras write it."""

import re
from dataclasses import dataclass
from itertools import pairwise

_FORM = re.compile(
    r"(?P<lat>[+-]\d{1,6}(?:\.\d*)?)(?P<lon>[+-]\d{1,7}(?:\.\d*)?)(?:[+-]\d+(?:\.\d*)?)?(?:CRS.*)?/?",
    re.ASCII | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of recording: `text` as the file has it; degrees north and east where it gives them."""

    text: str
    latitude: float | None = None
    longitude: float | None = None


def parse_place(text: str) -> Place | None:
    """Parse a place; None: nothing is said. A name, or degrees that are nowhere on Earth, stay text."""
    text = text.strip().rstrip("\0").strip()
    if not text:
        return None
    match = _FORM.fullmatch(text)
    if match is None:
        return Place(text)
    latitude, longitude = _degrees(match["lat"], 2, most=90), _degrees(match["lon"], 3, most=180)
    if latitude is None or longitude is None:
        return Place(text)
    return Place(text, latitude, longitude)


def _degrees(text: str, num_digits: int, most: int) -> float | None:
    """`+DD.D`, `+DDMM.M` and `+DDMMSS.S`, with so many digits of whole degrees; None: more than `most`."""
    whole, _, part = text[1:].partition(".")
    num_pairs = max(0, len(whole) - num_digits + 1) // 2  # minutes, or minutes and seconds
    cuts = [len(whole) - 2 * n for n in range(num_pairs, -1, -1)]
    numbers = [whole[: cuts[0]], *(whole[start:end] for start, end in pairwise(cuts))]
    numbers[-1] += f".{part}"
    degrees = sum(float(number) / (1, 60, 3600)[n] for n, number in enumerate(numbers))
    if degrees > most or any(float(number) >= 60 for number in numbers[1:]):
        return None
    return round(-degrees if text[0] == "-" else degrees, 7)
