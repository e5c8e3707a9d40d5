#!/usr/bin/env bash
# PyAV 18.1.0 opens every input with FFmpeg's GENPTS flag. For H.264 with B pictures in AVI or ASF, which store
# no presentation times, each packet then reads as shown when the next one is decoded: pts = 1, 2, 3, … in stored order.
# The decoder puts pictures in the right order and hands these stamps on with them, so times of pictures in order of
# showing go 1, 3, 4, 2, 6, 7, 5: a reader that sorts by pts, or seeks by it, shows the wrong picture. Clearing bit 0 of
# `container.flags` after opening leaves pts None, which is the truth.
# Versions: PyAV 18.1.0 with libavformat 62.12.102 and libavcodec 62.28.102, NumPy 2.4.6; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" av==18.1.0 numpy==2.4.6
cd "$folder"
PYTHONPATH=packages python3 - <<'PYTHON'
from fractions import Fraction

import av

with av.open("film.avi", "w") as film:
    stream = film.add_stream("libx264", rate=25, options={"bf": "2", "b_strategy": "0", "g": "12"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for number in range(24):
        frame = av.VideoFrame(64, 48, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([number * 9]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, 25)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def stamps(clear):
    with av.open("film.avi") as film:
        if clear:
            film.flags &= ~1
        return [packet.pts for packet in film.demux(video=0) if packet.size]


with av.open("film.avi") as film:
    shown = [frame.pts for frame in film.decode(video=0)]
print("packets as opened:   ", stamps(clear=False)[:8])
print("packets, flag cleared:", stamps(clear=True)[:8])
print("pictures as shown:   ", shown[:8])
assert stamps(clear=False) == list(range(1, 25))
assert stamps(clear=True) == [None] * 24
assert shown[:7] == [1, 3, 4, 2, 6, 7, 5]
PYTHON
