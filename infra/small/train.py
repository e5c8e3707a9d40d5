"""Train the small checkpoint: one command, which goes on where it was stopped.

    nice python infra/small/train.py FOLDER        (an hour and three quarters on two free cores)

FOLDER keeps the state of each stage and `log.jsonl`, a line of losses and validation accuracies now and then;
FOLDER/checkpoint is the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
import torch
from answers_stage import Code, eye_of
from checkpoint import build_tokenizer, frame_phrases, fresh_network, small_config, write_checkpoint
from code_stage import Meant, judge_code, meant_by_code, meant_by_eyes
from figure_columns import WIDTH
from figure_wiring import hold_all_wired
from groups import draw_cuts, draw_groups, group_of, seen_of, with_a_cut
from growing import load_narrow, load_wide, take_over, width_of, wire_anew
from lessons import Lessons, WatchedFilm, imagine, watch
from narration import every_phrase
from stages import ANSWERS, CODE, CUTS, GOING_ON, GROUPS, LANGUAGE, LOOKUPS, PICTURES, SUMMARIES
from storyboard import Part
from teaching import teach, train_answers
from tokenizers import Tokenizer
from training import Log, Mean, Training, averaged
from vision_stage import AttributeHeads, Judged, Seen, Shown, draw_pictures, whiten_patches

from jobs.prompts.pack import load_packs
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.language.tokens import END_OF_TURN, Vocabulary
from videoxl2.network.network import Network

T = TypeVar("T")

NUM_IMAGINED, NUM_WATCHED, NUM_GONE_ON, NUM_HELD_OUT = 2500, 2000, 1000, 25  # films
SHARD = 250  # films


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
    """Until attributes are read off the visual tokens of four pictures.

    In four groups of five all pictures show one place, which is learned first; which of them are before a cut
    and which behind it is a stage of its own.
    """
    modules = {"dts": network.dts, "projector": network.projector, "heads": heads}
    judge: Callable[[Seen], Judged] = partial(heads.judge_groups, network)
    seen = [seen_of(film) for film in held_out]
    draw: Callable[[int], Seen] = partial(draw_groups, films, GROUPS.size)
    _show(Training(GROUPS, modules, folder), judge, draw, seen, log)
    seen = [group_of(film, number) for film in held_out for number in with_a_cut(film)]
    draw = partial(draw_cuts, films, CUTS.size)
    _show(Training(CUTS, modules, folder), judge, draw, seen, log)


def _show(
    training: Training,
    judge: Callable[[T], Judged],
    draw: Callable[[int], T],
    held_out: Sequence[T],
    log: Log,
) -> None:
    """The loop of the stages that learn to see."""
    means: dict[str, Mean] = defaultdict(Mean)
    while not training.is_done:
        losses = judge(draw(training.step)).losses
        training.descend(torch.stack(list(losses.values())).sum())
        for place, loss in losses.items():
            means[place].add(loss.item())
        if training.is_time_to_tell:
            with torch.no_grad():
                right = averaged([judge(shown).right for shown in held_out])
            by_place = {place: mean.take() for place, mean in means.items()}
            log.line(training.stage.name, training.step, **by_place, **right)


def train_language(network: Network, lessons: Lessons, folder: Path, log: Log) -> Code:
    """Until the language model answers with perfect eyes.

    First it learns to find its way about a film by time: when the scene in view began, when the scene that
    begins at a time ends, and the title of what plays from one time to another. Then the default prompts; and
    last, who is in a scene. Needs no picture, so it may run beside the stages of the eyes.
    """
    torch.manual_seed(0)
    code = Code(network.config)
    films = [imagine("train", number) for number in range(NUM_IMAGINED)]
    held_out = [imagine("validation", number) for number in range(NUM_HELD_OUT)]
    titles, summaries = lessons.of_lookups("titles"), lessons.of_lookups("summaries")
    learner: dict[str, torch.nn.Module] = {"language": network.language}
    for stage, modules, taught in (
        (LOOKUPS, learner | {"code": code}, (titles, lessons.of_boundaries())),
        (LANGUAGE, learner | {"code": code}, (lessons, titles)),
        (SUMMARIES, learner, (summaries, lessons)),
    ):
        teach(network, code, taught, Training(stage, modules, folder), films, held_out, log)
    return code


def train_code(
    network: Network,
    meant: Meant,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Until a group's visual tokens are what the language model has been told they are."""
    training = Training(CODE, {"dts": network.dts, "projector": network.projector}, folder)
    judge: Callable[[Seen], Judged] = partial(judge_code, network, meant)
    draw: Callable[[int], Seen] = partial(draw_cuts, films, CODE.size)
    _show(training, judge, draw, [seen_of(film) for film in held_out], log)


@torch.no_grad()
def speak_code(network: Network, code: Code, films: Sequence[WatchedFilm]) -> None:
    """Turn the projector's last layer to the code, by least squares."""
    eye, meant = eye_of(network, films), meant_by_code(code)
    seen_GD = torch.cat([eye(film).mean(1) for film in films]).double()
    meant_GD = torch.cat([meant(seen_of(film))[:, 0] for film in films]).double()
    ones_G1 = torch.ones(len(seen_GD), 1, dtype=torch.double)
    turn = torch.linalg.lstsq(torch.cat([seen_GD, ones_G1], dim=1), meant_GD).solution.float()
    last = network.projector[2]
    assert isinstance(last, torch.nn.Linear)
    last.weight.copy_(turn[:-1].T @ last.weight)
    last.bias.copy_(turn[:-1].T @ last.bias + turn[-1])


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


def go_on_from(
    checkpoint: Path, network: Network, tokenizer: Tokenizer, lessons: Lessons, folder: Path, log: Log
) -> None:
    """Learn figures and best moments besides what a narrower checkpoint knows; its tower stays as it is."""
    narrow = load_narrow(checkpoint)
    take_over(network, narrow, tokenizer)
    films = watch_films(network, "train", NUM_GONE_ON, folder, log)
    held_out = watch_films(network, "validation", NUM_HELD_OUT, folder, log)
    train_code(network, meant_by_eyes(narrow), films, held_out, folder, log)
    hold_all_wired(network)
    train_answers(network, lessons, GOING_ON, films, held_out, folder, log)


def wired_anew(checkpoint: Path) -> Network:
    """A checkpoint of today's width, with the heads set as they are set today; what was learned stays."""
    network = load_wide(checkpoint)
    wire_anew(network)
    return network


def small_network() -> tuple[Network, Tokenizer]:
    """Where training begins."""
    tokenizer = build_tokenizer(every_phrase() | frame_phrases())
    stop = tokenizer.token_to_id(END_OF_TURN)
    assert stop is not None
    return fresh_network(small_config(tokenizer.get_vocab_size(), stop), tokenizer), tokenizer


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice(["eyes", "language"]), help="A half that may run beside the other.")
@click.option(
    "--begin-with",
    type=click.Path(path_type=Path, exists=True),
    help="A checkpoint of 160 columns whose tower and answers are taken over, in place of the first stages;"
    " or one of 288, in which what is set and not learned is set anew.",
)
@click.option("--threads", default=1, show_default=True)
def main(folder: Path, only: str | None, begin_with: Path | None, threads: int) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder)
    network, tokenizer = small_network()
    vocabulary = Vocabulary(tokenizer)
    table = TokenTable(tokenizer, network.config.language.vocab_size, network.config.eos_ids[0], "cpu")
    lessons = Lessons(vocabulary, table, load_packs())
    if begin_with is not None:
        if width_of(begin_with) == WIDTH:
            network = wired_anew(begin_with)
        else:
            go_on_from(begin_with, network, tokenizer, lessons, folder, log)
        write_checkpoint(network, tokenizer, folder / "checkpoint")
        return
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
    if not (folder / f"{CODE.name}.pt").exists():
        speak_code(network, code, films[:500])
    train_code(network, meant_by_code(code), films, held_out, folder, log)
    train_answers(network, lessons, ANSWERS, films, held_out, folder, log)
    write_checkpoint(network, tokenizer, folder / "checkpoint")


if __name__ == "__main__":
    main()
