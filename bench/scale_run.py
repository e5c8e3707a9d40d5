"""Runs with a model that does nothing, and the driver's commits and publishes alone."""

import argparse
import json
import os
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from scale_measure import INDEX, LIBRARY, PARTS, apart, recipe, requests, rss_mb, serving


class NoModel:
    """Says one thing about every video, at once."""

    def load(self) -> Any:
        import ray

        from jobs.attempts.tries import ActorLocation

        return ActorLocation(str(ray.get_runtime_context().get_node_id()), "here", "none")

    def pulse(self) -> float:
        return 0.0

    def index_video(self, work: Any, upcoming: Any) -> Any:
        from ray import cloudpickle

        from jobs.attempts.tries import AttemptResult
        from schemas.usage import Usage

        return AttemptResult(Usage(), cloudpickle.dumps(said_of()))


def said_of() -> Any:
    """A summary and two characters: rows that need no picture."""
    from jobs.answers.analysis import Analysis
    from jobs.answers.asking import PromptAnswer
    from jobs.answers.records import Record
    from schemas.answers import Answer, CharacterAnswer, SummaryAnswer
    from videoxl2.frames import MediaInfo, SamplingGrid

    info = MediaInfo("mp4", "h264", (), 96, 64, 0, 25, 1, False, 20_000, 0, 500, "exact", None, 9, ())
    prompts = {prompt.name: prompt for prompt in recipe().prompts}
    answers: dict[str, list[Answer]] = {
        "summary": [SummaryAnswer(summary="Two people meet in a park and talk about the weather.")],
        "characters": [
            CharacterAnswer(label=label, kind="person", description="wears a hat") for label in "ab"
        ],
    }
    told = tuple(
        PromptAnswer(prompts[name], "", tuple(Record(a, 1.0, 1.0, False, False) for a in said), None, 0, 0)
        for name, said in answers.items()
    )
    return Analysis(info, SamplingGrid(Fraction(1), 20), tuple(range(0, 20_000, 1000)), (), told)


class Watch:
    """CPU, memory and time of this process at every hundredth video, in lines."""

    def __init__(self) -> None:
        self.num_done = 0
        self.marks: list[tuple[int, float, float]] = []
        self.started = time.perf_counter()

    def __call__(self, *_: object) -> None:
        self.num_done += 1
        if self.num_done % 100 == 0:
            self.marks.append((self.num_done, time.process_time(), rss_mb()))
            if self.num_done % 5000 == 0:
                seconds = f"{time.perf_counter() - self.started:.0f} s"
                print(self.num_done, seconds, self.slopes(), flush=True, file=sys.__stdout__)

    def slopes(self) -> dict[str, float]:
        """Per video, from the first third on: by then every page of code and pool of memory is in use."""
        (n0, cpu0, mb0), (n1, cpu1, mb1) = self.marks[len(self.marks) // 3], self.marks[-1]
        if n1 == n0:
            return {}
        return {
            "CPU ms": round((cpu1 - cpu0) / (n1 - n0) * 1e3, 2),
            "bytes": round((mb1 - mb0) / (n1 - n0) * 1e6),
        }


def run_library(url: str, index: str, num_videos: int) -> dict[str, Any]:
    import ray
    from rich.console import Console

    import jobs.driver.execution
    import jobs.driver.run
    import jobs.driver.settling.settle
    from jobs.driver.telling.progress import Progress
    from jobs.settings.config import resolve

    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # workers import nothing but what is installed
    watch = Watch()
    indexed = jobs.driver.settling.settle.IndexSettler.indexed

    def counted(self: Any, *arguments: Any) -> None:
        indexed(self, *arguments)
        watch()

    jobs.driver.settling.settle.IndexSettler.indexed = counted  # type: ignore[assignment]
    options = {"num_cpus": 0, "max_restarts": 0, "max_task_retries": 0, "enable_task_events": False}
    remote = ray.remote(NoModel).options(**options)
    jobs.driver.execution.start_actor = lambda *_: remote.remote()  # type: ignore[attr-defined]
    settings = {"library": LIBRARY, "index": index, "endpoint_url": url, "num_actors": 2}
    parrot = Path(__file__).parents[1] / "tests" / "data" / "parrot"
    with Path(os.devnull).open("w") as nowhere:
        row = jobs.driver.run.run(
            resolve({**settings, "model": str(parrot)}),
            Progress(Console(file=nowhere)),
            makes_index=True,
        )
    return {"indexed": row.num_indexed, "exit code": row.exit_code, "a video": watch.slopes()}


def bench_run(options: argparse.Namespace) -> None:
    """From the listing to the last publish, index on a disk and on the stand-in."""
    for place in ("disk", "S3"):
        if options.only and options.only != place:
            continue
        with tempfile.TemporaryDirectory() as folder, serving("--keys", options.videos) as url:
            if place == "disk":
                index = f"{folder}/index"
                print("| disk |", apart(run_library, url, index, options.videos), requests(url), flush=True)
                describe(Path(index))
            else:
                print("| S3 |", run_on_s3(url, options.videos), flush=True)


def run_on_s3(url: str, num_videos: int) -> dict[str, Any]:
    """Library and index are buckets of one endpoint, so it is the stand-in with bodies."""
    measured = apart(run_library, url, INDEX, num_videos)
    counted = requests(url)
    return measured | {"requests": {kind: round(n / num_videos, 4) for kind, n in counted.items()}}


def describe(index: Path) -> None:
    snapshots = sorted((index / "snapshots").glob("*.json"))
    parts = json.loads(snapshots[-1].read_text())["parts"]
    print(
        f"{len(snapshots)} snapshots, the last one {snapshots[-1].stat().st_size / 1e3:.0f} kB with",
        {table: len(keys) for table, keys in parts.items()},
        flush=True,
    )


def settle(index_url: str, num_videos: int, publish_every: int) -> dict[str, Any]:
    """Commits and publishes as `IndexSettler` does them, with a publish every so many videos."""
    from datetime import UTC, datetime

    from jobs.answers.rows import RowBuilder
    from jobs.attempts.work import Work
    from schemas.identity import VideoId, VideoObject
    from schemas.plan import PlannedVideo, Reason
    from storage.index.commits.bundles import encode_bundle
    from storage.index.index import open_index

    index, said, made = open_index(index_url, create=True), said_of(), recipe()
    watch, encoding, publishing = Watch(), 0.0, []
    pending: list[tuple[VideoId, str]] = []
    for n in range(num_videos):
        began = time.process_time()
        video = VideoObject(f"{LIBRARY}/videos/{n:08}.mp4", 10**9, 0, etag=f"{n:032x}")
        planned = PlannedVideo(video, video.analysis_key(made.recipe_id), Reason.NEW)
        builder = RowBuilder(Work.first(planned, 1000), made, "run", datetime.now(UTC))
        bundle = encode_bundle(builder.bundle(said, builder.answer_rows(said, {})))
        encoding += time.process_time() - began  # another process's work
        index.commit(video.video_id, planned.analysis_key, bundle)
        pending.append((video.video_id, planned.analysis_key))
        if len(pending) == publish_every:
            began = time.process_time()
            index.publish(pending)
            publishing.append(time.process_time() - began)
            pending = []
        watch()
    cpu = time.process_time() - encoding
    first, last = publishing[:20], publishing[-20:]
    return {
        "CPU ms a video": round(cpu / num_videos * 1e3, 2),
        "of it publishing": round(sum(publishing) / num_videos * 1e3, 2),
        "a publish, the first 20": round(sum(first) / len(first), 3),
        "a publish, the last 20": round(sum(last) / len(last), 3),
        "memory a video": watch.slopes().get("bytes"),
    }


def bench_settle(options: argparse.Namespace) -> None:
    """A publish for every 250 videos, and as many publishes of few videos."""
    with tempfile.TemporaryDirectory() as folder:
        index = f"{folder}/index"
        print("250 a publish", apart(settle, index, options.videos, 250), flush=True)
        describe(Path(index))
        print("5 a publish", apart(settle, f"{folder}/few", 5 * PARTS, 5), flush=True)
        describe(Path(folder) / "few")
