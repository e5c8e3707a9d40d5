"""Timecode labels (SMPTE ST 12-1) in whole numbers; they load nothing, so whoever writes or reads one may.

A label counts a whole number of pictures a second, 60 at most: of faster films it counts pairs. At 29.97
and 59.94 drop-frame labels leave out 2 or 4 numbers at each minute that is no tenth one, so that they keep up
with the clock. No picture is dropped, only numbers are.
"""

import re

MAX_PER_SECOND = 60  # a label's last part has two digits
_LABEL = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d{2,3})", re.ASCII)


def label_of(number: int, per_second: int, is_drop_frame: bool) -> str:
    """Return a label: `01:00:00:00`, with drop-frame `01:00:00;00`. After 24 hours it starts again."""
    if is_drop_frame:
        number = skip_dropped(number % frames_a_day(per_second), per_second)
    seconds, frame = divmod(number, per_second)
    minutes, second = divmod(seconds, 60)
    mark = ";" if is_drop_frame else ":"
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{second:02}{mark}{frame:02}"


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


def is_label(text: str) -> bool:
    """Whether it has a label's form; up to 999 pictures a second."""
    return _LABEL.fullmatch(text) is not None


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


def frames_a_day(per_second: int) -> int:
    """Labels of a day in drop-frame counting."""
    return close_dropped(86_400 * per_second, per_second)


def _num_dropped(per_second: int) -> int:
    return per_second // 15
