"""How long a file says it is: its header alone, so no more than a hint. `probe` measures."""

import os

from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, freed_at_once, open_video


def stated_ms(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> int | None:
    """Milliseconds of the video stream, else of the file; None where neither is stated.

    Raises what `probe` raises for a file that cannot be opened. No packet is read but those with which FFmpeg
    finds out what a headerless file holds.
    """
    with freed_at_once(), open_video(path, limits) as video:
        stream, container = video.stream, video.container
        if stream.duration:
            return round(stream.duration * video.time_base * 1000)
        return round(container.duration / 1000) if container.duration else None
