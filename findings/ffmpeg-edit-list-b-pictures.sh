#!/usr/bin/env bash
# FFmpeg (libavformat 62.12.102 in PyAV 18.1.0) applies an MP4 edit list of two edits with B pictures at the wrong place:
# media 1-4 s, then 9-21 s, both edges on a picture. The list says that the second part begins at 3.000 s and the film
# lasts 15 s; FFmpeg shows its first picture at 3.120 s and the last one past the end. Without B pictures it is right.
# `ignore_editlist=1` gives the media clock, on which the list can be applied exactly.
# Versions: PyAV 18.1.0 with libavformat 62.12.102 and libavcodec 62.28.102, NumPy 2.4.6; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" av==18.1.0 numpy==2.4.6
cd "$folder"
PYTHONPATH=packages python3 - <<'PYTHON'
import struct
from fractions import Fraction

import av

MS = Fraction(1, 1000)


def write(num_b_pictures):
    with av.open("film.mp4", "w", options={"movie_timescale": "1000"}) as film:
        stream = film.add_stream("libx264", rate=25, options={"g": "50", "bf": f"{num_b_pictures}", "b_strategy": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = MS
        at_ms = number = 0
        while at_ms < 21000:  # 25 pictures a second for six seconds, then 10
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number % 200]) * plane.buffer_size)
            frame.pts, frame.time_base = at_ms, MS
            film.mux(stream.encode(frame))
            at_ms, number = at_ms + (40 if at_ms < 6000 else 100), number + 1
        film.mux(stream.encode(None))


def box(data, *path):
    """Start of each box on the way."""
    at, starts = 0, []
    for name in path:
        while data[at + 4 : at + 8] != name:
            at += struct.unpack_from(">I", data, at)[0]
        starts.append(at)
        at += 8
    return starts


def put_edits():
    """Replace the one edit that the muxer wrote; `moov` is last, so no offset into the media changes."""
    with av.open("film.mp4", options={"ignore_editlist": "1"}) as film:
        scale, delay = film.streams.video[0].time_base.denominator, film.streams.video[0].start_time
    with open("film.mp4", "rb") as file:
        data = bytearray(file.read())
    edits = [(3000, 1 * scale + delay), (12000, 9 * scale + delay)]
    entries = b"".join(struct.pack(">IiI", length, media, 1 << 16) for length, media in edits)
    elst = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    edts = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    *outer, at = box(data, b"moov", b"trak", b"edts")
    (old,) = struct.unpack_from(">I", data, at)
    data[at : at + old] = edts
    for start in outer:
        struct.pack_into(">I", data, start, struct.unpack_from(">I", data, start)[0] + len(edts) - old)
    with open("film.mp4", "wb") as file:
        file.write(data)


def second_part():
    """When the first picture that is longer on the screen than 40 ms begins, and the last picture."""
    with av.open("film.mp4") as film:
        stream = film.streams.video[0]
        times = [float(frame.pts * stream.time_base) for frame in film.decode(stream)]
    return times[75], times[-1]


for num_b_pictures, expected in ((0, (3.0, 14.9)), (2, (3.12, 15.02))):
    write(num_b_pictures)
    put_edits()
    print(f"{num_b_pictures} B pictures: second part from {second_part()[0]} s, last picture at {second_part()[1]} s")
    assert second_part() == expected
PYTHON
