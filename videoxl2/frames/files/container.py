"""Open a file that may be hostile, and choose its video stream.

A media file is input from strangers. FFmpeg opens *whatever the bytes say they are*: an HLS or ffconcat
playlist called `holiday.mp4` would make it open other local files or send requests. The guards here are
what keeps it to one file:

* `file:` plus an absolute path, so that a name such as `concat:a|b` or `http://…` stays a name;
* a list of allowed demuxers, none of which opens a second resource on its own;
* the `file` protocol only, and no external references from MOV (`enable_drefs`);
* bounds on the number of streams and on the picture area.

CPU and memory deadlines are the calling process's business.
"""

import atexit
import gc
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from videoxl2.frames.errors import (
    EmptyFile,
    LimitExceeded,
    NoVideo,
    UnreadableMedia,
    UnsupportedCodec,
    UnsupportedFormat,
)
from videoxl2.frames.files.codecs import codec_of

# The last three cannot hold moving pictures: they are here so that a song is answered with
# "no video" and not with "unsupported format".
ALLOWED_DEMUXERS = (
    "mov,matroska,webm,mpegts,mpeg,mpegvideo,h264,hevc,m4v,avi,flv,asf,ogg,mxf,gif,dv,mp3,flac,wav"
)
# Only these have an index that a seek can be trusted with (and even then the landing is verified).
INDEXED_DEMUXERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})
# Bare bitstreams carry no clock: whatever pts FFmpeg reports for them is invented.
CLOCKLESS_DEMUXERS = frozenset({"h264", "hevc", "m4v", "mpegvideo"})

_COUNTED_CODECS = frozenset({"mpeg1video", "mpeg2video"})  # whose pictures say how long they stay
_GENPTS = 1  # AVFMT_FLAG_GENPTS, which PyAV always sets
_STILLS = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass(frozen=True)
class Limits:
    """The most that one file may ask for. Errors name a limit as the setting that raises it."""

    max_pixels: int = 40_000_000  # area of one picture; 8K is 33 M
    max_duration_s: int = 7 * 86_400
    max_streams: int = 1000  # H.264 tracks cost 0.8 MB each while opening, subtitles next to nothing
    gop_packets: int = 900  # packets held while one GOP is planned; longer GOPs are read without skipping
    gop_bytes: int = 64 << 20  # the same bound in bytes; at most two GOPs are held
    max_hold_s: int = 60  # a picture shown longer than this is not repeated beyond it


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class OpenVideo:
    """An opened file and the one video stream that counts."""

    container: InputContainer
    stream: VideoStream
    time_base: Fraction  # seconds per tick; frames lose theirs when a decoder is drained

    @property
    def demuxer(self) -> str:
        """FFmpeg's name for the container, such as `mov,mp4,m4a,3gp,3g2,mj2`."""
        return self.container.format.name

    @property
    def is_counted(self) -> bool:
        """Whether most pictures have no stamp and are counted: in program streams."""
        return self.demuxer == "mpeg" and codec_of(self.stream.codec_context) in _COUNTED_CODECS

    @property
    def can_seek(self) -> bool:
        """Whether a seek is worth trying at all."""
        return self.demuxer in INDEXED_DEMUXERS


@contextmanager
def open_video(
    path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS, stream_index: int | None = None
) -> Iterator[OpenVideo]:
    """Open `path` under the guards, with one decoding thread; of several videos the one that counts, or this.

    Raises a `MediaError` subclass for anything wrong with the bytes, `OSError` if the file cannot be reached.
    """
    container = _open_container(Path(os.fspath(path)).absolute(), limits)
    with container:
        _check_streams(container, limits)
        # Without it, H.264 and HEVC that have no pts would get those of their neighbours in the file.
        container.flags &= ~_GENPTS
        stream = choose_stream(container) if stream_index is None else _stream(container, stream_index)
        context = stream.codec_context
        if context.width * context.height > limits.max_pixels:
            raise LimitExceeded(
                f"max_pixels: {context.width}x{context.height} is above {limits.max_pixels} pixels"
            )
        # Options given to av.open do not reach the decoder; these do, as it opens with its first packet.
        context.options = {"max_pixels": str(limits.max_pixels)}
        context.thread_count = 1
        context.thread_type = "NONE"
        if not stream.time_base:
            raise UnreadableMedia("the video stream has no clock")
        yield OpenVideo(container, stream, stream.time_base)


class _SinceOpened:
    """Looks for what nothing holds any more among objects made since the first of the files open now.

    A look at all objects of a process takes 50 ms to half a second, and would be taken for every file.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # freeing can close an abandoned reader, which frees
        self._num_open = 0

    def begin(self) -> None:
        with self._lock:
            if self._num_open == 0:
                gc.freeze()
            self._num_open += 1

    def collect(self) -> None:
        with self._lock:
            gc.collect()
            self._num_open -= 1
            if self._num_open == 0:
                gc.unfreeze()


_SINCE_OPENED = _SinceOpened()
atexit.register(gc.unfreeze)  # what is frozen is not taken down, and DuckDB's bindings complain of leaks


@contextmanager
def freed_at_once() -> Iterator[None]:
    """Free what was opened inside, at the end and not some time later.

    PyAV's containers and streams refer to each other, so a closed file keeps its decoder, with a pool of
    full-size pictures (0.2 GB at 4K), until the cyclic collector comes by. A dozen spans is a gigabyte.
    """
    _SINCE_OPENED.begin()
    try:
        yield
    finally:
        _SINCE_OPENED.collect()


def _check_streams(container: InputContainer, limits: Limits) -> None:
    """Refuse what FFmpeg would leave out without a word."""
    if len(container.streams) > limits.max_streams:
        raise LimitExceeded(f"max_streams: the file has more than {limits.max_streams}")


def choose_stream(container: InputContainer) -> VideoStream:
    """Choose the default video stream, else the largest; cover art and thumbnails never count.

    Raises `NoVideo`, or `UnsupportedCodec` where no decoder is there.
    """
    moving = [s for s in container.streams.video if not s.disposition & _STILLS]
    if not moving:
        raise NoVideo("there is no video stream")
    # codec_context is None for a codec unknown to this build, whatever the type stubs say.
    readable = [s for s in moving if has_decoder(s)]
    if not readable:
        raise UnsupportedCodec("no decoder for the video stream")
    return max(
        readable, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index)
    )


def _stream(container: InputContainer, index: int) -> VideoStream:
    stream = container.streams[index] if index < len(container.streams) else None
    if not isinstance(stream, VideoStream) or not has_decoder(stream):
        raise UnreadableMedia("the file has changed while it was read")
    return stream


def has_decoder(stream: Stream) -> bool:
    """Whether this build of FFmpeg can read the stream's codec."""
    context: object = stream.codec_context
    return context is not None


def _open_container(path: Path, limits: Limits) -> InputContainer:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        # A FIFO or a device would block for ever.
        raise UnreadableMedia("not a regular file")
    if status.st_size == 0:
        raise EmptyFile("the file has zero bytes")
    options = {
        "format_whitelist": ALLOWED_DEMUXERS,
        "protocol_whitelist": "file",
        "enable_drefs": "0",
        "max_streams": str(limits.max_streams + 1),  # one more shows that there are too many
        "ignore_editlist": "1",  # see `edits`
    }
    try:
        return av.open(f"file:{path}", mode="r", options=options, metadata_errors="replace")
    except av.error.ArgumentError as error:
        raise UnsupportedFormat("the container is not one of the allowed formats") from error
    except av.error.MemoryError as error:
        raise LimitExceeded(
            f"max_streams: the file has more than {limits.max_streams}, or opening it takes too much memory"
        ) from error
    except av.error.InvalidDataError as error:
        raise UnreadableMedia("the bytes are not a readable media container") from error
    except av.error.FFmpegError as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise UnreadableMedia(f"opening failed: {error.strerror}") from error
