"""Where in a file to begin, so that a span late in a video does not read the video from its start."""

from collections.abc import Iterator
from itertools import chain, islice

from av.error import FFmpegError

from videoxl2.frames.files.decoder_state import DecoderState
from videoxl2.frames.files.packets import Damage, VideoPacket, video_packets
from videoxl2.frames.reading.film import Film

# How far before the target to aim. MP4 looks positions up by decoding time, which runs ahead of the
# time of showing, so aiming at the target itself can land on a key that is shown after it.
_REWIND_S = (1, 10, 100)


def packets_before(film: Film, tick: int, first_pts: int, damage: Damage) -> Iterator[VideoPacket] | None:
    """Packets from a key shown at or before `tick`; None when the index led nowhere useful.

    After None the file must be opened again, as its position is unknown.
    """
    video = film.video
    state = DecoderState(video)
    is_fresh = True
    for rewind_s in _REWIND_S if video.can_seek else ():
        aim = tick - int(rewind_s / video.time_base)
        if aim <= first_pts:
            break
        if is_fresh:  # a palette is on the first packet that is read, wherever that is
            for packet in islice(video_packets(video, damage), 1):
                state.note(packet)
            is_fresh = False
        try:
            video.container.seek(aim, stream=video.stream)
        except FFmpegError:
            return None
        packets = film.packets_after(state, damage)
        landing = next(packets, None)
        if landing is not None and _is_entry(landing, tick):
            return chain([landing], packets)
    return None


def _is_entry(packet: VideoPacket, tick: int) -> bool:
    return packet.is_keyframe and packet.pts is not None and packet.pts <= tick
