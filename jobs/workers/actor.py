"""The model, pinned to its GPUs (or to CPU cores), answering for one video at a time."""

import logging
import math
import os
import socket
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import ray
from ray import cloudpickle

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker
from jobs.answers.carried import asked_of, read_carried
from jobs.attempts.tries import ActorLocation, AttemptResult, NotLoaded
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure, classify
from jobs.logs import follow
from jobs.prompts.recipe import Recipe
from jobs.weights import fetch_weights, find_weights
from jobs.workers.hanging import HangGuard, allowed_seconds
from jobs.workers.left_out import away_from
from jobs.workers.placement import Placement
from jobs.workers.reading.one_pass import first_pace
from jobs.workers.reading.read_ahead import ReadAhead
from jobs.workers.reading.scratch import drop_copy
from jobs.workers.reading.spans import Opened, Source
from schemas.failures import FailureClass
from schemas.usage import NO_USAGE, Usage

_log = logging.getLogger(__name__)
PULSE = "pulse"  # the group of calls that are answered meanwhile


class ModelActor:
    """One call of `index_video` at a time is in flight, so a crash points at exactly one video."""

    def __init__(
        self, placement: Placement, source: Source, recipe: Recipe, left_out: Collection[str] = ()
    ) -> None:
        follow(source.log_dir, "actor")
        self._placement = placement
        self._source = source
        self._reading = ReadAhead(source, first_pace(placement.device, placement.num_threads))
        self._reading.keep_off(left_out)
        self._recipe = recipe

    def load(self) -> ActorLocation | NotLoaded:
        """Load the weights: where this actor is at work, or why not."""
        loaded = self._load()
        node_id = str(ray.get_runtime_context().get_node_id())
        if isinstance(loaded, VideoFailure):
            return NotLoaded(node_id, loaded)
        return ActorLocation(node_id, socket.gethostname(), loaded)

    def _load(self) -> str | VideoFailure:
        """The device's name."""
        if self._placement.num_threads:
            os.environ["OMP_NUM_THREADS"] = str(self._placement.num_threads)  # read once, at torch's import
        from videoxl2.generate.models.loading import load_model  # so that only this process loads torch
        from videoxl2.network.memory import PeakMemory, device_name

        try:
            assert self._recipe.model_id is not None  # videos that no model sees come to no actor
            revision = self._recipe.model_revision
            weights = find_weights(self._recipe.model_id, self._source.weights, revision)  # on this node
            if weights.revision != self._recipe.model_revision:
                return _other_weights(weights.revision, self._recipe.model_revision or "")
            weights = fetch_weights(weights, self._source.weights)
            model = load_model(
                weights.folder,
                devices=self._placement.devices,
                dtype=self._recipe.dtype,
                options=dict(self._recipe.model_options),
                weight_bits=self._recipe.weight_bits,
            )
            self._asker = Asker(model, self._recipe.kv)
        except Exception as error:
            return classify(error, Stage.LOAD)
        self._memory = PeakMemory(*model.devices)
        where = device_name(*model.devices)
        fields = {"model": weights.model_id, "device": where}
        _log.info("loaded %s", weights.model_id, extra={"event": "loaded", "fields": fields})
        return where

    def keep_off(self, node_ids: Collection[str]) -> None:
        """Keep reading off these nodes."""
        self._reading.keep_off(node_ids)

    @ray.method(concurrency_group=PULSE)
    def pulse(self) -> float:
        """Seconds for which it has been waiting for pictures, 0 while the model is at work.

        Answered beside whatever else goes on, so that silence means a process that stands still.
        """
        return self._reading.waiting_s

    def index_video(self, work: Work, upcoming: Work | None) -> AttemptResult:
        """Analyse one video; begin reading `upcoming` meanwhile.

        Of a video that is analysed, this node's copy is left to its post-processing.
        """
        stage, num_frames, opened = Stage.FETCH, work.max_frames, None
        _tell("begun", work)
        self._memory.begin()
        try:
            self._reading.keep_only(work)
            opened = self._reading.open(work)
            if upcoming:
                self._reading.begin(upcoming)
            carried = read_carried(self._source.bundles, work, self._recipe.prompts, self._recipe.signals)
            stage, num_frames = Stage.MODEL, opened.grid.num_targets
            with self._guard(opened) as guard:
                analysis = analyze(
                    self._asker,
                    opened.info,
                    opened.grid,
                    guard.pausing(self._reading.spans(work)),
                    asked_of(self._recipe.prompts, work),
                    work.max_frames if self._source.is_split else None,
                    carried,
                    opened.said,
                )
            own = analysis.usage
            self._reading.took((own.prefill_seconds or 0) + (own.generate_seconds or 0), own.num_frames or 0)
            usage = own + Usage(peak_memory_bytes=self._memory.num_bytes())
            before = replace(opened.before, watched=self._reading.watched(work))
            _tell("analysed", work)
            answers = replace(analysis, before=before)
            return AttemptResult(usage, cloudpickle.dumps(answers))  # packs' types
        except Exception as error:
            drop_copy(work.video, self._source.scratch)
            failure = replace(classify(error, stage), num_frames=num_frames)
            _tell("failed", work, failure.code)
            asked = Usage(video_ms=opened.info.duration_ms, num_frames=num_frames) if opened else NO_USAGE
            return AttemptResult(asked + Usage(peak_memory_bytes=self._memory.num_bytes()), failure)
        finally:
            self._reading.keep_only(*filter(None, [upcoming]))

    def _guard(self, opened: Opened) -> HangGuard:
        duration_ms = max(opened.info.duration_ms, 1)
        windows = [math.ceil(duration_ms / (p.window_ms or duration_ms)) for p in self._recipe.prompts]
        tokens = sum(p.max_new_tokens * n for p, n in zip(self._recipe.prompts, windows, strict=True))
        num_frames, area = opened.grid.num_targets, opened.size.area
        return HangGuard(allowed_seconds(self._placement.device, num_frames, tokens, area))


def _tell(event: str, work: Work, code: str | None = None) -> None:
    fields = {"uri": work.video.uri, "video_id": work.video.video_id, "code": code}
    _log.info("%s %s", event, work.video.uri, extra={"event": event, "fields": fields})


def _other_weights(found: str, wanted: str) -> VideoFailure:
    message = f"the weights on this node are revision {found}, those of the run {wanted}"
    hint = "Give every node the same weights."
    return VideoFailure(Stage.LOAD, FailureClass.BUG, "other_weights", message, hint, can_retry=False)


def start_actor(placement: Placement, source: Source, recipe: Recipe, left_out: Collection[str] = ()) -> Any:
    """A new actor handle, on none of the nodes left out; its weights load by `load.remote()`."""
    options = actor_options(placement) | away_from(left_out)
    return ray.remote(**options)(ModelActor).remote(placement, source, recipe, left_out)


def actor_options(placement: Placement) -> dict[str, Any]:
    """Return Ray's options of an actor: all its GPUs are of one node. Ray never restarts or retries it: we
    do."""
    return {
        "num_gpus": placement.num_gpus if placement.device == "cuda" else 0,
        "num_cpus": placement.num_cpus,
        "max_restarts": 0,
        "max_task_retries": 0,
        "enable_task_events": False,
        "concurrency_groups": {PULSE: 1},
    }
