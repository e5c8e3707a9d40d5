"""Decode steps recorded as CUDA graphs: all of a step, from tokens to logits, is one launch.

A step of the full model is some thousand kernels for about 4 ms of reading weights; launched from Python they
take several times that. What a step does depends on few things: how many rows it has, which keys and values
it reads, and up to which of its own tokens. So it is recorded once they repeat, and replayed with other
tokens. On a CPU nothing is recorded: the same function runs on the same tensors.

Shapes: N numbers that a step is told of each row, T rows, V vocabulary.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from videoxl2.network.transfer import pinned, to_device

Step = Callable[
    [Tensor], Tensor
]  # numbers [N, T] on the device -> logits [T, V]; reads no other changing thing

ALL_PLAIN = sys.maxsize  # steps of a kind that are run plainly where none can be recorded
_PLAIN_FIRST = 3  # steps of a kind that are run plainly: recording one takes as long as several of them
_MOST_KEPT = 16


class StepRecorder:
    """Maker of recorded steps for one model; their graphs share the memory of what a step computes on."""

    def __init__(self, device: torch.device, plain_first: int = _PLAIN_FIRST) -> None:
        self.device = device
        self.plain_first = plain_first
        is_cuda = device.type == "cuda"
        self.pool = torch.cuda.graph_pool_handle() if is_cuda else None
        self.stream = torch.cuda.Stream(device) if is_cuda else None


class RecordedSteps:
    """Steps of one set of rows, by what they have in common; the oldest is forgotten when there are many."""

    def __init__(self, recorder: StepRecorder) -> None:
        self._recorder = recorder
        self._seen: dict[Hashable, int] = {}
        self._recorded: dict[Hashable, _Recorded] = {}

    def run(self, kind: Hashable, numbers_NT: Tensor, step: Step) -> Tensor:
        """Run a step on numbers from the host; return logits `[T, V]` that no later step overwrites.

        Steps of one `kind` must do the same with their numbers; the first one's `step` is kept.
        """
        if (recorded := self._recorded.get(kind)) is not None:
            return recorded.run(numbers_NT)
        self._seen[kind] = self._seen.get(kind, 0) + 1
        if self._seen[kind] <= self._recorder.plain_first:
            return step(to_device(numbers_NT, self._recorder.device))
        if len(self._recorded) == _MOST_KEPT:
            del self._recorded[next(iter(self._recorded))]
        recorded = self._recorded[kind] = _Recorded(step, numbers_NT, self._recorder)
        return recorded.run(numbers_NT)

    def clear(self) -> None:
        """Forget all steps, and with them the tensors they were recorded on."""
        self._recorded.clear()
        self._seen.clear()


class _Recorded:
    """One step with the tensors that it reads and writes."""

    def __init__(self, step: Step, numbers_NT: Tensor, recorder: StepRecorder) -> None:
        self._step = step
        self._numbers_NT = to_device(numbers_NT, recorder.device).clone()
        self._logits_TV: Tensor | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        if recorder.device.type == "cuda":
            self._record(recorder)

    def _record(self, recorder: StepRecorder) -> None:
        """Record on a stream of its own. `torch.cuda.graph` would empty the allocator's caches each time."""
        assert recorder.stream is not None
        graph = torch.cuda.CUDAGraph()
        recorder.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(recorder.stream):
            self._step(self._numbers_NT)  # libraries allocate on the first call, which a graph must not see
            graph.capture_begin(pool=recorder.pool)
            try:
                self._logits_TV = self._step(self._numbers_NT)
            finally:
                graph.capture_end()
        torch.cuda.current_stream().wait_stream(recorder.stream)
        self._graph = graph

    def run(self, numbers_NT: Tensor) -> Tensor:
        self._numbers_NT.copy_(pinned(numbers_NT, self._numbers_NT.device), non_blocking=True)
        self.replay()
        assert self._logits_TV is not None
        return self._logits_TV.clone()

    def replay(self) -> None:
        """Do the step once more, on the numbers that are there now."""
        if self._graph is not None:
            self._graph.replay()
        else:
            self._logits_TV = self._step(self._numbers_NT)
