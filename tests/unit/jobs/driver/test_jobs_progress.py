"""What a run says, as lines for people and as JSON for machines."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from jobs.attempts.tries import ActorLocation, AttemptHistory, Try
from jobs.attempts.work import Work
from jobs.cluster.nodes import Lost, Node
from jobs.driver.loop.machines import Shortage
from jobs.driver.telling.pace import Pace
from jobs.driver.telling.progress import Progress
from jobs.failures import Stage, VideoFailure
from jobs.settings.limits import Ending
from schemas.failures import FailureAction, FailureClass, MediaIndexError
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.tables import Run
from schemas.usage import Usage

WORK = Work(VideoObject("/films/[a] Ä.mp4", 7, 1), "key", Reason.NEW, max_frames=100)
FAILURE = VideoFailure(Stage.READ, FailureClass.MEDIA, "no_video", "no video stream", "replace it")
TRIED = Try(2, datetime(2026, 11, 21, tzinfo=UTC), 1.5, ActorLocation("", "gpu-3", "cpu"), failure=FAILURE)
VIDEO = AttemptHistory(WORK, (TRIED,))
USED = Usage(prefill_seconds=1.0, generate_seconds=2.0, video_ms=9000, num_frames=9)


@pytest.fixture
def said(make_row):
    """All that a run can say, in one format."""

    def say(log_format):
        out = io.StringIO()
        progress = Progress(Console(file=out, width=200), log_format)
        progress.started("run1")
        with progress.working(Pace({"key": 1.0, "other": 3.0}, total_hours=0.01)):
            progress.begun()
            progress.tick()
            progress.indexed(VIDEO.using(USED), is_partial=False)
            progress.failed(VIDEO, FailureAction.QUARANTINED)
            progress.retrying(VIDEO)
            progress.settled_elsewhere(WORK)
            progress.storage_trouble(MediaIndexError("503", "wait"))
            progress.closing(Ending.DEADLINE, 2, 600.0)
            progress.short(Shortage("GPU", 4, 0, 0.0, 1800.0, None))
            progress.node(Lost(Node("5c94c1ba" * 7, "gpu-1", 8, 2), "received SIGTERM"))
            progress.scaled(2, 4)
        progress.stopped()
        progress.ended(make_row(Run, num_indexed=1))
        progress.error(MediaIndexError("oops", "report it"), "media-index run")
        assert progress.crashed(KeyError("a bug")) == 1
        assert progress.crashed(KeyboardInterrupt()) == 130
        return out.getvalue().splitlines()

    return say


def test_json_is_one_object_a_line(said):
    """Each with time, event and run; those about a video with what one filters by."""
    lines = [json.loads(line) for line in said("json")]
    assert [line["event"] for line in lines] == [
        *("started", "progress", "indexed", "quarantined", "retrying", "settled_elsewhere"),
        *("storage_trouble", "closing", "waiting", "node_lost", "scaled", "stopping", "ended"),
        *("error", "error", "error"),
    ]
    assert {line["run_id"] for line in lines} == {"run1"}
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in lines)
    assert (lines[1]["videos_left"], lines[1]["eta_seconds"]) == (2, None)
    assert (lines[2]["videos_done"], lines[2]["videos_left"], lines[2]["video_hours"]) == (1, 1, 0.0025)
    assert lines[2]["eta_seconds"] >= 0
    of_video = lines[3]
    assert of_video["uri"] == "/films/[a] Ä.mp4"
    assert (of_video["class"], of_video["code"], of_video["stage"]) == ("media", "no_video", "read")
    assert (of_video["attempt"], of_video["seconds"], of_video["node"]) == (2, 1.5, "gpu-3")
    ended, error, bug, interrupt = lines[-4:]
    assert ended["num_indexed"] == 1
    told = {"message": "oops", "hint": "report it", "exit_code": 1, "next": "media-index run"}
    assert error | told == error
    assert (bug["message"], bug["exit_code"], interrupt["exit_code"]) == ("KeyError: 'a bug'", 1, 130)
    assert "KeyError" in bug["traceback"]


def test_text_is_for_people(said):
    """No braces; the summary and the error go elsewhere or are plain words."""
    lines = said("text")
    assert not any(line.startswith("{") for line in lines)
    assert lines[1] == "set aside no_video: no video stream  /films/[a] Ä.mp4"
    assert "deadline reached: no more videos begin, 2 under way have 10 min" in lines[5]
    assert lines[6:9] == [
        "waiting   for 4 GPUs (0 now)",
        "lost      gpu-1 (5c94c1ba): received SIGTERM",
        "scaled    2 of 4 GPUs",
    ]
