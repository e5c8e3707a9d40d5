"""Captions at the heads of pictures: the same text and times from every codec and container."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import pytest
from av.video.stream import VideoStream
from captioned import C608, RATE, box, coded, film, with_track, with_triplets
from line21 import (
    ERASE,
    PADDING,
    RETURN,
    ROLL_UP,
    SHOW,
    Pairs,
    beside_pictures,
    loading,
    service_packet,
    shown_ms,
    triplets,
    words,
)
from oddfilms.edits import with_edits
from oddfilms.recipe import Edit

from videoxl2.captions import Track, probe_texts, read_texts
from videoxl2.captions.carriers.heads import head_reader
from videoxl2.frames import probe

NUM_PICTURES = 150
Said = list[tuple[int, int, str]]
EVENTS: list[tuple[float, Pairs]] = [
    (0.4, loading("Hello", "you")),
    (1, SHOW),
    (2, ERASE),
    (2.2, ROLL_UP[2] + RETURN + words("Roll one")),
    (3.2, RETURN + words("Roll two")),
    (4.2, ERASE),
]
SAID: Said = [(1001, 2002, "Hello\nyou"), (2336, 4204, "Roll one"), (3270, 4204, "Roll two")]


def beside(events: list[tuple[float, Pairs]], rate: Fraction = RATE) -> list[bytes]:
    return [triplets(codes) for codes in beside_pictures(events, NUM_PICTURES, rate)]


def tracks(path: Path) -> tuple[Track, ...]:
    """Read while the file is probed, which must tell no more and no less than two passes."""
    info, texts = probe_texts(path)
    assert info == probe(path)
    assert texts == read_texts(path, info)
    return texts.tracks


def said(track: Track) -> Said:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues]


@pytest.mark.parametrize("b_pictures", [0, 2])
@pytest.mark.parametrize(
    ("codec", "ending"),
    [
        *(("h264", ending) for ending in ("mp4", "mov", "mkv", "ts", "flv")),
        *(("hevc", ending) for ending in ("mp4", "mkv", "ts")),
        *(("mpeg2video", ending) for ending in ("mp4", "mkv", "ts", "mpg", "mxf")),
    ],
)
def test_text_and_times_are_exact(codec: str, ending: str, b_pictures: int, tmp_path: Path) -> None:
    path = film(tmp_path / f"film.{ending}", beside(EVENTS), codec=codec, b_pictures=b_pictures)
    (track,) = tracks(path)
    assert (track.source, track.origin, track.codec) == ("pictures", "CC1", "cea608")
    assert track.is_hearing_impaired
    assert track.has_text
    assert said(track) == SAID
    assert track.warnings == ()


@pytest.mark.parametrize("b_pictures", [0, 2])
@pytest.mark.parametrize("ending", ["mpg", "mkv"])
def test_codes_of_a_dvd_come_for_a_group_at_once(ending: str, b_pictures: int, tmp_path: Path) -> None:
    codes = beside(EVENTS)
    path = film(tmp_path / f"film.{ending}", codes, codec="mpeg2video", b_pictures=b_pictures, grouped=True)
    (track,) = tracks(path)
    assert (track.origin, said(track)) == ("CC1", SAID)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_times_count_from_the_first_picture_of_a_film_that_starts_late(ending: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"film.{ending}", beside(EVENTS), b_pictures=2, start_s=Fraction(10))
    assert said(tracks(path)[0]) == SAID


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24_000, 1001)])
def test_times_are_those_of_pictures_at_any_rate(rate: Fraction, tmp_path: Path) -> None:
    events = [(0.2, loading("Hi")), (1, SHOW), (3, ERASE)]
    path = film(tmp_path / "film.mkv", beside(events, rate), rate=rate)
    start, stop = (round(round(second * rate) / rate * 1000) for second in (1, 3))
    assert said(tracks(path)[0]) == [(start, stop, "Hi")]


def test_fragmented_files_are_read_alike(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    path = film(tmp_path / "film.mp4", beside(EVENTS), b_pictures=2, options=options)
    assert said(tracks(path)[0]) == SAID


@pytest.mark.parametrize("ending", ["avi", "mxf"])
def test_where_pictures_have_no_times_of_their_own_captions_are_listed_alone(
    ending: str, tmp_path: Path
) -> None:
    """With reordered H.264, AVI has only times of decoding, and FFmpeg's MXF stamps in stored order."""
    sound = film(tmp_path / f"sound.{ending}", beside(EVENTS))
    assert said(tracks(sound)[0]) == SAID
    (track,) = tracks(film(tmp_path / f"film.{ending}", beside(EVENTS), b_pictures=2))
    assert (track.origin, track.cues, track.warnings) == ("CC1", (), ("not_timed",))


def test_joined_recordings_and_a_clock_that_wraps_go_on(tmp_path: Path) -> None:
    """Two transport streams byte by byte: what the second says comes after the first, as its pictures do."""
    wrap_s = Fraction((1 << 33) - 180_000, 90_000)
    first = film(tmp_path / "1.ts", beside(EVENTS), b_pictures=2)
    wrapping = film(tmp_path / "2.ts", beside(EVENTS), b_pictures=2, start_s=wrap_s)
    assert said(tracks(wrapping)[0]) == SAID
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + wrapping.read_bytes())
    length = shown_ms(NUM_PICTURES)
    again = [(start + length, stop + length, text) for start, stop, text in SAID]
    assert said(tracks(joined)[0]) == SAID + again


def test_captions_follow_the_edit_list_of_the_pictures(tmp_path: Path) -> None:
    """Seconds 2 to 4 of the film come first, then its first second and a half."""
    options = {"use_editlist": "0", "video_track_timescale": "90000"}
    path = film(tmp_path / "film.mp4", beside(EVENTS), b_pictures=2, options=options)
    first_ms = round(probe(path).first_pts / 90)
    edits = [Edit(first_ms + 2000, 2000), Edit(first_ms, 1500)]
    path.write_bytes(with_edits(path.read_bytes(), edits))
    (track,) = tracks(path)
    assert said(track) == [
        (0, 2, "Hello\nyou"),
        (336, 2000, "Roll one"),
        (1270, 2000, "Roll two"),
        (3001, 3500, "Hello\nyou"),
    ]


def test_streams_that_take_turns_go_on_from_each_other(tmp_path: Path) -> None:
    """A recording goes on under another number."""
    first = film(tmp_path / "1.ts", beside(EVENTS), options={"mpegts_start_pid": "0x100"})
    again = film(
        tmp_path / "2.ts", beside(EVENTS), options={"mpegts_start_pid": "0x200"}, start_s=Fraction(10)
    )
    path = tmp_path / "film.ts"
    path.write_bytes(first.read_bytes() + again.read_bytes())
    info = probe(path)
    assert len(info.clock.streams) == 2
    (track,) = tracks(path)
    later_ms = track.cues[3].start_ms - SAID[0][0]
    assert said(track) == SAID + [(start + later_ms, stop + later_ms, text) for start, stop, text in SAID]
    assert later_ms in (shown_ms(NUM_PICTURES), 10_010)


def test_captions_of_another_programme_are_not_the_films(tmp_path: Path) -> None:
    """Two programmes side by side in one transport stream; the first one is the film."""
    other = beside([(0.4, loading("Other")), (1, SHOW), (2, ERASE)])
    assert tracks(_two_programmes(tmp_path / "other.ts", [], other)) == ()
    (track,) = tracks(_two_programmes(tmp_path / "both.ts", beside(EVENTS), other))
    assert said(track) == SAID


def _two_programmes(path: Path, *codes: Sequence[bytes]) -> Path:
    pictures, _ = coded("h264", NUM_PICTURES, 0)
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=RATE) for _ in codes]
        for stream in streams:
            assert isinstance(stream, VideoStream)
            stream.width = stream.height = 64
        for picture in pictures:
            for stream, own in zip(streams, codes, strict=True):
                data = with_triplets(picture.data, own[picture.shown], "h264") if own else picture.data
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.time_base = picture.shown, picture.decoded, 1 / RATE
                packet.duration, packet.is_keyframe, packet.stream = 1, picture.is_key, stream
                output.mux(packet)
    return path


def test_channels_fields_and_services_are_tracks_of_their_own(tmp_path: Path) -> None:
    first = beside_pictures(EVENTS, NUM_PICTURES)
    second = beside_pictures([(0.4, loading("Deux")), (1, SHOW), (2, ERASE)], NUM_PICTURES)
    service = service_packet(1, b"Hello")
    pictures = [triplets(a, b, service) for a, b in zip(first, second, strict=True)]
    found = tracks(film(tmp_path / "film.mp4", pictures))
    assert [(track.origin, track.codec, track.has_text) for track in found] == [
        ("CC1", "cea608", True),
        ("CC3", "cea608", True),
        ("S1", "cea708", False),
    ]
    assert said(found[1]) == [(1001, 2002, "Deux")]
    assert found[2].warnings == ("not_readable",)


def test_cea_708_alone_is_a_track_without_text(tmp_path: Path) -> None:
    pictures = [triplets(PADDING, b"", service_packet(2, b"Hello"))] * NUM_PICTURES
    (track,) = tracks(film(tmp_path / "film.mkv", pictures))
    assert (track.origin, track.codec, track.has_text, track.cues) == ("S2", "cea708", False, ())


def test_padding_is_no_track(tmp_path: Path) -> None:
    assert tracks(film(tmp_path / "film.mp4", [triplets()] * NUM_PICTURES)) == ()
    assert tracks(film(tmp_path / "plain.mp4")) == ()


@pytest.mark.parametrize("per_sample", [1, 15])
def test_a_stream_of_codes_is_preferred_to_the_same_channel_in_pictures(
    per_sample: int, tmp_path: Path
) -> None:
    path = film(tmp_path / "film.mov", beside([(0.4, loading("Pictures")), (1, SHOW), (2, ERASE)]))
    codes = beside_pictures(EVENTS, NUM_PICTURES)
    starts = range(0, NUM_PICTURES, per_sample)
    samples = [(1001 * per_sample, box(b"cdat", b"".join(codes[at : at + per_sample]))) for at in starts]
    with_track(path, C608, samples, handler=b"clcp", scale=30_000)
    (track,) = tracks(path)
    assert (track.source, track.origin, track.language) == ("stream", "1 CC1", "en")
    assert said(track) == SAID


def test_ancillary_data_of_mxf_are_read_as_ffmpeg_reads_them(tmp_path: Path) -> None:
    path = _with_ancillary_data(tmp_path, beside(EVENTS))
    (track,) = tracks(path)
    assert (track.source, track.codec) == ("stream", "cea608")
    assert said(track) == SAID


def _with_ancillary_data(folder: Path, codes: Sequence[bytes]) -> Path:
    """An MXF film whose codes lie in a stream of their own, made by FFmpeg's filter from a QuickTime one."""
    source = film(folder / "source.mov", codec="mpeg2video")
    with_track(source, C608, [(1001, box(b"cdat", one[1:3])) for one in codes], handler=b"clcp", scale=30_000)
    path = folder / "film.mxf"
    with av.open(str(source)) as told, av.open(str(path), "w", format="mxf") as output:
        video = output.add_stream_from_template(told.streams.video[0])
        captions = told.streams.subtitles[0]
        data = output.add_data_stream("smpte_436m_anc")
        data.time_base = 1 / RATE
        filtered = av.BitStreamFilterContext("eia608_to_smpte436m", captions, data)
        for packet in told.demux():
            if not packet.size:
                continue
            if packet.stream.type == "video":
                packet.stream = video
                output.mux(packet)
                continue
            pts = packet.pts
            for made in filtered.filter(packet):
                made.stream, made.time_base, made.pts, made.dts = data, captions.time_base, pts, pts
                output.mux(made)
    return path


@pytest.mark.parametrize(
    ("codec", "ending"), [("h264", "mp4"), ("h264", "ts"), ("hevc", "mkv"), ("mpeg2video", "ts")]
)
def test_a_damaged_head_raises_nothing_but_what_is_counted(codec: str, ending: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"film.{ending}", beside(EVENTS), codec=codec)
    chance = Random(codec + ending)
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        read = head_reader(stream)
        assert read is not None
        heads = [bytes(packet)[:300] for packet in source.demux(stream) if packet.size]
        num_read = 0
        for head in heads * 2:
            damaged = bytearray(head[: chance.randrange(1, len(head) + 1)])
            for _ in range(chance.randrange(4)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            try:
                num_read += len(read(av.Packet(bytes(damaged))))  # type: ignore[arg-type]
            except ValueError:
                continue
        assert 0 < num_read < len(heads) * 2


def test_a_damaged_message_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    codes = beside(EVENTS)
    path = film(tmp_path / "film.mkv", codes)
    data = path.read_bytes()
    count = data.rindex(b"GA94") + 5  # of the last picture
    path.write_bytes(data[:count] + b"\x5f" + data[count + 1 :])
    (track,) = tracks(path)
    assert said(track) == SAID
    assert (track.num_dropped, track.warnings) == (1, ("damaged",))
