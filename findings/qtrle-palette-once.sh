#!/usr/bin/env bash
# QuickTime Animation (qtrle) in 8 bit, a common intermediate of old archives: FFmpeg (libavformat 62.12.102 in PyAV
# 18.1.0) hands the palette on as side data of one packet, the first that is read after opening. After a seek, or
# where packets before the wanted key picture are skipped, the decoder never sees it: pictures come out black, flagged
# by nothing.
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

with av.open("film.mov", "w") as film:
    stream = film.add_stream("qtrle", rate=25, options={"g": "10"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
    for number in range(100):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64), 40 + number, np.uint8), format="gray")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def brightness(frame):
    return int(frame.to_ndarray(format="rgb24")[0, 0, 0])


with av.open("film.mov") as film:
    whole = {frame.pts: brightness(frame) for frame in film.decode(video=0)}
with av.open("film.mov") as film:
    stream = film.streams.video[0]
    film.seek(list(whole)[55], stream=stream)
    after_seek = {frame.pts: brightness(frame) for frame in film.decode(stream)}
first = min(after_seek)
print(f"picture at {first}: brightness {whole[first]} read from the start, {after_seek[first]} after a seek")
assert list(whole.values()) == list(range(40, 140))
assert set(after_seek.values()) == {0}
PYTHON
