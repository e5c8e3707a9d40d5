"""Whether a file ends early: by its structure, or because it has less than the length its header states."""

import os
from fractions import Fraction

from videoxl2.frames.clocks.columns import NONE
from videoxl2.frames.files.container import OpenVideo
from videoxl2.frames.files.formats.structure import ends_inside_a_tag, is_cut_short
from videoxl2.frames.probing.scan import Scan
from videoxl2.frames.probing.showing import Showing

# A header that claims so much more than there is belongs to a file that was cut short.
_MISSING_SHARE = Fraction(2, 100)
# Matroska states the length of its longest track, which may be subtitles; its structure says when it is cut.
_STATES_LENGTH = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "avi", "asf", "flv", "mxf"})


def is_truncated(video: OpenVideo, scan: Scan, shown: Showing, path: str | os.PathLike[str]) -> bool:
    """Whether the file ends early by its structure, or has less than the length that its header states."""
    if is_cut_short(path, video.demuxer):
        return True
    claimed_s = _claimed_s(video)
    if not claimed_s or shown.clock.counts_pictures:
        return False
    ends = [shown.media.end_pts * video.time_base, *(reach.end_s for reach in scan.sound_reach.values())]
    starts = [shown.media.first_pts * video.time_base]
    starts += [reach.start_s for reach in scan.sound_reach.values() if reach.start_s is not None]
    # Files count from zero or from the first sample; the kinder reading is taken. An end before everything is
    # a length (Flash), counted from the first decoding, and so is one where something else speaks of a cut.
    decoded_s = [dts * video.time_base for dts in scan.turns.table.dts[:1] if dts != NONE]
    is_length = min(starts) >= claimed_s or (video.demuxer == "flv" and ends_inside_a_tag(path))
    counts_from_s = min([*decoded_s, *starts]) if is_length else min(Fraction(0), *starts)
    missing_s = claimed_s - (max(ends) - counts_from_s)
    return missing_s > claimed_s * _MISSING_SHARE and missing_s > 2 * shown.media.longest * video.time_base


def _claimed_s(video: OpenVideo) -> Fraction | None:
    """The length a header states; of other containers FFmpeg computes one from the packets."""
    if video.demuxer not in _STATES_LENGTH:
        return None
    if video.demuxer != "flv":  # the container's own is that of its longest track
        return (video.stream.duration or 0) * video.time_base
    return Fraction(video.container.duration or 0, 1_000_000)
