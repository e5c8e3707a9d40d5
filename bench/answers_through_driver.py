"""What a video's answers cost the driver on their way from the model's actor to the task that finishes it.

A video's answers (120 scenes an hour) go through an actor, the driver and a task, in three ways

* `opened`: the driver gets the analysis and hands it on, so Ray unpickles and pickles it there;
* `packed`: the actor pickles it, the driver gets and hands on bytes (what a run does);
* `reference`: the driver sees a receipt alone and hands on the reference.

CPU milliseconds of the driver's process a video (all its threads), rounds interleaved. Then the actor's
machine is lost, really: a second node of a local Ray is killed between the actor's return and the task, and
the driver looks whether the task still gets the answers.

    python bench/answers_through_driver.py [--hours 1] [--videos 100] [--rounds 3]
"""

import argparse
import logging
import pickle
import statistics
import sys
import time
from contextlib import redirect_stdout
from fractions import Fraction
from typing import Any

import ray
from ray import cloudpickle
from ray.cluster_utils import Cluster

from jobs.answers.analysis import Analysis
from jobs.answers.asking import PromptAnswer
from jobs.answers.records import Record
from jobs.prompts.pack import load_packs
from schemas.answers import SceneAnswer
from videoxl2.frames import MediaInfo, SamplingGrid

WAYS = ("opened", "packed", "reference")
INFO = MediaInfo("mp4", "h264", (), 96, 64, 0, 25, 1, False, 3_600_000, 0, 500, "exact", None, 9, ())


def answers_about(hours: int) -> Analysis:
    """So many hours of video."""
    prompt = next(prompt for prompt in load_packs() if prompt.name == "scenes")
    text = "a man in a coat walks along the street"
    said: dict[str, Any] = dict.fromkeys(("title", "summary", "setting", "mood"), text)
    said |= {name: ["walks", "talks"] for name in ("actions", "objects", "tags", "characters")}
    scenes = [
        SceneAnswer(start_ms=30_000 * n, end_ms=30_000 * (n + 1), time_of_day="day", **said)
        for n in range(120 * hours)
    ]
    records = tuple(Record(one, 1.0, 1.0, is_truncated=False, is_repeated=False) for one in scenes)
    answer = PromptAnswer(prompt, "x" * 40_000 * hours, records, None, 0, 0)
    sampled = tuple(range(0, 2_048_000, 1000))
    return Analysis(INFO, SamplingGrid(Fraction(1), 2048), sampled, (), (answer,))


class Actor:
    """Answers every video alike."""

    def __init__(self, hours: int) -> None:
        self.analysis = answers_about(hours)

    def opened(self) -> Analysis:
        return self.analysis

    def packed(self) -> bytes:
        return cloudpickle.dumps(self.analysis)

    def reference(self) -> tuple[float, Analysis]:
        return 1.0, self.analysis


@ray.remote(num_cpus=0)
def finish(answers: Analysis | bytes) -> int:
    analysis = pickle.loads(answers) if isinstance(answers, bytes) else answers
    return len(analysis.sampled_ms)


def call(actor, way: str):
    """One video's answers, as the driver holds them."""
    if way != "reference":
        return ray.get(getattr(actor, way).remote())
    receipt, answers = actor.reference.options(num_returns=2).remote()
    ray.get(receipt)
    return answers


def cpu_ms(actor, way: str, num_videos: int) -> float:
    started = time.process_time()
    for _ in range(num_videos):
        assert ray.get(finish.remote(call(actor, way))) == 2048
    return (time.process_time() - started) / num_videos * 1000


def survives(way: str, hours: int) -> str:
    """Whether the answers outlive the machine of the actor that gave them."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    there = cluster.add_node(num_cpus=1, resources={"there": 1})
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        actor = ray.remote(max_restarts=0, max_task_retries=0, resources={"there": 1})(Actor).remote(hours)
        answers = call(actor, way)
        cluster.remove_node(there, allow_graceful=False)
        return "kept" if ray.get(finish.remote(answers), timeout=120) == 2048 else "wrong"
    except ray.exceptions.RayError as error:
        return f"lost ({type(error).__name__})"
    finally:
        ray.shutdown()
        cluster.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=int, default=1)
    parser.add_argument("--videos", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    actor = ray.remote(max_restarts=0, max_task_retries=0)(Actor).remote(args.hours)
    measured: dict[str, list[float]] = {way: [] for way in WAYS}
    for way in WAYS:
        cpu_ms(actor, way, 5)
    for _ in range(args.rounds):
        for way in WAYS:
            measured[way].append(cpu_ms(actor, way, args.videos))
    ray.shutdown()
    print(f"{len(cloudpickle.dumps(answers_about(args.hours))):,} bytes pickled")
    print("| way | driver CPU ms a video | after the actor's machine is lost |\n|---|---|---|")
    for way, values in measured.items():
        with redirect_stdout(sys.stderr):  # Ray tells what became of its node
            fate = survives(way, args.hours)
        print(f"| {way} | {statistics.median(values):.2f} | {fate} |")


if __name__ == "__main__":
    main()
