"""What `eval --benchmark` can be told, checked."""

import re
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from jobs.benchmarks.answering import Sampling
from jobs.benchmarks.formats import FORMATS
from jobs.prompts.budget import check_context, check_kv, check_pixels
from jobs.prompts.kv import BiLevelKv, kv_of
from jobs.settings.model import ModelSettings, wrong_setting
from jobs.settings.model_options import options_in
from jobs.weights import Weights
from videoxl2.network.configs.picture_size import OWN_PIXELS
from videoxl2.network.footprint import MOST_DEVICES

_QUESTION_TOKENS = 512  # that the longest published question and its options take


class BenchmarkSettings(ModelSettings):
    """Settings of `eval --benchmark`. Without `fps` and `max_frames`: the published sampling."""

    benchmark: str
    questions: Path
    videos: Path
    models: tuple[str, ...] = Field(min_length=1)
    gpus_per_model: int = Field(default=1, ge=1, le=MOST_DEVICES)
    limit: int | None = Field(default=None, ge=1)
    skip_unusable: bool = False
    answers: Path | None = None

    @classmethod
    def of(cls, **values: Any) -> "BenchmarkSettings":
        """Return checked settings. UsageError: the first one that is wrong."""
        try:
            return cls.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            raise wrong_setting(error, "See media-index eval --help for what it takes.") from None

    def sampling_for(self, weights: Weights) -> Sampling:
        """Return the sampling asked for, else as published: of this benchmark, or of a model whose context
        has an end.

        Raises `UsageError` for more pictures than the model can take.
        """
        published = FORMATS[self.benchmark].max_frames
        published = min(published, weights.config.trained_frames or published)
        is_meant = weights.pictures.keeps_shape or len(self.models) == 1
        sampling = Sampling(self.fps, self.max_frames or published, self.pixels if is_meant else OWN_PIXELS)
        check_pixels(sampling.pixels, weights.pictures, sampling.max_frames)
        check_context(weights, sampling.max_frames, _QUESTION_TOKENS, sampling.pixels)
        return sampling

    def options_for(self, weights: Weights) -> dict[str, str]:
        """The options that were given; of several models, those that this one has."""
        from videoxl2.network.configs.model_options import options_of

        given = options_in(self.model_options)
        if len(self.models) == 1:
            return given
        return {key: value for key, value in given.items() if key in options_of(weights.config)}

    def kv_for(self, weights: Weights) -> BiLevelKv | None:
        """Return how questions are decoded. Raises `UsageError` where the model cannot be asked so."""
        kv = kv_of(self.kv, self.kv_compression, self.kv_dense_chunks)
        check_kv(kv, weights)
        return kv

    def answers_of(self, weights: Weights) -> Path | None:
        """The file of one model's answers; of several each has one in the folder that `answers` names."""
        if self.answers is None or len(self.models) == 1:
            return self.answers
        name = re.sub(r"[^\w.-]+", "-", weights.model_id).strip("-.")
        return self.answers / f"{name}-{weights.revision[:8]}.jsonl"
