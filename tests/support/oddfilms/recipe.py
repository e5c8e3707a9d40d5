"""A film's recipe, and what containers take."""

from dataclasses import dataclass
from fractions import Fraction

from oddfilms.barcode import HEIGHT, WIDTH
from oddfilms.pace import EVEN, SOFT

# A container's codecs. Those with a rate for a clock can hold nothing but even steps.
CONTAINERS = {
    "mp4": ("h264", "h264", "hevc", "mpeg4", "mjpeg", "vp9"),
    "mov": ("h264", "h264", "hevc", "mpeg4", "mjpeg", "prores", "png"),
    "mkv": ("h264", "h264", "hevc", "mpeg2", "mpeg4", "vp8", "vp9", "mjpeg", "ffv1"),
    "webm": ("vp8", "vp9"),
    "ts": ("h264", "h264", "hevc", "mpeg2", "mpeg4"),
    "vob": ("mpeg2",),
    "mpg": ("mpeg1", "mpeg2"),
    "flv": ("h264", "hevc", "flv1"),
    "avi": ("h264", "mpeg4", "mpeg2", "mjpeg", "msmpeg4", "huffyuv"),
    "asf": ("h264", "mpeg4", "mpeg2", "wmv2", "mjpeg"),
    "mxf": ("h264", "mpeg2"),
    "ogg": ("vp8",),
    "gif": ("gif",),
    "h264": ("h264",),  # bare: no clock at all
    "hevc": ("hevc",),
    "m4v": ("mpeg4",),
}
# What else they take, in containers that are drawn rarely as well.
RARE = {
    "mp4": ("av1", "mpeg2", "mpeg1", "png24", "jpeg2000", "ffv1", "h264rgb"),
    "mov": ("mpeg2", "mpeg1", "h263", "svq1", "cinepak", "qtrle24", "dnxhd", "cfhd", "raw24", "v210"),
    "mkv": ("av1", "mpeg1", "prores", "jpeg2000", "raw", "h264rgb", "msmpeg4"),
    "webm": ("av1",),
    "avi": (
        *("wmv2", "flv1", "vp8", "vp9", "av1", "h263", "msmpeg4v2", "svq1", "cinepak", "msvideo1"),
        *("mpeg1", "h264rgb", "flashsv", "zmbv32", "jpegls", "utvideo", "magicyuv", "asv1", "zlib", "raw24"),
    ),
    "flv": ("av1", "vp9", "flashsv"),
    "asf": ("mpeg1", "wmv1", "msmpeg4v2", "h263", "vp9", "ffv1", "huffyuv422"),
    "mxf": ("ffv1", "prores", "dnxhd", "jpeg2000"),
    "3gp": ("h263", "h264", "mpeg4"),
    "vob": ("h264", "hevc", "mpeg1"),
    "dv": ("dv",),
    "m2v": ("mpeg2",),
    "m1v": ("mpeg1",),
}
BARE = frozenset({"h264", "hevc", "m4v", "m2v", "m1v", "dv"})
COUNTED_CLOCK = frozenset({"avi", "mxf", "ogg"})
JOINABLE = ("ts", "ts", "vob", "mpg", "flv")


@dataclass(frozen=True)
class Piece:
    """A stretch of pictures at one pace and size; pieces of a joined file are written apart."""

    pace: str
    num_pictures: int
    size: tuple[int, int] = (WIDTH, HEIGHT)


@dataclass(frozen=True)
class Edit:
    """One line of an edit list: the media from `media_ms` on, or nothing (None), for `length_ms`."""

    media_ms: int | None
    length_ms: int


@dataclass(frozen=True)
class Recipe:
    """Everything that makes one film; equal recipes make the same film."""

    seed: int
    kind: str
    container: str
    codec: str
    gop: int
    num_b: int
    pieces: tuple[Piece, ...]
    start_s: Fraction = Fraction(0)  # of the first picture on the file's own clock, where it has one
    joins: tuple[str, ...] = ()  # how the clock goes on from piece to piece: see `making.next_clock`
    edits: tuple[Edit, ...] = ()
    num_sounds: int = 0
    num_texts: int = 0
    num_videos: int = 0  # smaller ones
    sound_before_s: int = 0  # it begins before the pictures
    sound_after_s: int = 0  # and goes on when they have ended
    is_video_last: bool = False
    has_own_pid: bool = False  # each piece in a PID of its own
    repeats_headers: bool = True  # parameter sets with every key, not only where they change
    has_open_gops: bool = False
    has_doubled_stamps: bool = False  # PS: some pictures carry the time of the stamp before
    is_fragmented: bool = False  # MP4 in fragments
    is_m2ts: bool = False  # TS in packets of 192 bytes
    cut_at: Fraction | None = None  # the share of the file that is left
    hole_at: Fraction | None = None  # where in the file bytes are lost
    hole_bytes: int = 400
    has_checksums: bool = True  # Matroska: as FFmpeg writes it
    fps: Fraction = Fraction(1)  # to be sampled at

    @property
    def excuses(self) -> frozenset[str]:
        """Verdicts that are no fault: where the file does not hold the truth, or not all of it."""
        is_soft_in_ps = self.container in ("vob", "mpg") and any(p.pace == SOFT for p in self.pieces)
        # Stamps of decoding are fewer than pictures to be shown by them: the last ones' times are not there.
        is_short_of_stamps = (
            self.container in ("avi", "asf") and self.num_b and self.pieces[0].pace not in EVEN
        )
        is_seldom_stamped = self.container in ("vob", "mpg") and self.codec in ("h264", "hevc")
        if (
            self.container in BARE
            or is_seldom_stamped
            or is_soft_in_ps
            or self.has_doubled_stamps
            or is_short_of_stamps
        ):
            return frozenset({"flagged"})
        return frozenset({"flagged", "refused"}) if self.cut_at or self.hole_at else frozenset()
