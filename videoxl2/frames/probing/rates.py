"""Pictures per second: as the file states them, where its pictures bear that out, else as measured."""

from fractions import Fraction

from videoxl2.frames.clocks.timeline import Timeline
from videoxl2.frames.files.container import OpenVideo

_FASTEST = 300  # pictures per second that a clock of so many ticks is believed to count


def _stated_rates(video: OpenVideo) -> list[Fraction]:
    """Pictures per second as the file says, leaving out what is only the number of ticks in a second."""
    rates = [rate for rate in (video.stream.average_rate, video.stream.guessed_rate) if rate]
    return [rate for rate in rates if rate * video.time_base < 1 or rate <= _FASTEST]


def stated_period(video: OpenVideo) -> Fraction:
    """Ticks per picture; 40 ms where nothing is said."""
    rate = next(iter(_stated_rates(video)), Fraction(25))
    return 1 / (rate * video.time_base)


def frame_rate(video: OpenVideo, timeline: Timeline | None) -> Fraction:
    """The stated rate where the pictures bear it out, else the measured one."""
    if video.demuxer == "avi":
        return 1 / video.time_base  # an AVI tick is one picture; FFmpeg's rate may count fields
    stated = _stated_rates(video)
    if timeline is None or timeline.period is None:
        return stated[0] if stated else Fraction(25)
    measured = 1 / (timeline.period * video.time_base)
    for rate in stated:
        if abs(rate / measured - 1) < Fraction(1, 200):
            return rate
    return measured.limit_denominator(1001)
