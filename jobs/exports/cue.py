"""The line of times that WebVTT and SubRip share."""

from jobs.exports.moments import Moment


def cue_times(moment: Moment, decimal_mark: str) -> str:
    """`00:00:01.500 --> 00:00:03.000`; a cue lasts a millisecond at least."""
    end_ms = max(moment.end_ms, moment.start_ms + 1)
    return f"{_clock(moment.start_ms, decimal_mark)} --> {_clock(end_ms, decimal_mark)}"


def _clock(ms: int, decimal_mark: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}{decimal_mark}{ms:03}"
