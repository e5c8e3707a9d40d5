"""Packets that their container calls keys, and that a decoder cannot start from."""

from fractions import Fraction

import av
import numpy as np
import pytest
from oddfilms.barcode import read_number
from oddfilms.coding import CODECS, add_video, encode, options, retime

from videoxl2.frames import Span, UndecodableVideo, plan_sampling, probe, read_span
from videoxl2.frames.files import picture_types, said_keys
from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import open_video
from videoxl2.frames.files.kept_areas import keeps_areas
from videoxl2.frames.files.packets import Damage, read_packets
from videoxl2.frames.files.picture_types import mpeg_type, needs_others

TICKS, LENGTH, GOP = 3600, 20, 8
SPOKEN = {  # containers in which FFmpeg believes what is said, with codecs of theirs
    "3gp": ("h263", "mpeg4"),
    "flv": ("flv1", "flashsv"),
    "asf": ("wmv1", "wmv2", "msmpeg4v2", "vp9"),
    "avi": ("msvideo1", "msrle", "zmbv"),
    "mov": ("svq1", "cinepak", "qtrle", "qtrle24", "smc", "mpeg2", "mpeg4"),
    "mkv": ("hevc",),
}
CALLED = [(container, codec) for container, codecs in SPOKEN.items() for codec in codecs]


def write(path, codec, is_key=lambda number: True):
    """Pictures with their numbers; `is_key` is what the container is told, None for the encoder's word."""
    num_b = 2 if codec in ("mpeg2", "mpeg4", "hevc") and path.suffix in (".mov", ".mkv") else 0
    with av.open(str(path), "w") as out:
        stream = add_video(out, codec, options(codec, GOP, num_b), CODECS[codec].size, Fraction(25))
        packets = encode(stream, codec, range(LENGTH), CODECS[codec].size)
        retime(packets, range(0, LENGTH * TICKS, TICKS), [TICKS] * LENGTH)
        for number, packet in enumerate(packets):
            packet.stream = stream
            packet.is_keyframe = is_key(number) if is_key else packet.is_keyframe
            out.mux(packet)


@pytest.mark.parametrize(("container", "codec"), CALLED, ids=lambda value: value)
def test_a_span_is_right_whatever_the_container_calls_a_key(tmp_path, container, codec):
    """AVI without a key besides the first is taken to have no index: some others are called so too."""
    film = tmp_path / f"film.{container}"
    write(film, codec, (lambda number: number % 5 == 0) if container == "avi" else lambda number: True)
    info = probe(film)
    grid = plan_sampling(info, Fraction(25))
    for first in (6, 13):
        span = read_span(film, info, grid, Span(first, first + 4), 64)
        assert [read_number(frame) for frame in span.frames] == list(range(first, first + 4))
    assert (info.num_frames, info.timestamps, info.warnings) == (LENGTH, "exact", ())


@pytest.mark.parametrize("first", [6, 13])
def test_a_codec_whose_bits_are_not_known_is_found_out_when_entered(tmp_path, monkeypatch, first):
    """Its decoder says that the first picture is made from others: reading begins at the film's start."""
    monkeypatch.setattr(picture_types, "_SAYS", {})
    film = tmp_path / "film.flv"
    write(film, "flv1")
    info = probe(film)
    span = read_span(film, info, plan_sampling(info, Fraction(25)), Span(first, first + 4), 64)
    assert [read_number(frame) for frame in span.frames] == list(range(first, first + 4))
    assert (span.warnings, span.flags.any()) == (("read_in_order",), False)


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        *(("mov", codec) for codec in ("svq1", "cinepak", "qtrle", "qtrle24", "smc", "mpeg4")),
        *(("avi", codec) for codec in ("msrle", "zmbv", "wmv2", "msmpeg4", "flv1")),
        *(("mkv", codec) for codec in ("hevc", "mpeg2", "vp8", "vp9", "msmpeg4")),
        *(("3gp", "h263"), ("asf", "wmv1"), ("asf", "msmpeg4v2")),
    ],
    ids=lambda value: value,
)
def test_a_packet_is_asked_itself(tmp_path, container, codec):
    """Its bits agree with the encoder that wrote them."""
    film = tmp_path / f"film.{container}"
    write(film, codec, None)
    with av.open(str(film)) as opened:
        stream = opened.streams.video[0]
        context, size = stream.codec_context, (stream.width, stream.height)
        for packet in opened.demux(stream):
            if packet.size:
                told = codec_of(context), bytes(packet)
                is_built_on = needs_others(*told, context.extradata)
                is_built_on |= keeps_areas(*told, *size, context.bits_per_coded_sample)
                assert packet.is_keyframe is not is_built_on


def test_what_says_nothing_is_believed():
    for codec in ("h264", "h263", "flv1", "mpeg2video", "mpeg4", "vp9", "cinepak", "svq1"):
        assert not needs_others(codec, b"", None)
    assert not needs_others("hevc", b"\0\0\0\1\2\1", b"")
    assert mpeg_type(np.zeros(64, np.uint8).tobytes()) is None
    assert not keeps_areas("h264", b"", 64, 48, 24)
    assert keeps_areas("smc", bytes(6), 64, 48, 8)


@pytest.mark.parametrize("bits", [0, 3, 64])
def test_a_depth_that_no_decoder_knows_is_told_as_such(tmp_path, bits):
    """Depths stand 82 bytes after the codec's name in the sample description."""
    film = tmp_path / "film.mov"
    write(film, "qtrle24")
    content = bytearray(film.read_bytes())
    at = content.index(b"rle ", content.index(b"stsd")) + 78
    assert int.from_bytes(content[at : at + 2], "big") == 24
    film.write_bytes(content[:at] + bits.to_bytes(2, "big") + content[at + 2 :])
    with pytest.raises(UndecodableVideo):
        probe(film)


@pytest.mark.parametrize("kept_from", [5, 20, 70])
def test_a_file_that_spoke_true_is_asked_now_and_then(tmp_path, monkeypatch, kept_from):
    """16 in a row, then every 32nd; all where one of those proves wrong. A film's first is not asked."""
    film = tmp_path / "film.mov"
    with av.open(str(film), "w") as out:
        stream = add_video(out, "qtrle24", options("qtrle24", 1, 0), CODECS["qtrle24"].size, Fraction(25))
        packets = encode(stream, "qtrle24", range(70), CODECS["qtrle24"].size)
        numbers = {bytes(packet): number for number, packet in enumerate(packets)}
        for packet in packets:
            out.mux(packet)
    asked = []

    def keeps(_, data, *__):
        asked.append(numbers[data])
        return asked[-1] >= kept_from

    monkeypatch.setattr(said_keys, "keeps_areas", keeps)
    with open_video(film) as video:
        keys = [numbers[bytes(packet)] for packet in read_packets(video, Damage()) if packet.is_keyframe]
    found = next((number for number in (*range(1, 17), 33, 65) if number >= kept_from), 70)
    assert keys == list(range(found))
    assert asked == [*(one for one in (*range(1, 17), 33, 65) if one < found), *range(found, 70)]
