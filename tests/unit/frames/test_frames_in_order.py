"""Pictures without times of their own, entered far into the film, are those that decoding all of it gives."""

from fractions import Fraction

import numpy as np
import pytest

from videoxl2.frames import SamplingGrid, Span, probe, read_span, read_spans
from videoxl2.frames.files.decoder import Decoder
from videoxl2.frames.reading.film import Film

SIZE = 96
RATE = 25
OPEN = "open-gop=1:scenecut=0:keyint=24:min-keyint=24"


class _Counted(Decoder):
    """Notes how many packets a decoder is fed."""

    num_fed = 0

    def _decode(self, packet):
        _Counted.num_fed += packet is not None
        return super()._decode(packet)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("closed.avi", {"bf": "2", "g": "25", "sc_threshold": "0"}),
        ("pyramid.avi", {"bf": "6", "g": "40", "x264-params": "b-adapt=0:b-pyramid=normal:scenecut=0"}),
        ("open.avi", {"bf": "3", "x264-params": f"{OPEN}:b-adapt=0"}),
        ("open.asf", {"bf": "2", "x264-params": OPEN}),
        ("stored.mxf", {"bf": "2", "x264-params": OPEN}),
    ],
)
def test_a_span_far_into_a_film_is_entered_near_it(make, numbers, monkeypatch, name, options):
    """Every picture and time is right, and what is decoded for a span does not grow with its place."""
    monkeypatch.setattr("videoxl2.frames.reading.reader.Decoder", _Counted)
    path = make(name, codec_options={"preset": "ultrafast", **options}, num_frames=400)
    info = probe(path)
    assert info.clock.order is not None
    grid = SamplingGrid(Fraction(1, RATE), info.num_frames)
    fed = []
    for first in (3, 97, 201, 240, 333, 390):
        _Counted.num_fed = 0
        span = read_span(path, info, grid, Span(first, first + 8), SIZE)
        fed.append(_Counted.num_fed)
        assert numbers(span.frames) == list(range(first, first + 8))
        assert span.pts_ms.tolist() == [n * 1000 // RATE for n in range(first, first + 8)]
        assert span.warnings == ()
        assert not span.flags.any()
    assert max(fed) <= 4 * 40


def test_sparse_targets_leave_out_what_lies_between_them(make, numbers, monkeypatch):
    """Read in one pass or apart, the pictures are the same, and not all of them are decoded."""
    monkeypatch.setattr("videoxl2.frames.reading.reader.Decoder", _Counted)
    options = {"preset": "ultrafast", "bf": "2", "x264-params": "keyint=12:min-keyint=12:open-gop=1"}
    path = make("sparse.avi", codec_options=options, num_frames=600)
    info = probe(path)
    grid = SamplingGrid(Fraction(5), 5)
    _Counted.num_fed = 0
    spans = grid.spans(1)
    whole = list(read_spans(path, info, grid, spans, SIZE))
    assert _Counted.num_fed < 300
    assert [numbers(span.frames) for span in whole] == [[125 * n] for n in range(5)]
    for span, alone in zip(spans, whole, strict=True):
        assert np.array_equal(read_span(path, info, grid, span, SIZE).frames, alone.frames)


@pytest.mark.parametrize(
    ("codec", "options", "is_known"),
    [("msmpeg4", {"g": "50", "b": "2M"}, True), ("snow", {"g": "50", "b": "2M", "strict": "-2"}, False)],
)
def test_without_an_index_nothing_but_true_keys_is_entered(make, numbers, codec, options, is_known):
    """FFmpeg takes every packet of such an AVI for a key; where its own bits do not say, all is decoded."""
    path = make(f"bare-{codec}.avi", codec=codec, codec_options=options, num_frames=200)
    path.write_bytes(path.read_bytes().replace(b"idx1", b"JUNK"))
    info = probe(path)
    assert (info.clock.order is None) is is_known
    assert is_known or (info.clock.order and not info.clock.order.has_keys)
    span = read_span(path, info, SamplingGrid(Fraction(1, RATE), info.num_frames), Span(150, 158), SIZE)
    assert numbers(span.frames) == list(range(150, 158))


def test_packets_that_only_claim_to_be_keys_cost_time_only(make, numbers, monkeypatch):
    """A key from which no decoding can start is found out, and said as `read_in_order`."""
    path = make("some.avi", codec_options={"preset": "ultrafast", "bf": "2", "g": "100"}, num_frames=200)
    stamped = Film.stamped

    def lying(film, damage):
        for number, (packet, stamp) in enumerate(stamped(film, damage)):
            packet.is_keyframe = packet.is_keyframe or number in (40, 50, 120)
            yield packet, stamp

    monkeypatch.setattr(Film, "stamped", lying)
    info = probe(path)
    grid = SamplingGrid(Fraction(1, RATE), info.num_frames)
    for first in (80, 180):
        span = read_span(path, info, grid, Span(first, first + 8), SIZE)
        assert numbers(span.frames) == list(range(first, first + 8))
        assert "read_in_order" in span.warnings
