"""Files whose clock is odd: every picture is shown when it was recorded, from every entry point."""

from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from flash_tags import moved_by
from oddfilms import draw, judge
from oddfilms import make as make_film
from oddfilms.recipe import Piece

from videoxl2.frames import (
    FrameFlag,
    LimitExceeded,
    Limits,
    SamplingGrid,
    Span,
    plan_sampling,
    probe,
    read_frames,
    read_span,
)
from videoxl2.frames.reading.stills.keyframes import read_keyframes
from videoxl2.frames.reading.stills.thumbnail import read_thumbnail

SIZE = 96
X264 = {"preset": "veryfast", "g": "20", "bf": "2", "sc_threshold": "0"}
X265 = "log-level=none:keyint=20:min-keyint=20:scenecut=0:pools=none:frame-threads=1:bframes={}"
COUNT_ON = {"mpegts_copyts": "1"}
TICK = Fraction(1, 90_000)


def _read(path, info, rate=Fraction(7)):
    """The whole film, after checking that spans, keyframes and a thumbnail agree with it."""
    grid = plan_sampling(info, rate)
    whole = list(read_frames(path, grid, SIZE, info=info))
    got = {
        name: np.concatenate([getattr(span, name) for span in whole])
        for name in ("frames", "pts_ms", "target_index", "flags")
    }
    for span in grid.spans(9):
        alone = read_span(path, info, grid, span, SIZE)
        rows = (got["target_index"] >= span.first) & (got["target_index"] < span.stop)
        for name, values in got.items():
            assert np.array_equal(getattr(alone, name), values[rows]), (span, name)
    return grid, got


def _assert_shown(path, info, numbers, begins_s, shown):
    """Picture `shown[n]` is on screen from `begins_s[n]` on, wherever the file is entered."""
    grid, got = _read(path, info)
    due = [bisect_right(begins_s, grid.target_s(k) + Fraction(1, 2000)) - 1 for k in range(grid.num_targets)]
    assert numbers(got["frames"]) == [shown[n] for n in due]
    assert got["pts_ms"].tolist() == [round(begins_s[n] * 1000) for n in due]
    assert not (got["flags"] & ~FrameFlag.HELD).any()
    late_ms = round(begins_s[-2] * 1000) + 1
    assert list(read_keyframes(path, info, [late_ms])) == [late_ms]
    assert read_thumbnail(path, late_ms, info.start_ms)


def _glued(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("start_s", [Fraction(36_000), Fraction(1), Fraction(2**33 - 90_000, 90_000)])
def test_pieces_keep_their_own_times(tmp_path, make, numbers, start_s):
    """A recorder that slows at night, its clock set forward, back, or wrapping within the piece."""
    slow = tuple(Fraction(n, 25) if n < 30 else Fraction(30, 25) + Fraction(n - 30, 2) for n in range(50))
    common = {"codec_options": X264, "format_options": COUNT_ON, "time_base": TICK}
    one = make("one.ts", num_frames=60, start_s=Fraction(7_200), **common)
    two = make("two.ts", times=slow, start_s=start_s, **common)
    info = probe(path := _glued(tmp_path / "glued.ts", one, two))
    assert (info.timestamps, info.num_frames) == ("exact", 110)
    assert "clock_joined" in info.warnings
    begins_s = [Fraction(n, 25) for n in range(60)] + [Fraction(60, 25) + s for s in slow]
    _assert_shown(path, info, numbers, begins_s, [*range(60), *range(50)])


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
def test_recordings_whose_clocks_begin_alike_are_pieces(tmp_path, make, numbers, codec):
    """Most pictures of a program stream have no stamp; the later recording's first is that of the earlier."""
    common = {"codec": codec, "codec_options": {"g": "12", "bf": "2", "b": "2M"}, "start_s": Fraction(100)}
    part = make("part.vob", num_frames=50, **common)
    info = probe(path := _glued(tmp_path / "glued.vob", part, part, part))
    assert (info.duration_ms, info.num_frames, info.is_vfr) == (6000, 150, False)
    assert (info.timestamps, info.warnings) == ("exact", ("clock_joined",))
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(150)], [*range(50)] * 3)


def _with_every_sixth_stamp(content):
    """A transport stream whose other pictures have none, as ISO 13818-1 allows for 0.7 s."""
    packets = [bytearray(content[at : at + 188]) for at in range(0, len(content), 188)]
    begun = 0
    for packet in packets:
        at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        if packet[1] & 0x40 and packet[at : at + 4] == b"\0\0\1\xe0":
            if begun % 6 and packet[at + 7] & 0x80:
                length = 10 if packet[at + 7] & 0x40 else 5
                packet[at + 7] = 0
                packet[at + 9 : at + 9 + length] = b"\xff" * length
            begun += 1
    return b"".join(packets)


@pytest.mark.parametrize(("codec", "num_b"), [("mpeg2video", 0), ("mpeg2video", 2), ("mpeg4", 2)])
def test_pictures_between_stamps_are_in_time(make, numbers, codec, num_b):
    """Also where no picture overtakes another and each is shown one after it is decoded."""
    options = {"g": "12", "bf": str(num_b), "b": "2M"}
    path = make(f"seldom-{codec}-{num_b}.ts", codec=codec, codec_options=options, format_options=COUNT_ON)
    path.write_bytes(_with_every_sixth_stamp(path.read_bytes()))
    info = probe(path)
    assert (info.timestamps, info.is_vfr, info.warnings) == ("exact", False, ())
    _assert_shown(
        path, info, numbers, [Fraction(n, 25) for n in range(info.num_frames)], range(info.num_frames)
    )


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize("num_b", [0, 2])
def test_a_flash_counter_that_wraps_is_no_jump(make, numbers, bits, num_b):
    """After 49.7 days; or 4.7 hours where a recorder leaves out the upper 8 bits."""
    options = {"preset": "veryfast", "g": "20", "bf": str(num_b), "sc_threshold": "0"}
    path = make(f"wrap-{bits}-{num_b}.flv", codec_options=options, num_frames=60)
    path.write_bytes(moved_by((1 << bits) - 1000, bits, path.read_bytes()))
    info = probe(path)
    assert (info.num_frames, info.duration_ms, info.warnings) == (60, 2400, ())
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(60)], range(60))


def test_a_counter_that_wraps_is_no_jump(make, numbers):
    """33 bits at 90 kHz are 26.5 hours; a film may pass their end."""
    start_s = Fraction(2**33, 90_000) - 2
    path = make("wrap.ts", codec_options=X264, format_options=COUNT_ON, start_s=start_s, time_base=TICK)
    info = probe(path)
    assert (info.duration_ms, info.warnings) == (6000, ())
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(150)], range(150))


@pytest.mark.parametrize(
    ("codec", "num_b"),
    [("mjpeg", 0), ("mpeg4", 0), ("mpeg4", 2), ("mpeg2video", 2), ("libx264", 0), ("libx264", 2)],
)
def test_dropped_chunks_of_an_avi_are_counted(make, numbers, codec, num_b):
    """AVI's clock is the number of the chunk; the last picture stays while a recorder drops some."""
    times = tuple(Fraction(n, 25) for n in range(120) if n % 30 < 8 or n % 30 > 19)
    options = _options(codec, num_b)
    path = make("dropped.avi", codec=codec, codec_options=options, times=times, time_base=Fraction(1, 25))
    info = probe(path)
    assert (info.timestamps, info.num_frames, info.duration_ms) == ("exact", len(times), 4800)
    if not num_b:
        _assert_shown(path, info, numbers, list(times), range(len(times)))
        return
    _, got = _read(path, info)  # with B pictures, those around a gap are stored out of order
    due = np.searchsorted(np.array([float(time) for time in times]), got["pts_ms"] / 1000 + 0.001) - 1
    off = np.abs(np.array(numbers(got["frames"])) - due)
    assert off.max() <= num_b
    assert (off == 0).mean() > 0.5


def _options(codec, num_b):
    if codec == "mjpeg":
        return {}
    return {"g": "20", "bf": str(num_b), **({"preset": "veryfast"} if codec == "libx264" else {"b": "2M"})}


@pytest.mark.parametrize(
    ("name", "codec"), [("order.avi", "libx264"), ("order.asf", "libx264"), ("order.asf", "mpeg2video")]
)
def test_pictures_without_times_are_shown_as_decoded(make, numbers, name, codec):
    """Only the order in which a decoder gives them says when they are shown."""
    options = X264 if codec == "libx264" else {"g": "12", "bf": "2", "b": "2M"}
    path = make(name, codec=codec, codec_options=options)
    info = probe(path)
    assert (info.timestamps, info.num_frames, info.is_vfr) == ("exact", 150, False)
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(150)], range(150))


def test_a_program_stream_is_counted_by_its_pictures(make, numbers):
    """Most pictures of a VOB have no stamp; they follow each other evenly all the same."""
    path = make("counted.vob", codec="mpeg2video", codec_options={"g": "12", "bf": "2", "b": "2M"})
    info = probe(path)
    assert (info.timestamps, info.num_frames, info.is_vfr, info.duration_ms) == ("exact", 150, False, 6000)
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(150)], range(150))


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("num_b", [0, 2])
def test_a_program_stream_of_other_codecs_is_counted_between_stamps(make, numbers, codec, num_b):
    """As cameras write H.264 and HEVC; exact where the count meets the stamps."""
    options = {"libx264": {**X264, "bf": str(num_b)}, "libx265": {"x265-params": X265.format(num_b)}}
    path = make("camera.vob", codec=codec, codec_options=options[codec], num_frames=100)
    info = probe(path)
    assert (info.timestamps, info.num_frames, info.is_vfr, info.duration_ms) == ("exact", 100, False, 4000)
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(100)], range(100))


def test_a_program_stream_whose_stamps_the_count_misses_is_estimated(make):
    """The times of pictures without a stamp are not in the file."""
    times = tuple(Fraction(n, 25) for n in range(20)) + tuple(Fraction(n) for n in range(1, 40))
    path = make("camera.vob", times=times, time_base=TICK, codec_options={**X264, "bf": "0"})
    info = probe(path)
    assert info.timestamps == "estimated"
    assert "timestamps_estimated" in info.warnings


def test_mpeg_1_in_avi_has_its_pictures_in_time(make, numbers):
    """FFmpeg takes the first one for one that is shown as it is decoded."""
    path = make("old.avi", codec="mpeg1video", codec_options={"g": "12", "bf": "2", "b": "2M"})
    info = probe(path)
    assert (info.timestamps, info.num_frames, info.duration_ms) == ("exact", 150, 6000)
    _assert_shown(path, info, numbers, [Fraction(n, 25) for n in range(150)], range(150))


def test_a_stamp_handed_out_twice_makes_no_b_picture(tmp_path):
    """FFmpeg gives a reference behind a jump in a VOB the stamp of a picture that is shown as it is decoded;
    the pictures' own headers say what they are."""
    film = make_film(tmp_path, draw(40276, "jump"))
    assert judge(film).verdict == "right"


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2", "h264"])
@pytest.mark.parametrize(("pace", "timestamps"), [("25", "exact"), ("uneven", "estimated")])
def test_a_last_picture_without_a_time_is_estimated_where_the_pace_varies(tmp_path, codec, pace, timestamps):
    """ASF has times of decoding: the last reference is shown when no packet is left to say it."""
    recipe = draw(700_189, "order")
    film = make_film(tmp_path, replace(recipe, codec=codec, pieces=(Piece(pace, 30),), fps=Fraction(25)))
    assert probe(film.path).timestamps == timestamps
    assert judge(film).verdict in ("right", "flagged")


def test_packets_without_duration_are_no_cut(make):
    """Flash states none; two pictures a second end half a second after the last one begins."""
    path = make("slow.flv", codec="flv1", codec_options={}, rate=Fraction(2), num_frames=20)
    info = probe(path)
    assert (info.duration_ms, info.warnings) == (10_000, ())


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "mpeg4"),
        ("a.mkv", "mjpeg"),
        ("a.avi", "mpeg4"),
        ("a.flv", "flv1"),
        ("a.ts", "mpeg2video"),
        ("a.asf", "mjpeg"),
        ("a.vob", "mpeg2video"),
        ("a.mpg", "mpeg1video"),
    ],
)
def test_one_picture_lasts_a_while(make, name, codec):
    """In every container there is one target, and its picture."""
    path = make(name, codec=codec, codec_options={}, num_frames=1)
    info = probe(path)
    assert (info.num_frames, info.warnings) == (1, ())
    assert 1 <= info.duration_ms <= 41
    assert sum(len(span.frames) for span in read_frames(path, plan_sampling(info), SIZE)) == 1


def test_a_day_and_more_is_read(make, numbers):
    """Cost follows the pictures; the limit is a week, and its error names the setting."""
    times = tuple(Fraction(600 * n) for n in range(160))
    path = make("long.mkv", codec="mjpeg", codec_options={}, times=times, time_base=Fraction(1, 1000))
    info = probe(path)
    assert info.duration_ms > 95_000_000
    span = Span(159 * 600 + 1, 159 * 600 + 3)
    grid = SamplingGrid(Fraction(1), info.duration_ms // 1000)
    assert numbers(read_span(path, info, grid, span, SIZE).frames) == [159, 159]
    with pytest.raises(LimitExceeded, match="max_duration: "):
        probe(path, Limits(max_duration_s=86_400))


def test_a_palette_reaches_every_entry(tmp_path):
    """It is on the file's first packet only; a span that begins late has its colours all the same."""
    path = tmp_path / "palette.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("qtrle", rate=25, options={"g": "10"})
        stream.width = stream.height = 64
        stream.pix_fmt = "gray"
        for number in range(120):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64), 100 + number, np.uint8), format="gray")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    info = probe(path)
    grid, got = _read(path, info, Fraction(5))
    shown = got["frames"][:, 0, 0, 1].astype(int)
    assert np.abs(shown - [100 + 5 * k for k in range(grid.num_targets)]).max() <= 1


def test_tracks_up_to_the_limit_lose_no_picture(tmp_path):
    """FFmpeg leaves out what is beyond its own limit without a word; here that is refused by name."""
    path = tmp_path / "tracks.mkv"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("mjpeg", rate=25) for _ in range(80)]
        for number, stream in enumerate(streams):
            stream.width = stream.height = 128 if number == 79 else 16
            stream.pix_fmt = "yuvj420p"
            stream.disposition = av.stream.Disposition(0)
        for stream in streams:
            for pts in range(5):
                frame = av.VideoFrame.from_ndarray(
                    np.zeros((stream.height,) * 2 + (3,), np.uint8), format="rgb24"
                )
                frame.pts, frame.time_base = pts, Fraction(1, 25)
                out.mux(stream.encode(frame))
    info = probe(path)
    assert (info.width, info.num_frames) == (128, 5)
    with pytest.raises(LimitExceeded, match="max_streams: "):
        probe(path, Limits(max_streams=79))


def test_damage_reaches_the_warnings(tmp_path, make):
    """A frame that is flagged as damaged makes its span say so, for the row's warnings."""
    data = bytearray(make("hole.ts", num_frames=200).read_bytes())
    start, stop = len(data) * 45 // 100, len(data) * 55 // 100
    data[start:stop] = np.random.default_rng(1).integers(0, 256, stop - start, dtype=np.uint8).tobytes()
    path = tmp_path / "hole.ts"
    path.write_bytes(data)
    for span in read_frames(path, plan_sampling(probe(path), Fraction(5)), SIZE, frames_per_span=5):
        is_damaged = bool((span.flags & (FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE)).any())
        assert ("damaged_frames" in span.warnings) == is_damaged


def test_edits_show_their_parts(tmp_path, make, numbers):
    """Each entry of an edit list in its turn, from inside a picture on, also one that goes back."""
    source = make("source.mp4", codec_options=X264, num_frames=100, time_base=Fraction(1, 12_800))
    edits = [(2000, 2010), (-1, 500), (1000, 400)]  # media ms or a wait, length ms
    path = tmp_path / "edited.mp4"
    path.write_bytes(_with_edits(source.read_bytes(), edits))
    info = probe(path)
    assert (info.duration_ms, info.timestamps) == (2910, "exact")
    # The media end at 4 s; the last picture stays until the next part begins.
    begins_s = [Fraction(n, 25) for n in range(50)] + [Fraction(2510 + 40 * n, 1000) for n in range(10)]
    _assert_shown(path, info, numbers, begins_s, [*range(50, 100), *range(25, 35)])


def _with_edits(mp4, edits):
    """The file with its edit list replaced: it is at the end, so that nothing else moves."""
    at = mp4.index(b"elst") - 4
    old = int.from_bytes(mp4[at : at + 4], "big")
    offset = 1024  # of the first picture on the media's clock, in ticks
    rows = b"".join(
        length.to_bytes(4, "big")
        + (2**32 - 1 if media < 0 else offset + media * 12_800 // 1000).to_bytes(4, "big")
        + b"\0\1\0\0"
        for media, length in edits
    )
    elst = (len(rows) + 16).to_bytes(4, "big") + b"elst" + bytes(4) + len(edits).to_bytes(4, "big") + rows
    grown = bytearray(mp4[:at] + elst + mp4[at + old :])
    for kind in (b"edts", b"trak", b"moov"):
        place = grown.rindex(kind, 0, at + 4) - 4
        size = int.from_bytes(grown[place : place + 4], "big") + len(elst) - old
        grown[place : place + 4] = size.to_bytes(4, "big")
    return bytes(grown)
