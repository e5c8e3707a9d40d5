#!/usr/bin/env bash
# SVT-AV1 4.1.0 (libsvtav1 of PyAV 18.1.0): run as root, the thread that opens the encoder is given SCHED_FIFO with
# priority 99 and keeps it after the encoder is closed. Threads and processes that it starts later inherit it, `nice`
# has no say, and everything else on the machine gets what these leave, about 5 % of each core: a test that encodes one
# AV1 clip makes all tests after it real-time. Setting SCHED_OTHER again after encoding is enough. Without the right to
# do so (no root, no CAP_SYS_NICE) the encoder leaves the thread as it is.
# Versions: PyAV 18.1.0, NumPy 2.4.6; Python 3.11; Linux; November 2026. Run it as root.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" av==18.1.0 numpy==2.4.6
cd "$folder"
SVT_LOG=1 PYTHONPATH=packages python3 - <<'PYTHON'
import os

import av
import numpy as np

before = os.sched_getscheduler(0)
with av.open("film.mkv", "w") as film:
    stream = film.add_stream("libsvtav1", rate=10, options={"preset": "12"})
    stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
    for number in range(3):
        picture = np.full((128, 128, 3), 60 * number, np.uint8)
        film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    film.mux(stream.encode(None))
after, priority = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
print(f"policy {before} before, {after} with priority {priority} after the encoder is closed")
assert (before, after, priority) == (os.SCHED_OTHER, os.SCHED_FIFO, 99)
PYTHON
