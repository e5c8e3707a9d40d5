"""The header of MP4 and QuickTime files, as written by a muxer and by hand."""

import random
from fractions import Fraction
from pathlib import Path

import pytest

from videoxl2.frames.files.formats import boxes
from videoxl2.frames.files.formats.boxes import Edit, read_movie
from videoxl2.frames.files.formats.fragments import change_description


def box(kind: bytes, *parts: bytes, wide: bool = False) -> bytes:
    """A box, with a size of 4 or of 8 bytes."""
    body = b"".join(parts)
    if wide:
        return (1).to_bytes(4) + kind + (len(body) + 16).to_bytes(8) + body
    return (len(body) + 8).to_bytes(4) + kind + body


def clock(scale: int, version: int = 0) -> bytes:
    """The head of `mvhd` and `mdhd`."""
    return bytes([version, 0, 0, 0]) + bytes(16 if version else 8) + scale.to_bytes(4) + bytes(8)


def elst(*edits: tuple[int, int], version: int = 0, rate: int = 1 << 16) -> bytes:
    """(length, media) in ticks of the movie and of the track."""
    wide = 8 if version else 4
    entries = [
        length.to_bytes(wide) + media.to_bytes(wide, signed=True) + rate.to_bytes(4, signed=True)
        for length, media in edits
    ]
    return box(b"elst", bytes([version, 0, 0, 0]), len(edits).to_bytes(4), *entries)


def trak(track_id: int = 1, *more: bytes, edits: bytes = b"", version: int = 0) -> bytes:
    """A track of 600 ticks a second."""
    head = bytes([version, 0, 0, 7]) + bytes(16 if version else 8) + track_id.to_bytes(4)
    handler = box(b"hdlr", bytes(4), b"mhlrvide", bytes(12))
    alias = box(b"hdlr", bytes(4), b"dhlralis", bytes(12))
    table = box(b"stbl", box(b"stsd", bytes(4), (1).to_bytes(4), box(b"avc1", b"entry")))
    media = box(b"mdia", box(b"mdhd", clock(600, version)), handler, box(b"minf", alias, table))
    return box(b"trak", box(b"tkhd", head), box(b"edts", edits) if edits else b"", *more, media)


def movie(*parts: bytes) -> bytes:
    """A movie of 1000 ticks a second."""
    return box(b"moov", box(b"mvhd", clock(1000)), *parts)


def read(tmp_path: Path, *parts: bytes) -> boxes.Movie | None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"".join(parts))
    return read_movie(path)


@pytest.mark.parametrize("version", [0, 1])
def test_tracks_are_read_with_their_edits(tmp_path, version):
    """Numbers of 4 and of 8 bytes; a wait has no media, the rate is a fraction of 65536."""
    edits = elst((3000, -1), (2500, 1200), (0, 7), version=version)
    reference = box(b"tref", box(b"tmcd", (2).to_bytes(4)))
    found = read(tmp_path, box(b"ftyp", b"qt  "), movie(trak(1, reference, edits=edits, version=version)))
    (track,) = found.tracks
    assert (track.track_id, track.handler, track.timescale, track.timecode_ids) == (1, b"vide", 600, (2,))
    assert track.edits == (
        Edit(Fraction(3), None, Fraction(1)),
        Edit(Fraction(5, 2), 1200, Fraction(1)),
        Edit(Fraction(0), 7, Fraction(1)),
    )
    assert tuple(track.description()) == (b"avc1", b"entry")
    assert not found.is_fragmented
    assert found.track(1) is track
    assert found.track(2) is None


def test_the_header_may_come_last_and_say_its_size_in_eight_bytes(tmp_path):
    """After the pictures, as cameras write it, and wide boxes on both levels."""
    found = read(tmp_path, box(b"mdat", bytes(999), wide=True), movie(trak(5), box(b"mvex")))
    assert [track.track_id for track in found.tracks] == [5]
    assert found.tracks[0].edits == ()
    assert found.is_fragmented


def test_half_speed_is_told(tmp_path):
    """So that who applies edits can refuse."""
    found = read(tmp_path, movie(trak(edits=elst((100, 0), rate=1 << 15))))
    assert found.tracks[0].edits[0].rate == Fraction(1, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        b"RIFF\0\0\0\0AVI ",
        box(b"ftyp", b"isom"),
        box(b"moov"),
        box(b"moov", box(b"cmov", bytes(40))),
        b"\0\0\0\4free" + movie(trak()),
        b"\0\0\0\1free" + b"\xff" * 8 + movie(trak()),
    ],
)
def test_what_has_no_header_to_be_read_is_none(tmp_path, data):
    """Also a packed one, and a file whose boxes lead nowhere."""
    assert read(tmp_path, data) is None


def test_limits_hold(tmp_path, monkeypatch):
    """A long list of edits is no list, a large header is not read."""
    many = read(tmp_path, movie(trak(edits=elst(*[(1, 0)] * (boxes.MAX_EDITS + 1)))))
    assert many.tracks[0].edits is None
    monkeypatch.setattr(boxes, "MAX_MOOV_BYTES", 100)
    assert read(tmp_path, movie(trak())) is None


def test_no_bytes_make_it_fail(tmp_path):
    """Cut at every place, and with wrong bytes anywhere: read as far as it makes sense."""
    sound = movie(trak(1, edits=elst((3000, -1), (2500, 1200))), trak(2, edits=elst((1, 1), version=1)))
    for end in range(len(sound)):
        read(tmp_path, sound[:end])
    draw = random.Random(7)
    for _ in range(500):
        bad = bytearray(sound)
        for _ in range(draw.randint(1, 4)):
            bad[draw.randrange(8, len(bad))] = draw.choice((0, 1, 255, draw.randrange(256)))
        read(tmp_path, bytes(bad))


def fragment(track_id: int, description: int | None, base: int | None = None) -> bytes:
    """The head of one: which description it names, and where its bytes are counted from."""
    flags = 2 * (description is not None) + (base is not None)
    fields = b"".join((b"" if base is None else base.to_bytes(8), (description or 0).to_bytes(4)))
    head = box(b"tfhd", flags.to_bytes(4), track_id.to_bytes(4), fields)
    return box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", head, box(b"trun", bytes(8))))


@pytest.mark.parametrize(
    ("num_descriptions", "fragments", "changes"),
    [
        (2, [fragment(1, 1), fragment(1, 2)], True),
        (2, [fragment(1, 1, base=2), fragment(1, 2, base=1)], True),
        (2, [fragment(1, 1), fragment(1, 1, base=2), fragment(1, None), fragment(2, 2)], False),
        (1, [fragment(1, 1), fragment(1, 2)], False),
        (2, [], False),
    ],
)
def test_fragments_say_by_which_description_they_are_coded(tmp_path, num_descriptions, fragments, changes):
    stsd = box(b"stsd", bytes(4), num_descriptions.to_bytes(4), *[box(b"avc1", bytes(78))] * num_descriptions)
    track = trak(1, box(b"minf", box(b"stbl", stsd)))
    path = tmp_path / "film.mp4"
    path.write_bytes(box(b"moov", box(b"mvhd", clock(1000)), track, box(b"mvex")) + b"".join(fragments))
    assert change_description(path, 1) is changes
