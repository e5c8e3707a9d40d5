"""The real actor on a real video, with a model whose call never comes back."""

import ctypes
from fractions import Fraction
from typing import Any

import pytest
import ray

from jobs.attempts.work import Work
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.weights import find_weights
from jobs.workers.actor import PULSE, ModelActor
from jobs.workers.placement import Placement
from jobs.workers.reading.spans import Source
from schemas.identity import VideoObject
from schemas.plan import Reason
from storage.library.local import LocalLibrary


class HangingActor(ModelActor):
    """Its second prefill hangs with the interpreter locked, as a call on a GPU may."""

    def load(self):
        from jobs.workers import hanging
        from videoxl2.generate.models.video_xl2 import VideoXL2

        hanging.BASE_S, hanging.FRAME_S, hanging.TOKEN_S, hanging.CPU_FACTOR = 60.0, 0.0, 0.0, 1.0
        prefill, calls = VideoXL2.prefill, []

        def hang(model, spans, **options):
            calls.append(1)
            if len(calls) > 1:
                ctypes.PyDLL(None).sleep(600)
            hanging.BASE_S = 1.0
            return prefill(model, spans, **options)

        VideoXL2.prefill = hang  # type: ignore[assignment, method-assign]
        return super().load()


@pytest.fixture
def actor(tmp_path, parrot, shared_ray):
    weights = find_weights(str(parrot))
    recipe = Recipe(weights.model_id, weights.revision, "auto", Fraction(1), 64, load_packs())
    source = Source(LocalLibrary(tmp_path), tmp_path / "scratch", Fraction(1), weights.pictures)
    shared_ray.join()
    options: dict[str, Any] = {
        "num_cpus": 0,
        "max_restarts": 0,
        "max_task_retries": 0,
        "concurrency_groups": {PULSE: 1},
    }
    return ray.remote(**options)(HangingActor).remote(Placement(1, "cpu", 0, 1), source, recipe)


def test_a_hung_model_ends_its_process_and_a_good_video_tells_what_it_took(actor, tmp_path, make_video):
    """The result of the first video has every figure of its attempt; the second ends the actor."""
    path = make_video(tmp_path / "film.mp4")
    found = path.stat()
    work = Work(VideoObject(str(path), found.st_size, found.st_mtime_ns), "key", Reason.NEW, max_frames=64)
    location = ray.get(actor.load.remote(), timeout=300)
    assert (bool(location.host), location.device) == (True, "cpu")
    result = ray.get(actor.index_video.remote(work, None), timeout=300)
    assert isinstance(result.outcome, bytes)
    usage = result.usage
    assert (usage.video_ms, usage.num_frames) == (3000, 3)
    assert 0 < usage.wait_seconds < usage.prefill_seconds
    assert usage.generate_seconds > 0
    assert usage.num_output_tokens > 0
    assert 50 << 20 < usage.peak_memory_bytes < 8 << 30
    with pytest.raises(ray.exceptions.ActorDiedError):
        ray.get(actor.index_video.remote(work, None), timeout=300)
