"""Kills at random, and what is left of the rows: lost, doubled, half-visible; and the work done twice.

    python bench/chaos.py --videos 300 --kills 200 --seed 1

A library and an index on S3 (moto behind a switch), a run that is repeated until it has nothing to do, and
meanwhile, drawn from the seed: `kill -9` of the driver, of model actors, of reading and finishing workers;
the driver frozen and woken; the store refusing (503), slow, or down. A reader looks at the index all the
time.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import av
import boto3
import numpy as np

from jobs.planning.retry import release
from schemas.failures import MediaIndexError
from storage.query.catalog import open_catalog

HERE = Path(__file__).parent
BUCKET = "chaos"
# What a whole video has: see chaos_driver.py.
EVERY_VIDEO = """
WITH v AS (SELECT video_id, count(*) AS n, any_value(duration_ms) AS ms FROM videos GROUP BY video_id),
s AS (SELECT video_id, count(*) AS n, sum(end_ms - start_ms) AS ms FROM scenes GROUP BY video_id),
c AS (SELECT video_id, count(*) AS n FROM characters GROUP BY video_id),
h AS (SELECT video_id, count(*) AS n FROM highlights GROUP BY video_id)
SELECT count(*) FILTER (NOT coalesce(v.n = 1 AND s.n = 2 AND s.ms = v.ms AND c.n = 2 AND h.n = 1, false)),
    count(*) FILTER (v.n > 1 OR s.n > 2 OR c.n > 2 OR h.n > 1), count(*)
FROM (SELECT video_id FROM commits WHERE state = 'rows') LEFT JOIN v USING (video_id)
    LEFT JOIN s USING (video_id) LEFT JOIN c USING (video_id) LEFT JOIN h USING (video_id)"""

WEIGHTS = {
    "driver": 2,
    "actor": 10,
    "reader": 10,
    "frozen driver": 1,
    "store 503": 1,
    "store slow": 1,
    "store down": 1,
}


@dataclass
class Toll:
    """What happened, and what it cost."""

    kills: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    half: int = 0
    doubled: int = 0
    num_aside: int = 0  # videos whose worker was killed twice, so that they were taken for the cause
    exit_codes: Counter[int] = field(default_factory=Counter)


class Arena:
    """The processes of one soak, in one folder."""

    def __init__(self, folder: Path, num_videos: int, seed: int) -> None:
        self.folder = folder
        self.draw = random.Random(seed)
        self.toll = Toll()
        self.num_videos = num_videos
        self.attempts = folder / "attempts"
        self.attempts.touch()
        self._control = folder / "control"
        self.store_is("ok")
        port = 20_000 + os.getpid() % 20_000
        self.endpoint = f"http://127.0.0.1:{port}"
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
            "PYTHONPATH": str(HERE.parent),
        }
        self.store = subprocess.Popen(
            [sys.executable, HERE / "chaos_s3.py", str(port), self._control], stderr=subprocess.DEVNULL
        )
        self.driver: subprocess.Popen[bytes] | None = None

    def store_is(self, state: str) -> None:
        """Switch the store's behaviour, all at once."""
        pending = self._control.with_suffix(".new")
        pending.write_text(state)
        pending.replace(self._control)

    def fill_library(self) -> None:
        """Real short films, no two alike."""
        client = boto3.client("s3", endpoint_url=self.endpoint)
        for _ in range(100):
            try:
                client.create_bucket(Bucket=BUCKET)
                break
            except Exception:  # not up yet
                time.sleep(0.2)
        for number in range(self.num_videos):
            client.put_object(Bucket=BUCKET, Key=f"library/{number:04}.mp4", Body=film(number, self.folder))

    def start(self) -> subprocess.Popen[bytes]:
        """The same command again."""
        arguments = [f"s3://{BUCKET}/library", f"s3://{BUCKET}/index", self.endpoint, self.attempts]
        with (self.folder / "driver.log").open("ab") as log:
            self.driver = subprocess.Popen(
                [sys.executable, HERE / "chaos_driver.py", *map(str, arguments)],
                stderr=log,
                stdout=log,
                start_new_session=True,
            )
        return self.driver

    def workers(self, kind: str) -> list[int]:
        """Process ids of this driver's Ray workers, by what Ray writes over their command line."""
        assert self.driver
        listing = subprocess.run(["ps", "-eo", "pid,sess,args"], capture_output=True, text=True, check=True)
        found = []
        for pid, session, name in (line.split(None, 2) for line in listing.stdout.splitlines()[1:]):
            is_working = name.startswith("ray::") and not name.startswith("ray::IDLE")
            is_actor = name.startswith("ray::_Deferred")
            if int(session) == self.driver.pid and is_working and (kind == "actor") == is_actor:
                found.append(int(pid))
        return found

    def strike(self) -> bool:
        """One blow, drawn by lot. False: there was nobody to hit."""
        assert self.driver
        kind = self.draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        try:
            if kind == "driver":
                os.killpg(self.driver.pid, signal.SIGKILL)
            elif kind == "frozen driver":
                self.driver.send_signal(signal.SIGSTOP)
                time.sleep(self.draw.uniform(1, 20))
                self.driver.send_signal(signal.SIGCONT)
            elif kind.startswith("store"):
                self.store_is(kind.split()[1])
                time.sleep(self.draw.uniform(1, 6))
                self.store_is("ok")
            else:
                victims = self.workers(kind)
                if not victims:
                    return False
                os.kill(self.draw.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.toll.kills[kind] += 1
        return True


def film(number: int, folder: Path) -> bytes:
    path = folder / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(20):
            picture = np.random.default_rng([number, n // 10]).integers(0, 255, (6, 8, 3), np.uint8)
            picture = picture.repeat(8, 0).repeat(8, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def look(arena: Arena) -> int:
    """How many videos readers see; counts what they should never see."""
    with open_catalog(f"s3://{BUCKET}/index", arena.endpoint) as catalog:
        [(half, doubled, visible)] = catalog.query(EVERY_VIDEO).rows
    arena.toll.looks += 1
    arena.toll.half += half
    arena.toll.doubled += doubled
    return int(visible)


def watch(arena: Arena, over: threading.Event) -> None:
    """Look at the index all the time; while the store does not answer, or before there is one, again."""
    while not over.wait(1.0):
        try:
            look(arena)
        except MediaIndexError:
            continue


def soak(arena: Arena, num_kills: int, gap_s: float) -> int:
    """Strike until there were enough, then let the command come to its end. The videos visible then."""
    over = threading.Event()
    reader = threading.Thread(target=watch, args=(arena, over), daemon=True)
    reader.start()
    process = arena.start()
    while sum(arena.toll.kills.values()) < num_kills:
        time.sleep(arena.draw.uniform(0, 2 * gap_s))
        if process.poll() is not None:
            arena.toll.exit_codes[process.returncode] += 1
            if process.returncode in (0, 3) and num_done(arena) >= arena.num_videos:
                print("all videos are done before all kills: use more videos", file=sys.stderr)
                break
            process = arena.start()
        else:
            arena.strike()
    process.wait()
    for _ in range(5):
        process = arena.start()
        code = process.wait()
        arena.toll.exit_codes[code] += 1
        released = release(f"s3://{BUCKET}/index", arena.endpoint, (), (), everything=True)
        arena.toll.num_aside += len(released)
        if code == 0 and not released:
            break
    over.set()
    reader.join()
    return look(arena)


def num_done(arena: Arena) -> int:
    try:
        return look(arena)
    except MediaIndexError:
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap", type=float, default=3, help="seconds between two kills, on average")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(Path(folder), options.videos, options.seed)
        try:
            arena.fill_library()
            visible = soak(arena, options.kills, options.gap)
        finally:
            if arena.driver and arena.driver.poll() is None:
                os.killpg(arena.driver.pid, signal.SIGKILL)
            arena.store.kill()
            print((arena.folder / "driver.log").read_text(errors="replace")[-3000:], file=sys.stderr)
        attempts = len(arena.attempts.read_text().splitlines())
    toll, num_kills = arena.toll, sum(arena.toll.kills.values())
    lost = options.videos - visible
    print(f"{options.videos} videos, {num_kills} kills, seed {options.seed}: {dict(toll.kills)}")
    print(f"rows lost {lost}, doubled {toll.doubled}, half-visible {toll.half} in {toll.looks} looks")
    print(f"{toll.num_aside} set aside as poison, and indexed once they were released")
    redone = attempts - options.videos
    print(f"{attempts} attempts, {redone} more than videos: {redone / max(1, num_kills):.2f} a kill")
    print(f"exit codes {dict(toll.exit_codes)}, {time.monotonic() - started:.0f} s")
    return 1 if lost or toll.doubled or toll.half else 0


if __name__ == "__main__":
    sys.exit(main())
