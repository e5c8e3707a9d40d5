"""A small random checkpoint and noise videos, shared by the model tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from qwen_reference import FAMILIES, FolderOf, Theirs, transformers_model

from videoxl2 import VideoXL2, load_model
from videoxl2.generate.models.qwen_vl import QwenVL
from videoxl2.random_checkpoint import write_random_checkpoint

SpanMaker = Callable[..., list[SimpleNamespace]]


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def small_model(small_folder: Path) -> VideoXL2:
    return VideoXL2.from_pretrained(small_folder)


@pytest.fixture(scope="session")
def noise() -> SpanMaker:
    """`noise(num_frames, span=16, size=112, seed=0)`: noise frames one second apart, in spans."""

    def make(num_frames: int, span: int = 16, size: int = 112, seed: int = 0) -> list[SimpleNamespace]:
        rng = np.random.default_rng(seed)
        frames = rng.integers(0, 256, (num_frames, size, size, 3), dtype=np.uint8)
        pts_ms = np.arange(num_frames, dtype=np.int64) * 1000
        return [
            SimpleNamespace(frames=frames[i : i + span], pts_ms=pts_ms[i : i + span])
            for i in range(0, num_frames, span)
        ]

    return make


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny matrices gain nothing from more, and threads that wait for a busy core lose a lot."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> FolderOf:
    return cache(
        lambda family: write_random_checkpoint(tmp_path_factory.mktemp("qwen"), seed=3, family=family)
    )


@pytest.fixture(scope="session", params=FAMILIES)
def qwen_model(request: pytest.FixtureRequest, qwen_folder: FolderOf) -> QwenVL:
    loaded = load_model(qwen_folder(request.param))
    assert isinstance(loaded, QwenVL)
    return loaded


@pytest.fixture(scope="session")
def theirs(qwen_folder: FolderOf) -> Theirs:
    """Return transformers' model on the weights of ours."""

    @cache
    def load(family: str) -> Any:
        return transformers_model(family, qwen_folder(family))

    return lambda model: load(str(model.family))
