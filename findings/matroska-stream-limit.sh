#!/usr/bin/env bash
# FFmpeg (libavformat 62.12.102 in PyAV 18.1.0) drops blocks of the *first* track of a Matroska file when the file has
# more tracks than `max_streams`: 71 tracks, limit 64, and the video, which is track 1 and within the limit, comes with
# 38 of its 100 pictures. No error, no warning that reaches PyAV. With the limit at its default of 1000 all 100 come.
# Versions: PyAV 18.1.0 with libavformat 62.12.102 and libavcodec 62.28.102, NumPy 2.4.6; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" av==18.1.0 numpy==2.4.6
cd "$folder"
PYTHONPATH=packages python3 - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

with av.open("film.mkv", "w") as film:
    video = film.add_stream("mpeg4", rate=25)
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    tracks = [film.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(70)]
    for number in range(100):
        frame = av.VideoFrame(64, 48, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([number]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, 25)
        film.mux(video.encode(frame))
        if number % 25 == 0:
            for track in tracks:
                sound = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), format="s16", layout="mono")
                sound.sample_rate, sound.pts, sound.time_base = 8000, number * 320, Fraction(1, 8000)
                film.mux(track.encode(sound))
    film.mux(video.encode(None))


def read(**options):
    with av.open("film.mkv", options=options) as film:
        return len(film.streams), sum(packet.size > 0 for packet in film.demux(video=0))


print("default:        tracks, pictures =", read())
print("max_streams 64: tracks, pictures =", read(max_streams="64"))
assert read() == (71, 100)
assert read(max_streams="64") == (64, 38)
PYTHON
