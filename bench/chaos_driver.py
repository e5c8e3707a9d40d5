"""The run that chaos.py mistreats: real Ray, reading, finishing, commits and lease; only the model is none.

python bench/chaos_driver.py LIBRARY INDEX ENDPOINT ATTEMPTS_FILE
"""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ray
from rich.console import Console

import jobs.driver.execution
import jobs.driver.run
from jobs.answers.analysis import Analysis
from jobs.answers.asking import PromptAnswer
from jobs.answers.records import Record
from jobs.attempts.tries import ActorLocation
from jobs.attempts.work import Work
from jobs.driver.telling.progress import Progress
from jobs.settings.config import Settings
from jobs.ui.own_stderr import own_stderr
from jobs.workers.actor import PULSE, ModelActor
from schemas.answers import Answer, CharacterAnswer, HighlightAnswer, SceneAnswer, SummaryAnswer
from schemas.failures import MediaIndexError
from schemas.usage import Usage
from storage.index.index import open_index

PARROT = Path(__file__).parents[1] / "tests" / "data" / "parrot"
NUM_CHARACTERS = 2


class NoModel(ModelActor):
    """Reads the video as the real actor does, then says the same of every one."""

    attempts_file = ""

    def load(self) -> ActorLocation:
        self._asker: Any = None
        self._memory: Any = SimpleNamespace(begin=lambda: None, num_bytes=lambda: 0)
        return ActorLocation(str(ray.get_runtime_context().get_node_id()), "here", "none")

    def index_video(self, work: Work, upcoming: Work | None) -> Any:
        with open(self.attempts_file, "a") as attempts:  # noqa: PTH123 - one atomic append
            attempts.write(f"{work.video.uri} {os.getpid()}\n")
        return super().index_video(work, upcoming)


def answer_all(asker: Any, info: Any, grid: Any, spans: Any, prompts: Any, *_: Any) -> Analysis:
    """In the place of `jobs.answers.analysis.analyze`."""
    seen = [ms for span in spans for ms in span.pts_ms.tolist()]
    time.sleep(0.05)
    people = ("anna", "bert")
    words: dict[str, Any] = {"title": "A", "summary": "B", "setting": "c", "time_of_day": "day", "mood": "d"}
    lists: dict[str, Any] = {"actions": [], "objects": [], "tags": [], "characters": list(people)}
    said: dict[str, list[Answer]] = {
        "summary": [SummaryAnswer(summary="One thing.")],
        "characters": [CharacterAnswer(label=who, kind="person", description="x") for who in people],
        "scenes": [
            SceneAnswer(start_ms=0, end_ms=1000, **words, **lists),
            SceneAnswer(start_ms=1000, end_ms=info.duration_ms, **words, **lists),
        ],
        "highlights": [
            HighlightAnswer(start_ms=0, end_ms=1000, title="A", kind="other", reason="b", score=50),
        ],
    }
    answers = tuple(
        PromptAnswer(
            prompt,
            "",
            tuple(Record(one, 1.0, 1.0, False, False) for one in said[prompt.name]),
            None,
            0,
            0,
        )
        for prompt in prompts
    )
    return Analysis(info, grid, tuple(seen), (), answers, Usage(prefill_seconds=0.1, generate_seconds=0.1))


def main() -> int:
    """As `media-index run` does it."""
    library, index, endpoint, NoModel.attempts_file = sys.argv[1:5]

    def start(placement: Any, source: Any, recipe: Any, left_out: Any = ()) -> Any:
        def make(*arguments: Any) -> NoModel:
            import jobs.workers.actor

            jobs.workers.actor.analyze = answer_all  # type: ignore[assignment, attr-defined]
            return NoModel(*arguments)

        options: dict[str, Any] = {
            "concurrency_groups": {PULSE: 1},
            "num_cpus": 0,
            "max_restarts": 0,
            "max_task_retries": 0,
            "enable_task_events": False,
        }
        deferred = ray.remote(**options)(_Deferred)
        return deferred.remote(make, placement, source, recipe)

    jobs.driver.execution.start_actor = start  # type: ignore[attr-defined]
    settings = Settings(
        library=library, index=index, endpoint_url=endpoint, model=str(PARROT), num_actors=2, device="cpu"
    )
    try:
        open_index(index, endpoint, create=True)
        return jobs.driver.run.run(settings, Progress(Console(file=own_stderr()))).exit_code
    except MediaIndexError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return error.exit_code


class _Deferred:
    """Makes the actor in its own process, once the stand-in is in place there."""

    def __init__(self, make: Any, *arguments: Any) -> None:
        self._actor = make(*arguments)

    def load(self) -> Any:
        return self._actor.load()

    @ray.method(concurrency_group=PULSE)
    def pulse(self) -> float:
        return self._actor.pulse()

    def index_video(self, work: Work, upcoming: Work | None) -> Any:
        return self._actor.index_video(work, upcoming)


if __name__ == "__main__":
    sys.exit(main())
