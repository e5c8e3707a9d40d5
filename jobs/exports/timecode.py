"""Picture numbers and timecode labels (SMPTE ST 12-1), in whole numbers all the way.

A picture's number follows from milliseconds by the file's own rate. Its label counts a whole number of
pictures a second; at 29.97 and 59.94 drop-frame labels leave out 2 or 4 numbers at each minute that is no
tenth one, so that they keep up with the clock. No picture is dropped, only numbers are.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

# Rates that editing systems have timecode for.
RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48000/1001", "48", "50", "60000/1001", "60")
)
_DROP_FRAME_RATES = {Fraction(30000, 1001), Fraction(60000, 1001)}
_SAME_RATE = Fraction(1, 5000)  # 2997/100 and 30000/1001 are one rate; 24 and 24000/1001 (1/1001 apart) two
_LABEL = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Timecode:
    """How one video's pictures are numbered and labelled. `start` is the first picture's number."""

    rate: Fraction  # pictures a second by which milliseconds become numbers
    label_rate: Fraction  # the one of RATES that labels and editing systems go by
    is_drop_frame: bool
    start: int
    notes: tuple[str, ...] = ()  # what an editor has to know, in whole sentences

    def span(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """First picture and first picture after, counted from the video's first; at least one picture."""
        first = to_frame(start_ms, self.rate)
        return first, max(first + 1, to_frame(end_ms, self.rate))

    def source_label(self, frame: int) -> str:
        """The timecode that the file itself has at this picture, counted from the video's first."""
        return self.label(self.start + frame)

    def label(self, number: int) -> str:
        """`01:00:00:00`, with drop-frame `01:00:00;00`. After 24 hours it starts again."""
        per_second = round(self.label_rate)
        if self.is_drop_frame:
            number = skip_dropped(number % _frames_a_day(per_second), per_second)
        seconds, frame = divmod(number, per_second)
        minutes, second = divmod(seconds, 60)
        mark = ";" if self.is_drop_frame else ":"
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{second:02}{mark}{frame:02}"


def timecode_of(fps: Fraction, is_vfr: bool, start_timecode: str | None) -> Timecode:
    """The numbering of a file with this mean rate. A file without a start timecode starts at zero.

    Drop-frame or not is the file's choice (`;` before the frames); 29.97 and 59.94 without a start timecode
    are drop-frame.
    """
    notes = []
    label_rate = _nearest(fps)
    rate = fps
    if is_vfr or abs(label_rate / fps - 1) > _SAME_RATE:
        rate = label_rate
        what = "a varying frame rate" if is_vfr else "a frame rate without timecode"
        notes.append(f"The file has {what} (mean {float(fps):.3f}); pictures are counted at {_name(rate)}.")
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
    return Timecode(rate, label_rate, is_drop_frame, start, tuple(notes))


def to_frame(ms: int, rate: Fraction) -> int:
    """The nearest picture. Up to 1000 a second, a picture's own time in whole ms gives that picture back."""
    return (2 * ms * rate.numerator + 1000 * rate.denominator) // (2000 * rate.denominator)


def parse_label(label: str, per_second: int, is_drop_frame: bool) -> int:
    """The picture's number from 00:00:00:00. ValueError: there is no such label."""
    match = _LABEL.fullmatch(label)
    if not match:
        raise ValueError(f"{label!a} is no timecode")
    hour, minute, second, frame = (int(match[group]) for group in (1, 2, 3, 5))
    if hour > 23 or minute > 59 or second > 59 or frame >= per_second:
        raise ValueError(f"{label!a} is out of range")
    counted = (hour * 3600 + minute * 60 + second) * per_second + frame
    if not is_drop_frame:
        return counted
    if second == 0 and minute % 10 and frame < _num_dropped(per_second):
        raise ValueError(f"{label!a} is a dropped number")
    return close_dropped(counted, per_second)


def skip_dropped(number: int, per_second: int) -> int:
    """The count that a drop-frame label shows for a picture, `number` < one day. Also for arrays of them."""
    dropped = _num_dropped(per_second)
    tens, rest = divmod(number, 600 * per_second - 9 * dropped)
    # The first minute of ten drops nothing, so it is `dropped` longer than the other nine.
    minutes = (rest >= dropped) * ((rest - dropped) // (60 * per_second - dropped))
    return number + dropped * (9 * tens + minutes)


def close_dropped(counted: int, per_second: int) -> int:
    """The inverse of `skip_dropped`."""
    minutes = counted // (60 * per_second)
    return counted - _num_dropped(per_second) * (minutes - minutes // 10)


def _num_dropped(per_second: int) -> int:
    return per_second // 15


def _frames_a_day(per_second: int) -> int:
    return close_dropped(86_400 * per_second, per_second)


def _nearest(fps: Fraction) -> Fraction:
    """Multiples first: 12.5 pictures a second fit into 25, 15 into 30."""
    return min(RATES, key=lambda rate: ((rate / fps).denominator != 1, abs(rate - fps)))


def _name(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
