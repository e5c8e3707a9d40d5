#!/usr/bin/env bash
# libavfilter's detectors in PyAV 18.1.0: an event that lasts to the end of a film has a start and no end in the metadata
# of pictures and sound. A film whose last second is black gives `lavfi.black_start` alone, one that ends in silence
# `lavfi.silence_start` alone, also after the end has been sent through the graph; the same second in the middle of the
# film has both. Whoever reads spans from metadata loses those at the end, which is where films are black and silent.
# Versions: PyAV 18.1.0 (FFmpeg 8.1), Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install --quiet --disable-pip-version-check --target packages av==18.1.0 numpy==2.4.6
cat > events.py <<'PYTHON'
from fractions import Fraction

import av
import av.filter
import numpy as np


def pulled(graph):
    while True:
        try:
            yield graph.pull()
        except (BlockingIOError, EOFError):
            return


def events(graph, frames, prefix):
    graph.configure()
    found = set()
    for frame in [*frames, None]:
        graph.push(frame)
        for out in pulled(graph):
            found |= {key for key in out.metadata if key.startswith(prefix)}
    return found


def pictures(black_from, black_to):
    for number in range(100):
        shade = 0 if black_from <= number < black_to else 128
        frame = av.VideoFrame.from_ndarray(np.full((64, 64), shade, np.uint8), format="gray").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        yield frame


def sounds(silent_from, silent_to):
    wave = (np.sin(np.arange(1000) / 5) * 8000).astype(np.int16)
    for number in range(64):
        samples = np.zeros_like(wave) if silent_from <= number < silent_to else wave
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, number * 1000, Fraction(1, 16000)
        yield frame


def black(first, last):
    graph = av.filter.Graph()
    source = graph.add_buffer(width=64, height=64, format="yuv420p", time_base=Fraction(1, 25))
    detector, sink = graph.add("blackdetect", "d=0.5"), graph.add("buffersink")
    source.link_to(detector)
    detector.link_to(sink)
    return events(graph, pictures(first, last), "lavfi.black")


def silence(first, last):
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=16000, format="s16", layout="mono", time_base=Fraction(1, 16000))
    detector, sink = graph.add("silencedetect", "d=0.5"), graph.add("abuffersink")
    source.link_to(detector)
    detector.link_to(sink)
    return events(graph, sounds(first, last), "lavfi.silence")


inside, at_end = black(25, 50), black(75, 100)
print("black inside:", *sorted(inside), "| at the end:", *sorted(at_end))
assert inside == {"lavfi.black_start", "lavfi.black_end"}
assert at_end == {"lavfi.black_start"}
inside, at_end = silence(16, 32), silence(48, 64)
print("silence inside:", *sorted(inside), "| at the end:", *sorted(at_end))
assert {"lavfi.silence_start", "lavfi.silence_end"} <= inside
assert "lavfi.silence_start" in at_end and "lavfi.silence_end" not in at_end
PYTHON
PYTHONPATH=packages python3 events.py
echo "as described"
