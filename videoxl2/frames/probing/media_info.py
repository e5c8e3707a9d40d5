"""What is known of one video file once it has been probed."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from videoxl2.frames.clocks.clock import PLAIN, Clock
from videoxl2.frames.probing.metadata import NOTHING_SAID, Metadata


@dataclass(frozen=True)
class MediaInfo:
    """One video file, in plain values. Times are whole milliseconds.

    `timestamps` is "estimated" when pictures had to be counted (bare bitstreams, times that make no sense:
    `fps` is their clock then), spread evenly between the few that have a stamp (program streams), or shown
    without regard to an edit list that is not followed.

    `warnings` holds any of: `truncated`, `corrupt_packets`, `timestamps_estimated`,
    `timestamp_discontinuity`, `clock_joined` (pieces whose clocks do not go on from each other follow each
    other here), `edits_ignored`, `streams_unread` (streams that begin in the middle), `starts_mid_gop`,
    `hdr_not_converted`.
    """

    container: str
    video_codec: str
    audio_codecs: tuple[str, ...]
    width: int  # as stored, before rotation
    height: int
    rotation: int  # degrees clockwise that show the picture upright, 0 to 359
    fps_num: int
    fps_den: int
    is_vfr: bool
    duration_ms: int  # first picture's start to last picture's end, rounded down, at least 1
    start_ms: int  # first picture on the container's clock
    num_frames: int
    timestamps: Literal["exact", "estimated"]
    title: str | None
    size_bytes: int
    warnings: tuple[str, ...]
    first_pts: int = 0  # start_ms exactly, in ticks of the stream
    start_timecode: str | None = None  # the first picture's, `HH:MM:SS:FF`; `;` before FF: drop-frame
    timecode_rate: Fraction | None = None  # what it counts a second, where a timecode track says so
    player_start_ms: int = 0  # first picture on the clock that players show, which begins at 0
    pixel_aspect: Fraction = Fraction(1)  # a pixel's width over its height, before rotation
    metadata: Metadata = NOTHING_SAID
    clock: Clock = PLAIN  # how packets are placed; without edits, targets count from `first_pts`

    @property
    def fps(self) -> Fraction:
        """Mean pictures per second."""
        return Fraction(self.fps_num, self.fps_den)

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as a player shows the first picture: upright, its pixels square."""
        width = max(1, round(self.width * self.pixel_aspect))
        is_turned = 45 < self.rotation % 180 < 135
        return (self.height, width) if is_turned else (width, self.height)
