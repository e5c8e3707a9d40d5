"""How the pictures of one video are numbered and labelled, in whole numbers all the way.

A picture's number follows from milliseconds by the file's own rate, its label from the number, by the rate of
the file's timecode track where that has another one.
"""

from dataclasses import dataclass
from fractions import Fraction

from videoxl2.timecode import label_of, parse_label

# Rates that editing systems have timecode for.
RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48000/1001", "48", "50", "60000/1001", "60")
)
_DROP_FRAME_RATES = {Fraction(30000, 1001), Fraction(60000, 1001)}
_SAME_RATE = Fraction(1, 5000)  # 2997/100 and 30000/1001 are one rate; 24 and 24000/1001 (1/1001 apart) two


@dataclass(frozen=True, slots=True)
class Timecode:
    """The numbers and labels of one video's pictures. `start` is the number of the first one's label."""

    rate: Fraction  # pictures a second by which milliseconds become numbers
    label_rate: Fraction  # labels a second: the one of RATES that editing systems go by
    is_drop_frame: bool
    start: int
    notes: tuple[str, ...] = ()  # what an editor has to know, in whole sentences
    labels_per_picture: Fraction = Fraction(1)  # 1/2: one label stands for two pictures

    def span(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """Return the first label and the first one after, numbered from the video's first; at least one."""
        first, end = (self._number(ms) for ms in (start_ms, end_ms))
        return first, max(first + 1, end)

    def _number(self, ms: int) -> int:
        """The number of a picture; of several under one label, each has that label."""
        return int(to_frame(ms, self.rate) * self.labels_per_picture)

    def source_label(self, number: int) -> str:
        """The timecode that the file itself has there, counted from the video's first label."""
        return self.label(self.start + number)

    def label(self, number: int) -> str:
        """Return the label of a picture: `01:00:00:00`, with drop-frame `01:00:00;00`. After 24 hours it
        starts again."""
        return label_of(number, round(self.label_rate), self.is_drop_frame)


def timecode_of(
    fps: Fraction, is_vfr: bool, start_timecode: str | None, track_rate: Fraction | None = None
) -> Timecode:
    """The numbering of a file with this mean rate. A file without a start timecode starts at zero.

    `track_rate`: what the file's timecode track counts a second; None: it has none. Drop-frame or not is the
    file's choice (`;` before the frames); 29.97 and 59.94 without a start timecode are drop-frame.
    """
    label_rate = _nearest(track_rate or fps)
    rate, per_picture, note = _counting(fps, is_vfr, label_rate, track_rate)
    notes = [note] if note else []
    wants_drop_frame = start_timecode is None or start_timecode[-3:-2] != ":"
    is_drop_frame = label_rate in _DROP_FRAME_RATES and wants_drop_frame
    start = 0
    if start_timecode is not None:
        try:
            start = parse_label(start_timecode, round(label_rate), is_drop_frame)
        except ValueError:
            notes.append(
                f"The file's start timecode {start_timecode!a} does not exist at {_name(label_rate)}; "
                "pictures are counted from zero."
            )
    return Timecode(rate, label_rate, is_drop_frame, start, tuple(notes), per_picture)


def _counting(
    fps: Fraction, is_vfr: bool, label_rate: Fraction, track_rate: Fraction | None
) -> tuple[Fraction, Fraction, str | None]:
    """Pictures a second, labels per picture, and what to say where a label is not one picture's."""
    if not is_vfr and _is_same(fps, label_rate):
        return fps, Fraction(1), None
    if track_rate is None:
        what = "a varying frame rate" if is_vfr else "a frame rate without timecode"
        note = f"The file has {what} (mean {float(fps):.3f}); pictures are counted at {_name(label_rate)}."
        return label_rate, Fraction(1), note
    what = "pictures of varying length, on average" if is_vfr else "pictures at"
    note = (
        f"The file has {what} {_name(fps)} a second and timecode at {_name(track_rate)}; labels are those of "
        "the timecode and approximate: one may stand for several pictures, or for none."
    )
    if is_vfr or not _is_same(track_rate, label_rate):
        return label_rate, Fraction(1), note
    exactly = label_rate / fps
    simply = exactly.limit_denominator(10)
    return fps, simply if _is_same(exactly, simply) else exactly, note


def _is_same(one: Fraction, other: Fraction) -> bool:
    return abs(other / one - 1) <= _SAME_RATE


def to_frame(ms: int, rate: Fraction) -> int:
    """The nearest picture. Up to 1000 a second, a picture's own time in whole ms gives that picture back."""
    return (2 * ms * rate.numerator + 1000 * rate.denominator) // (2000 * rate.denominator)


def _nearest(fps: Fraction) -> Fraction:
    """Multiples first: 12.5 pictures a second fit into 25, 15 into 30."""
    return min(RATES, key=lambda rate: ((rate / fps).denominator != 1, abs(rate - fps)))


def _name(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
