"""The model, pinned to one GPU (or to CPU cores), answering for one video at a time."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import ray

from jobs.analysis import analyze
from jobs.failures import Trouble, classify
from jobs.plan import Work
from jobs.reading import Source, SpanWindow
from jobs.recipe import Recipe
from jobs.rows import RowBuilder
from jobs.weights import find_weights
from storage.bundles import encode_bundle


@dataclass(frozen=True)
class ModelSpec:
    """Which weights, and on what they run. `num_threads` counts CPU threads, 0 on a GPU."""

    model: str
    dtype: str
    device: str
    num_threads: int


@dataclass(frozen=True)
class Indexed:
    """A video's finished rows, encoded for the commit, with the figures the run reports."""

    bundle: bytes
    is_partial: bool
    video_ms: int
    num_frames: int
    num_prompt_tokens: int
    num_output_tokens: int
    prefill_seconds: float
    generate_seconds: float


class ModelActor:
    """One call of `index_video` at a time is in flight, so a crash points at exactly one video."""

    def __init__(self, spec: ModelSpec, source: Source, recipe: Recipe, run_id: str) -> None:
        self._spec = spec
        self._window = SpanWindow(source)
        self._recipe = recipe
        self._run_id = run_id

    def load(self) -> Trouble | None:
        """Load the weights; what is wrong with them comes back as a value."""
        spec = self._spec
        if spec.num_threads:
            os.environ["OMP_NUM_THREADS"] = str(spec.num_threads)  # torch reads it once, at its import
        from videoxl2.model import VideoXL2  # so that only this process loads torch

        try:
            folder = find_weights(spec.model).folder  # on this node
            self._model = VideoXL2.from_pretrained(folder, device=spec.device, dtype=spec.dtype)
        except Exception as error:
            return classify(error, "load")
        return None

    def index_video(self, work: Work, upcoming: Work | None) -> Indexed | Trouble:
        """Analyse one video and encode its rows; begin reading `upcoming` meanwhile."""
        stage, num_frames = "fetch", work.max_frames
        try:
            self._window.keep_only(work)
            opened = self._window.open(work)
            if upcoming:
                self._window.look_ahead(upcoming)
            stage, num_frames = "prefill", opened.grid.num_targets
            spans = self._window.spans(work)
            analysis = analyze(self._model, opened.info, opened.grid, spans, self._recipe.prompts)
            stage = "rows"
            rows = RowBuilder(work, self._recipe, self._run_id, datetime.now(UTC))
            bundle = rows.bundle(analysis)
            encoded = encode_bundle(bundle)
        except Exception as error:
            return replace(classify(error, stage), num_frames=num_frames)
        finally:
            self._window.drop(work)
        return Indexed(
            bundle=encoded,
            is_partial=bundle.videos[0].is_partial,
            video_ms=opened.info.duration_ms,
            num_frames=len(analysis.sampled_ms),
            num_prompt_tokens=sum(a.num_prompt_tokens for a in analysis.answers),
            num_output_tokens=sum(a.num_output_tokens for a in analysis.answers),
            prefill_seconds=analysis.prefill_seconds,
            generate_seconds=analysis.generate_seconds,
        )


def start_actor(spec: ModelSpec, source: Source, recipe: Recipe, run_id: str, leave_cpus: bool) -> Any:
    """A new actor handle; its weights load by `load.remote()`. Ray never restarts or retries it: we do.

    `leave_cpus` is false where every CPU is needed for reading; the actor then takes none.
    """
    options = {
        "num_gpus": 1 if spec.device == "cuda" else 0,
        "num_cpus": 1 if leave_cpus else 0,
        "max_restarts": 0,
        "max_task_retries": 0,
        "enable_task_events": False,
    }
    return ray.remote(ModelActor).options(**options).remote(spec, source, recipe, run_id)
