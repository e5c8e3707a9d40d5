"""Sidecars as bytes: a film they are beside, well-formed ones of every format, and what they say."""

from videoxl2.captions import Track, read_sidecar
from videoxl2.frames.probing.media_info import MediaInfo

FILM = MediaInfo(
    container="mp4",
    video_codec="h264",
    audio_codecs=(),
    width=64,
    height=48,
    rotation=0,
    fps_num=25,
    fps_den=1,
    is_vfr=False,
    duration_ms=60_000,
    start_ms=0,
    num_frames=1500,
    timestamps="exact",
    title=None,
    size_bytes=1,
    warnings=(),
)


def read(text: str | bytes, name: str = "film.en.srt", film: MediaInfo = FILM) -> Track:
    return read_sidecar(name, "film.mp4", text.encode() if isinstance(text, str) else text, film)


def cues(track: Track) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues]


SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> there

2
00:00:20,000 --> 00:00:22,000
Two
lines &amp; more

3
00:00:55,250 --> 00:00:58,000
1984
"""

SCC = """Scenarist_SCC V1.0

{0}:00:01{1}00\t9420 9420 9470 9470 c8e5 6c6c ef80 942c 942c 942f 942f

{0}:00:10{1}00\t942c 942c

{0}:00:40{1}00\t9425 9425 94ad 94ad 9470 9470 d2ef 6c6c
"""


def stl(*subtitles: tuple[str, str, bytes], tcp: str = "10000000", language: bytes = b"08") -> bytes:
    """An EBU STL file of 25 pictures a second in ISO 6937."""
    head = b"850STL25.01" + b"1" + b"00" + language
    head = (head.ljust(256) + tcp.encode()).ljust(1024)
    blocks = b""
    for number, (start, end, field) in enumerate(subtitles):
        pieces = [field[at : at + 112] for at in range(0, len(field), 112)] or [b""]
        for place, piece in enumerate(pieces):
            last = 0xFF if place == len(pieces) - 1 else place
            block = bytes([0]) + number.to_bytes(2, "little") + bytes([last, 0])
            for label in (start, end):
                block += bytes(int(label[at : at + 2]) for at in (0, 2, 4, 6))
            blocks += block + bytes([20, 2, 0]) + piece.ljust(112, b"\x8f")
    return head + blocks
