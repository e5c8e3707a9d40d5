"""Transport streams put together byte by byte: what is sound is called so, and what is lost is said."""

from fractions import Fraction

import numpy as np
import pytest

from videoxl2.frames import plan_sampling, probe, read_frames
from videoxl2.frames.files.formats.continuity import Breaks, find_breaks
from videoxl2.frames.files.formats.programme_maps import changes_kind

SIZE = 96
COUNT_ON = {"mpegts_copyts": "1"}
TICK = Fraction(1, 90_000)
NULL = bytes([0x47, 0x1F, 0xFF, 0x10]) + bytes(184)  # a packet that carries nothing
X264 = {"preset": "ultrafast", "g": "20", "bf": "2"}


@pytest.fixture(scope="module")
def parts(make):
    """Two seconds each of one clock, H.264 with B pictures and MPEG-2, and one with another PID."""

    def part(name, start_s, codec="libx264", pid="256", **more):
        options = X264 if codec == "libx264" else {"g": "12", "bf": "2", "b": "2M"}
        formats = {**COUNT_ON, "mpegts_start_pid": pid}
        recipe = {"num_frames": 50, "codec": codec, "codec_options": options, "format_options": formats}
        base = TICK if codec == "libx264" else None
        return make(name, start_s=Fraction(start_s), time_base=base, **{**recipe, **more}).read_bytes()

    return part


def _glued(path, *parts):
    path.write_bytes(b"".join(parts))
    return path


def _read(path):
    info = probe(path)
    spans = list(read_frames(path, plan_sampling(info, Fraction(25)), SIZE, info=info))
    return info, {word for span in spans for word in span.warnings}, np.concatenate([s.flags for s in spans])


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize(("second_s", "words"), [(12, ()), (1, ("clock_joined",)), (900, ("clock_joined",))])
def test_a_sound_joint_is_no_damage(tmp_path, parts, codec, second_s, words):
    """`cat a.ts b.ts`, on one clock, set back or set forward: nothing is corrupt, no frame is in doubt."""
    one, two = parts("one.ts", 10, codec), parts("two.ts", second_s, codec)
    path = _glued(tmp_path / "glued.ts", one, two, parts("three.ts", second_s + 2, codec))
    info, said, flags = _read(path)
    assert (info.warnings, info.duration_ms, info.timestamps) == (words, 6000, "exact")
    assert (said, flags.any()) == (set(), False)


def test_the_end_of_a_picture_lost_before_a_table_is_no_joint(tmp_path, parts):
    """Tables count on there. A clock in the packet before the loss does not fill it up."""
    whole = parts("whole.ts", 10)
    packets = [whole[at : at + 188] for at in range(0, len(whole), 188)]
    pids = [int.from_bytes(packet[1:3]) & 0x1FFF for packet in packets]
    tables = [n for n, pid in enumerate(pids) if pid == 0 and 256 in pids[:n]]
    ends = {max(n for n in range(table) if pids[n] == 256) for table in tables}
    lost = [n for n in ends if not packets[n][1] & 0x40]
    assert len(lost) > 5
    for end in lost:
        path = _glued(tmp_path / "hole.ts", *packets[:end], *packets[end + 1 :])
        breaks = find_breaks(path, {256})
        assert (breaks.joins, len(breaks.losses)) == ((), 1), end


def test_packets_lost_at_a_joint_are_said(tmp_path, parts):
    """The first file's last packets, or the second one's first ones, are missing."""
    one, two = parts("one.ts", 10), parts("two.ts", 12)
    tails = {f"tail {n}": one[: -188 * n] + two for n in (1, 2, 5, 12)}
    for name, glued in {**tails, "head": one + two[188 * 8 :]}.items():
        info, *_ = _read(_glued(tmp_path / f"{name}.ts", glued))
        assert "corrupt_packets" in info.warnings, name


def test_packets_lost_elsewhere_are_said(tmp_path, parts):
    """A sound joint does not excuse a loss before it."""
    one, two = parts("one.ts", 10), parts("two.ts", 12)
    middle = len(one) // 188 // 2 * 188
    path = _glued(tmp_path / "hole.ts", one[:middle], one[middle + 188 * 3 :], two)
    info, said, flags = _read(path)
    assert "corrupt_packets" in info.warnings
    assert "damaged_frames" in said
    assert flags.any()


def test_a_picture_cut_short_by_a_joint_is_in_doubt(tmp_path, parts):
    """Whether it was shown for less than those before it, or the files overlap, nobody can know."""
    slow = tuple(Fraction(n) for n in range(12))
    one = parts("one.ts", 10, num_frames=12, times=slow)
    path = _glued(tmp_path / "overlap.ts", one, parts("two.ts", Fraction(214, 10)))
    info, *_ = _read(path)
    assert info.timestamps == "estimated"
    assert "timestamps_estimated" in info.warnings


def test_streams_that_appear_in_the_middle_are_said(tmp_path, parts):
    """Those that FFmpeg meets neither at the start nor at the end cannot be read: never in silence."""
    one, later = parts("one.ts", 10), parts("later.ts", 14)
    other = parts("other.ts", 12, pid="512")
    path = _glued(tmp_path / "middle.ts", one, NULL * 30_000, other, NULL * 30_000, later)
    info, said, _ = _read(path)
    assert "streams_unread" in info.warnings
    assert "streams_unread" in said


@pytest.mark.parametrize("pid", ["256", "512"])
@pytest.mark.parametrize(("first", "then"), [("libx264", "mpeg2video"), ("mpeg2video", "libx264")])
@pytest.mark.parametrize("second_s", [12, 900])
def test_a_joint_to_another_codec_is_said(tmp_path, parts, first, then, pid, second_s):
    """Under the same PID, whose kind the tables behind the joint change, or under one of its own."""
    glued = parts("one.ts", 10, first) + parts("two.ts", second_s, then, pid)
    info, said, _ = _read(_glued(tmp_path / "glued.ts", glued))
    assert "streams_unread" in info.warnings
    assert pid != "256" or "missing_frames" in said


def test_a_flipped_bit_in_a_table_is_no_other_codec(tmp_path, parts):
    """A table whose checksum is not right says nothing, wherever the bit lies."""
    data = parts("one.ts", 10)
    at = data.rindex(b"\x1b\xe1\x00")  # H.264 under PID 256
    for place, bit in ((0, 1), (0, 0x80), (1, 0x10), (2, 1)):
        harmed = bytearray(data)
        harmed[at + place] ^= bit
        assert not changes_kind(_glued(tmp_path / "harmed.ts", harmed), {256, 257}), (place, bit)
    told = _glued(tmp_path / "told.ts", data, parts("two.ts", 12, "mpeg2video"))
    assert changes_kind(told, {256})


def test_counts_are_followed_in_packets_of_192_bytes(tmp_path, parts):
    """As discs have them; what is no stream of packets has no answer."""
    one, two = parts("one.ts", 10), parts("two.ts", 12)
    path = _glued(
        tmp_path / "disc.m2ts",
        *(bytes(4) + (one + two)[at : at + 188] for at in range(0, len(one + two), 188)),
    )
    assert find_breaks(path, {256}) == Breaks(joins=(len(one) // 188 * 192 + 3 * 192,))
    assert find_breaks(_glued(tmp_path / "noise.ts", bytes(5000)), {256}) is None
