"""A stage of training: how long and how fast, its state on the disk, and the log."""

from __future__ import annotations

import json
import math
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SAVE_EVERY = 100  # steps
# Tables and heads.
_OUTER = re.compile("embed|lm_head|position|temporal_encoding|of_patch|of_picture|of_group")


@dataclass(frozen=True)
class Stage:
    """How long and how fast a stage learns; `size` is pictures, groups or tokens a step.

    Matrices inside the network learn `inner` times as fast. Up to a share of the steps, films are no longer
    than `longest_s` says; they come as often as their number of scenes, to the power of `long_power`, says.
    `weights` are those of decisions by slot, where they are not 1. A gentle stage goes on from what is known:
    all by AdamW, which takes no steps where no gradient asks for them.
    """

    name: str
    steps: int
    size: int
    rate: float
    warm_up: int = 50
    inner: float = 1.0
    longest_s: tuple[tuple[float, float], ...] = ((1.0, math.inf),)
    long_power: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    is_gentle: bool = False

    def longest_at(self, step: int) -> float:
        return next(s for share, s in self.longest_s if step < share * self.steps)

    def rate_at(self, step: int) -> float:
        """Up in a line, down in half a cosine to 3 %."""
        share = min(1.0, step / self.steps)
        return (
            self.rate
            * min(1.0, (step + 1) / self.warm_up)
            * (0.03 + 0.97 * (1 + math.cos(math.pi * share)) / 2)
        )


class Log:
    """Lines of JSON in FOLDER/log.jsonl, and on the terminal; CPU seconds `spent`, by what on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "log.jsonl"
        self._began = time.monotonic()
        self.spent: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the CPU seconds of this process within."""
        began = time.process_time()
        yield
        self.spent[what].append(time.process_time() - began)

    def timed_telling(self, stage: str) -> AbstractContextManager[None]:
        """Add the same, spent on what held-out films say of a stage."""
        return self.timed(f"{stage}, telling")

    def line(self, stage: str, step: int, **values: Any) -> None:
        told = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
        line = json.dumps({"stage": stage, "step": step, "s": round(time.monotonic() - self._began), **told})
        with self._file.open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)


class Training:
    """Modules with their optimizers and place in a stage; saved every few steps, and restored.

    Matrices inside the network go by Muon, which needs about half the steps here; all else by AdamW.
    """

    def __init__(self, stage: Stage, modules: dict[str, nn.Module], folder: Path) -> None:
        self.stage, self._modules, self._file = stage, modules, folder / f"{stage.name}.pt"
        named = [
            (n, p) for module in modules.values() for n, p in module.named_parameters() if p.requires_grad
        ]
        self._parameters = [p for _, p in named]
        inner = [p for n, p in named if p.ndim == 2 and not _OUTER.search(n)]
        outer = [p for n, p in named if p.ndim != 2 or _OUTER.search(n)]
        self._optimizers: list[torch.optim.Optimizer] = [
            _adamw(inner) if stage.is_gentle else _muon(inner),
            _adamw(outer),
        ]
        self.step = 0
        if self._file.exists():
            state = torch.load(self._file)
            for name, module in modules.items():
                module.load_state_dict(state[name])
            for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            self.step = state["step"]

    @property
    def is_done(self) -> bool:
        return self.step >= self.stage.steps

    @property
    def is_time_to_tell(self) -> bool:
        """Whether a line of the log is due."""
        return self.step % SAVE_EVERY == 0 or self.step == 1

    def descend(self, loss: Tensor) -> None:
        for optimizer, times in zip(self._optimizers, (self.stage.inner, 1.0), strict=True):
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = times * self.stage.rate_at(self.step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
        self.step += 1
        if self.step % SAVE_EVERY == 0 or self.is_done:
            self._save()

    def _save(self) -> None:
        state: dict[str, Any] = {name: module.state_dict() for name, module in self._modules.items()}
        state |= {"optimizers": [o.state_dict() for o in self._optimizers], "step": self.step}
        unfinished = self._file.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self._file)


def _muon(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.Muon(parameters, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")


def _adamw(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.0, fused=True)


class Mean:
    """Of what was added since it was last taken."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def add(self, value: float) -> None:
        self._values.append(value)

    def take(self) -> float:
        values, self._values = self._values, []
        return sum(values) / len(values) if values else math.nan


def averaged(several: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each entry."""
    return {name: sum(one[name] for one in several) / len(several) for name in several[0]}
