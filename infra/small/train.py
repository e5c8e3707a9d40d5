"""Train the small checkpoint: one command, which goes on where it was stopped.

    nice python infra/small/train.py FOLDER        (about two hours on two cores)

FOLDER keeps the state of each stage and `log.jsonl`, a line of losses and validation accuracies now and then;
FOLDER/checkpoint is the result.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import torch
from answers_stage import Code, Eye, Lessons, TaughtFilm, WatchedFilm, eye_of, imagine, run_batch, watch
from attributes import one_hot
from checkpoint import build_tokenizer, frame_phrases, fresh_network, small_config, write_checkpoint
from narration import every_phrase
from storyboard import Part
from tokenizers import Tokenizer
from torch import Tensor, nn
from vision_stage import AttributeHeads, Judged, Seen, Shown, draw_pictures, whiten_patches

from jobs.prompt_pack import load_packs
from videoxl2.config import GROUP_FRAMES
from videoxl2.network import Network
from videoxl2.prefill import PrefillOptions
from videoxl2.slot_masks import TokenTable
from videoxl2.tokens import END_OF_TURN, Vocabulary

T = TypeVar("T")

SAVE_EVERY = 100  # steps
SHARD = 250  # films


@dataclass(frozen=True)
class Stage:
    """How long and how fast a stage learns; `size` is pictures, groups or tokens a step."""

    name: str
    steps: int
    size: int
    rate: float
    warm_up: int = 50

    def rate_at(self, step: int) -> float:
        """Up in a line, down in half a cosine to 3 %."""
        share = min(1.0, step / self.steps)
        return (
            self.rate
            * min(1.0, (step + 1) / self.warm_up)
            * (0.03 + 0.97 * (1 + math.cos(math.pi * share)) / 2)
        )


PICTURES = Stage("pictures", steps=4800, size=48, rate=2e-3)
GROUPS = Stage("groups", steps=3000, size=32, rate=2e-3)
CLOCK = Stage("clock", steps=400, size=2000, rate=2e-3)
LANGUAGE = Stage("language", steps=1000, size=1800, rate=2e-3)
ANSWERS = Stage("answers", steps=800, size=1800, rate=1.5e-3)
NUM_IMAGINED, NUM_WATCHED, NUM_HELD_OUT = 4000, 1000, 25  # films
CURRICULUM = (
    (0.15, 25.0),
    (0.35, 60.0),
    (1.0, 1e9),
)  # up to that share of the steps, films no longer than (s)
_OUTER = re.compile(
    "embed|lm_head|position|temporal_encoding|of_patch|of_picture|of_group"
)  # tables and heads
TIME_WEIGHT = 3.0  # of decisions about times, which are few


class Log:
    """Lines of JSON in FOLDER/log.jsonl, and on the terminal."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "log.jsonl"
        self._began = time.monotonic()

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
        named = [(n, p) for module in modules.values() for n, p in module.named_parameters()]
        self._parameters = [p for _, p in named]
        inner = [p for n, p in named if p.ndim == 2 and not _OUTER.search(n)]
        outer = [p for n, p in named if p.ndim != 2 or _OUTER.search(n)]
        self._optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inner, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(outer, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
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

    def descend(self, loss: Tensor) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = self.stage.rate_at(self.step)
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


def train_tower(network: Network, heads: AttributeHeads, folder: Path, log: Log) -> None:
    """Until attributes are read off single pictures."""
    config = network.config.vision
    training = Training(PICTURES, {"vision": network.vision, "heads": heads}, folder)
    if training.step == 0:
        whiten_patches(network, draw_pictures("train", -1, 400, config).pictures)
    held_out = [draw_pictures("validation", n, 96, config) for n in range(4)]
    judge: Callable[[Shown], Judged] = partial(heads.judge_pictures, network)
    _show(training, judge, lambda step: draw_pictures("train", step, PICTURES.size, config), held_out, log)


def train_groups(
    network: Network,
    heads: AttributeHeads,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Until attributes are read off the visual tokens of four pictures."""
    modules = {"dts": network.dts, "projector": network.projector, "heads": heads}
    judge: Callable[[Seen], Judged] = partial(heads.judge_groups, network)
    seen = [_seen(film) for film in held_out]
    _show(Training(GROUPS, modules, folder), judge, lambda step: _draw_groups(films, step), seen, log)


def _draw_groups(films: Sequence[WatchedFilm], step: int) -> Seen:
    """Groups out of as many films, the same for the same step."""
    draw = random.Random(step)
    chosen = []
    for film in draw.choices(films, k=GROUPS.size):
        features, labels = _seen(film)
        first = GROUP_FRAMES * draw.randrange(len(labels) // GROUP_FRAMES)
        chosen.append((features[first : first + GROUP_FRAMES], labels[first : first + GROUP_FRAMES]))
    return torch.cat([features for features, _ in chosen]), torch.cat([labels for _, labels in chosen])


def _seen(film: WatchedFilm) -> Seen:
    assert film.features is not None
    return film.features, film.labels


def _show(
    training: Training,
    judge: Callable[[T], Judged],
    draw: Callable[[int], T],
    held_out: Sequence[T],
    log: Log,
) -> None:
    """The loop of both stages that learn to see."""
    means: dict[str, Mean] = defaultdict(Mean)
    while not training.is_done:
        losses = judge(draw(training.step)).losses
        training.descend(torch.stack(list(losses.values())).sum())
        for place, loss in losses.items():
            means[place].add(loss.item())
        if training.step % SAVE_EVERY == 0:
            with torch.no_grad():
                right = averaged([judge(shown).right for shown in held_out])
            by_place = {place: mean.take() for place, mean in means.items()}
            log.line(training.stage.name, training.step, **by_place, **right)


def train_language(network: Network, lessons: Lessons, folder: Path, log: Log) -> Code:
    """Until answers are right for perfect eyes: first when scenes begin, which is hard to learn from answers.

    Needs no picture, so it may run beside the stages of the eyes.
    """
    code = Code(network.config)
    modules = {"language": network.language, "code": code}
    films = [imagine("train", number) for number in range(NUM_IMAGINED)]
    held_out = [imagine("validation", number) for number in range(NUM_HELD_OUT)]
    for stage in (CLOCK, LANGUAGE):
        _teach(network, code, lessons, Training(stage, modules, folder), films, held_out, log)
    return code


def align_projector(network: Network, eye: Eye, code: Code, films: Sequence[WatchedFilm]) -> None:
    """Turn the projector's last layer so that its tokens' mean is the code of what they show."""
    with torch.no_grad():
        seen_GD = torch.cat([eye(film).mean(1) for film in films]).double()
        meant_GD = torch.cat([code.linear(one_hot(film.labels)) for film in films]).double()
        ones_G1 = torch.ones(len(seen_GD), 1, dtype=torch.double)
        turn = torch.linalg.lstsq(torch.cat([seen_GD, ones_G1], dim=1), meant_GD).solution.float()
        last = network.projector[2]
        last.weight.copy_(turn[:-1].T @ last.weight)
        last.bias.copy_(turn[:-1].T @ last.bias + turn[-1])


def train_answers(
    network: Network,
    code: Code,
    lessons: Lessons,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Until answers are right for the eyes there are."""
    eye = eye_of(network, [*films, *held_out])
    align_projector(network, eye, code, films[:500])
    training = Training(ANSWERS, {"language": network.language, "projector": network.projector}, folder)
    _teach(network, eye, lessons, training, films, held_out, log)


def watch_films(network: Network, part: Part, count: int, folder: Path, log: Log) -> list[WatchedFilm]:
    """Encode films once, shard by shard."""
    films: list[WatchedFilm] = []
    for shard in range(-(-count // SHARD)):
        file = folder / f"{part}-{shard:03}.pt"
        numbers = range(shard * SHARD, min(count, (shard + 1) * SHARD))
        if not file.exists():
            torch.save([watch(network, part, number) for number in numbers], file)
            log.line("watch", numbers.stop, part=part)
        films += torch.load(file, weights_only=False)
    return films


def _teach(
    network: Network,
    eye: Eye,
    lessons: Lessons,
    training: Training,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    log: Log,
) -> None:
    """The loop of both stages that learn to answer."""
    questions = [lessons.of(film, random.Random(n)) for n, film in enumerate(held_out)]
    if training.stage is CLOCK:
        questions = [lessons.without_prompts(film) for film in held_out]
    mean = Mean()
    while not training.is_done:
        batch = draw_batch(training.stage, films, lessons, training.step)
        outcome = run_batch(network, eye, batch, PrefillOptions())
        weights = torch.tensor([TIME_WEIGHT if slot.endswith(".time") else 1.0 for slot in outcome.slots])
        training.descend((outcome.losses * weights).sum() / weights.sum())
        mean.add(outcome.losses.mean().item())
        if training.step % SAVE_EVERY == 0 or training.step == 1:
            log.line(training.stage.name, training.step, loss=mean.take(), **by_slot(network, eye, questions))


def draw_batch(stage: Stage, films: Sequence[WatchedFilm], lessons: Lessons, step: int) -> list[TaughtFilm]:
    """Films that make up a step, the same for the same step; to a third they teach boundaries alone."""
    draw = random.Random(step)
    longest = next(s for share, s in CURRICULUM if step < share * stage.steps or share == 1.0)
    batch: list[TaughtFilm] = []
    tokens = 0
    while tokens < 1.5 * stage.size:
        watched = draw.choice(films)
        if watched.film.duration_s > longest:
            continue
        has_prompts = stage is not CLOCK and tokens < stage.size
        one = lessons.of(watched, draw) if has_prompts else lessons.without_prompts(watched)
        batch.append(one)
        tokens += one.num_tokens
    return batch


@torch.no_grad()
def by_slot(network: Network, eye: Eye, questions: Iterable[TaughtFilm]) -> dict[str, float]:
    """Accuracy of the model's own choices, unmasked, by slot."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in questions:
        outcome = run_batch(network, eye, [one], PrefillOptions())
        for slot, right in zip(outcome.slots, outcome.right.tolist(), strict=True):
            found[slot].append(float(right))
    return {slot: sum(right) / len(right) for slot, right in sorted(found.items())}


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


def small_network() -> tuple[Network, Tokenizer]:
    """Where training begins."""
    tokenizer = build_tokenizer(every_phrase() | frame_phrases())
    stop = tokenizer.token_to_id(END_OF_TURN)
    assert stop is not None
    return fresh_network(small_config(tokenizer.get_vocab_size(), stop), tokenizer), tokenizer


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice(["eyes", "language"]), help="A half that may run beside the other.")
@click.option("--threads", default=1, show_default=True)
def main(folder: Path, only: str | None, threads: int) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder)
    network, tokenizer = small_network()
    vocabulary = Vocabulary(tokenizer)
    table = TokenTable(tokenizer, network.config.language.vocab_size, network.config.eos_ids[0], "cpu")
    lessons = Lessons(vocabulary, table, load_packs())
    if only == "language":
        train_language(network, lessons, folder, log)
        return
    heads = AttributeHeads(network.config)
    train_tower(network, heads, folder, log)
    films = watch_films(network, "train", NUM_WATCHED, folder, log)
    held_out = watch_films(network, "validation", NUM_HELD_OUT, folder, log)
    train_groups(network, heads, films, held_out, folder, log)
    if only == "eyes":
        return
    code = train_language(network, lessons, folder, log)
    train_answers(network, code, lessons, films, held_out, folder, log)
    write_checkpoint(network, tokenizer, folder / "checkpoint")


if __name__ == "__main__":
    main()
