"""A small random checkpoint and noise videos, shared by the model tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from videoxl2 import VideoXL2
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
