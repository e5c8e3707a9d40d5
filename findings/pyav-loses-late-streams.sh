#!/usr/bin/env bash
# PyAV 18.1.0 on a transport stream whose video moves to another PID in the middle and comes back (a recorder that
# was retuned): FFmpeg adds a stream when it meets the new PID, PyAV made its list of streams when it opened the file.
# `demux()` drops every packet of the new stream without a word and then, at the end of the file, raises
# IndexError: list index out of range. A third of the film is missing; the IndexError is the only sign of it.
# Versions: PyAV 18.1.0 with libavformat 62.12.102 and libavcodec 62.28.102, NumPy 2.4.6; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" av==18.1.0 numpy==2.4.6
cd "$folder"
PYTHONPATH=packages python3 - <<'PYTHON'
from fractions import Fraction

import av


def piece(name, pid, first):
    with av.open(name, "w", format="mpegts", options={"mpegts_start_pid": str(pid), "mpegts_copyts": "1"}) as film:
        stream = film.add_stream("libx264", rate=25, options={"bf": "0", "g": "25"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(first, first + 3000):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 9 % 256]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    with open(name, "rb") as file:
        return file.read()


with open("film.ts", "wb") as file:
    file.write(piece("1.ts", 0x100, 0) + piece("2.ts", 0x200, 3000) + piece("3.ts", 0x100, 6000))

num_packets, ended = 0, "without an error"
with av.open("film.ts") as film:
    pids = [stream.id for stream in film.streams]
    try:
        for packet in film.demux():
            num_packets += packet.size > 0
    except IndexError as error:
        ended = f"IndexError: {error}"
print(f"written: 9000 pictures; streams at opening: {pids}; packets: {num_packets}; ended {ended}")
assert pids == [0x100]
assert num_packets == 6000
assert ended == "IndexError: list index out of range"
PYTHON
