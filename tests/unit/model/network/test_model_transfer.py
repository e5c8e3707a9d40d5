"""Pictures cross to a device by themselves, and what computes waits for them there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from videoxl2.network import transfer
from videoxl2.network.transfer import pictures_to_device

PICTURES = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)


def test_a_cpu_reads_pictures_where_they_lie() -> None:
    there = pictures_to_device(PICTURES, torch.device("cpu"))
    assert there.data_ptr() == PICTURES.ctypes.data


def test_pictures_of_a_store_that_is_read_only_are_copied() -> None:
    stored = PICTURES.copy()
    stored.flags.writeable = False
    there = pictures_to_device(stored, torch.device("cpu"))
    assert there.data_ptr() != stored.ctypes.data
    assert np.array_equal(there.numpy(), PICTURES)


def test_a_gpu_computes_while_the_next_pictures_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is queued on a stream of its own; the computing one waits for it and holds its memory."""
    told: list[str] = []

    class Stream:
        def __init__(self, name: str) -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            told.append(f"{self.name} waits for {other.name}")

    @contextmanager
    def on(stream: Stream) -> Iterator[None]:
        told.append(f"on {stream.name}")
        yield
        told.append(f"off {stream.name}")

    def copied(host: torch.Tensor, device: torch.device) -> SimpleNamespace:
        told.append(f"copy to {device}")
        return SimpleNamespace(record_stream=lambda stream: told.append(f"{stream.name} holds it"))

    monkeypatch.setattr(transfer, "_copying_stream", lambda device: Stream("copying"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("computing"))
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(transfer, "to_device", copied)
    pictures_to_device(PICTURES, torch.device("cuda", 1))
    assert told == [
        "on copying",
        "copy to cuda:1",
        "off copying",
        "computing waits for copying",
        "computing holds it",
    ]
