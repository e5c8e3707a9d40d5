"""The language model learns to answer the default prompts.

A film is one sequence: the video, and behind it each prompt with its answer, which sees the video and itself
alone, as at inference. Attention over the video is that of the chunk prefill. What stands for a frame group
is a code of its attributes at first, as if eyes were perfect; later the projector's tokens of the pictures,
whose features are computed once a film since the tower and DTS learn no more by then.

Shapes: F pictures, G groups, H attribute heads, N visual tokens a group, D model width.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from attributes import GROUP_OUTPUTS, film_labels, one_hot
from narration import Seen, character_answers, highlight_answers, roster, scene_answers, summary_answer
from storyboard import Film, Part, draw_film
from teacher import Lesson, UntellableError, lesson, lookups
from torch import Tensor, nn
from torch.nn import functional
from vision_stage import seen_picture, tower_features
from wiring import wire_code

from jobs.prompts.pack import Prompt
from jobs.prompts.program_times import AnswerContext, tenths
from schemas.answers import Answer
from videoxl2.attention import attention
from videoxl2.config import GROUP_FRAMES, ModelConfig
from videoxl2.dts import group_frames
from videoxl2.layout import TokenLayout, Visibility
from videoxl2.network import Network
from videoxl2.prefill import PrefillOptions
from videoxl2.slot_masks import TokenTable
from videoxl2.tokens import Vocabulary

_WINDOW_SHARE = 0.3  # of films that are asked about a part
Lookups = Literal["titles", "summaries"]
_MOST_LOOKUPS: dict[Lookups, int] = {"titles": 60, "summaries": 30}


@dataclass(frozen=True)
class WatchedFilm:
    """A film with the sampled times and the pictures' labels `[F, H]`, the last repeated to fill its group;
    where they were drawn and looked at, also the tower's features `[F, C, R, R]` (float16)."""

    film: Film
    times_ms: tuple[int, ...]
    labels: Tensor
    features: Tensor | None = None


@dataclass(frozen=True)
class TaughtFilm:
    """A film as tokens: prefix and each group's stamp as ids, and lessons behind them."""

    prefix: tuple[int, ...]
    stamps: tuple[tuple[int, ...], ...]
    watched: WatchedFilm
    lessons: tuple[Lesson, ...]
    began: tuple[int | None, ...]  # token of the second in which the scene seen last by a group began

    @property
    def num_tokens(self) -> int:
        return sum(map(len, self.stamps)) + 4 * len(self.stamps) + sum(len(one.ids) for one in self.lessons)


def sample_times(film: Film, draw: random.Random) -> tuple[int, ...]:
    """What a reader samples once a second, in ms; the displayed picture may be a bit older than asked for."""
    late = draw.choice((0, 0, 0, 0, 0, 0, 16, 33, 40, 90))
    count = int(film.duration_s * 1000 - 1) // 1000 + 1
    return tuple(max(0, n * 1000 - draw.randint(0, late)) for n in range(count))


def imagine(part: Part, number: int) -> WatchedFilm:
    """A film of which no picture is drawn."""
    film = draw_film(part, number)
    times = sample_times(film, random.Random(film.seed + 7))
    return WatchedFilm(film, times, film_labels(film, times))


@torch.no_grad()
def watch(network: Network, part: Part, number: int) -> WatchedFilm:
    """Draw the sampled pictures of a film and encode them."""
    imagined = imagine(part, number)
    film, draw = imagined.film, random.Random(imagined.film.seed + 8)
    side = network.config.vision.image_size
    pieces = []
    for first in range(0, len(imagined.times_ms), 32):
        times = imagined.times_ms[first : first + 32]
        shown = [seen_picture(film, ms / 1000, side, draw) for ms in times]
        shown += shown[-1:] * (-len(shown) % GROUP_FRAMES)
        pieces.append(tower_features(network, np.stack(shown)).half())
    return replace(imagined, features=torch.cat(pieces))


class Lessons:
    """Makes sequences of watched films: all four prompts, of long films about a part of them."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        table: TokenTable,
        prompts: Sequence[Prompt],
        lookups: Lookups | None = None,
    ) -> None:
        self._vocabulary, self._table, self._prompts, self._lookups = vocabulary, table, prompts, lookups

    def of_boundaries(self) -> Lessons:
        """Of no prompt: what a film has to teach besides, a fifth of the tokens."""
        return Lessons(self._vocabulary, self._table, ())

    def of_lookups(self, kind: Lookups) -> Lessons:
        """Of no prompt; boundaries, and the titles, or also the summaries, of scenes by their times, in no
        order."""
        return Lessons(self._vocabulary, self._table, (), kind)

    def of(self, watched: WatchedFilm, draw: random.Random) -> TaughtFilm:
        """Lessons whose truth cannot be told under the answers' bounds are left out."""
        vocabulary = self._vocabulary
        lessons: list[Lesson] = []
        for prompt in self._prompts:
            try:
                context, truth = self._asked(prompt, watched, draw)
                ids = vocabulary.suffix_ids(prompt.fill(context))
                lessons.append(lesson(prompt, context, truth, ids, self._table))
            except UntellableError:
                continue
        if self._lookups:
            scenes = scene_answers(_whole(watched))
            draw.shuffle(scenes)
            labels = [who.label for who in roster(watched.film)]
            told = self._lookups == "summaries"
            lessons.append(lookups(scenes[: _MOST_LOOKUPS[self._lookups]], self._table, labels, told))
        stamps = tuple(tuple(vocabulary.stamp_ids(ms)) for ms in watched.times_ms[::GROUP_FRAMES])
        prefix = tuple(vocabulary.prefix_ids())
        return TaughtFilm(prefix, stamps, watched, tuple(lessons), self._began(watched))

    def _began(self, watched: WatchedFilm) -> tuple[int | None, ...]:
        """For each group; none where that is no whole second."""
        tokens: list[int | None] = []
        scene, began = -1, 0
        for number, ms in enumerate(watched.times_ms):
            if watched.film.scene_at(ms / 1000) != scene:
                scene, began = watched.film.scene_at(ms / 1000), tenths(ms)
            if number % GROUP_FRAMES == GROUP_FRAMES - 1 or number == len(watched.times_ms) - 1:
                is_whole = began % 10 == 0
                tokens.append(self._table.encode([str(began // 10)])[0][0] if is_whole else None)
        return tuple(tokens)

    def _asked(
        self, prompt: Prompt, watched: WatchedFilm, draw: random.Random
    ) -> tuple[AnswerContext, Sequence[Answer]]:
        film, times_ms = watched.film, watched.times_ms
        duration_ms = round(film.duration_s * 1000)
        window = (0, duration_ms)
        longest = prompt.window_ms or duration_ms
        if prompt.name == "scenes" and (duration_ms > 1.5 * longest or draw.random() < _WINDOW_SHARE):
            window = _draw_window(times_ms, duration_ms, longest, draw)
        whole = _whole(watched)
        seen = replace(whole, first_s=tenths(window[0]) / 10, last_s=tenths(window[1]) / 10)
        labels = tuple(who.label for who in roster(film))
        context = AnswerContext(
            duration_ms,
            times_ms,
            roster=() if prompt.name in ("summary", "characters") else labels,
            window_ms=window,
            max_tokens=prompt.max_new_tokens,
            scenes=tuple(scene_answers(whole)) if prompt.name == "highlights" else (),
        )
        match prompt.name:
            case "summary":
                return context, [summary_answer(film)]
            case "characters":
                return context, character_answers(film)
            case "scenes":
                return context, scene_answers(seen)
            case _:
                return context, highlight_answers(whole)


def _whole(watched: WatchedFilm) -> Seen:
    times_s = tuple(tenths(ms) / 10 for ms in watched.times_ms)
    return Seen(
        watched.film, watched.times_ms, times_s, 0.0, tenths(round(watched.film.duration_s * 1000)) / 10
    )


def _draw_window(
    times_ms: Sequence[int], duration_ms: int, longest_ms: int, draw: random.Random
) -> tuple[int, int]:
    first = draw.choice(times_ms[: max(1, len(times_ms) - 8)])
    last = [ms for ms in (*times_ms, duration_ms) if first + 6000 <= ms <= first + longest_ms]
    return first, draw.choice(last) if last else duration_ms


# --- the pass ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Of all decisions of a batch: their losses `[N]`, whether right `[N]`, and their slots' names."""

    losses: Tensor
    right: Tensor
    slots: list[str]


Eye = Callable[[WatchedFilm], Tensor]  # a film's visual tokens [G, N, D]


class Code(nn.Module):
    """Perfect eyes: all visual tokens of a group are one vector that stands for its attributes, blurred."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.tokens_per_group = config.tokens_per_group
        self.linear = nn.Linear(GROUP_OUTPUTS, config.language.hidden_size)
        wire_code(self.linear)

    def forward(self, watched: WatchedFilm) -> Tensor:
        code_GD = self.linear(one_hot(watched.labels))
        tokens_GND = code_GD[:, None].expand(-1, self.tokens_per_group, -1)
        return tokens_GND + 0.1 * code_GD.detach().std() * torch.randn(tokens_GND.shape)


def eye_of(network: Network, films: Sequence[WatchedFilm]) -> Eye:
    """The projector's tokens of what was watched; DTS, which learns no more, is run here, once."""
    merged: dict[int, Tensor] = {}
    with torch.no_grad():
        for film in films:
            assert film.features is not None
            merged[film.film.seed] = network.dts(group_frames(film.features.float())).half()

    def see(watched: WatchedFilm) -> Tensor:
        tokens: Tensor = network.projector(merged[watched.film.seed].float())
        return tokens

    return see


def run_batch(network: Network, eye: Eye, batch: Sequence[TaughtFilm], options: PrefillOptions) -> Outcome:
    """Teacher forcing: the loss of every decision."""
    packed = [_packed(network, eye, one, options) for one in batch]
    language = network.language
    x_TD = torch.cat([one.tokens for one in packed])
    positions_T = torch.cat([one.positions for one in packed])
    sizes = [len(one.positions) for one in packed]

    def attend(_: int, q_HTE: Tensor, k_HTE: Tensor, v_HTE: Tensor) -> Tensor:
        q_HTE, k_HTE = q_HTE.to(v_HTE.dtype), k_HTE.to(v_HTE.dtype)
        parts = zip(packed, *(x.split(sizes, dim=1) for x in (q_HTE, k_HTE, v_HTE)), strict=True)
        return torch.cat([one.attend(q, k, v) for one, q, k, v in parts], dim=1)

    hidden_TD = language.run(x_TD, positions_T, attend)
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    rows = [start + row for start, one in zip(starts, packed, strict=True) for row in one.rows]
    targets = torch.tensor([target for one in packed for target in one.targets])
    logits = language.logits(hidden_TD[torch.tensor(rows)])
    losses = functional.cross_entropy(logits, targets, reduction="none")
    return Outcome(losses, logits.argmax(1) == targets, [s for one in packed for s in one.slots])


@dataclass(frozen=True)
class _Packed:
    """One film's tokens, `ends` where the video and each lesson ends, `rows` that predict `targets`."""

    tokens: Tensor  # [T, D]
    positions: Tensor  # [T]
    ends: tuple[int, ...]
    mask: Tensor | None  # of the video, where chunks do not see everything
    rows: tuple[int, ...]
    targets: tuple[int, ...]
    slots: tuple[str, ...]

    def attend(self, q_HTE: Tensor, k_HTE: Tensor, v_HTE: Tensor) -> Tensor:
        video = self.ends[0]
        k_video, v_video = k_HTE[:, :video], v_HTE[:, :video]
        mixed = [attention(q_HTE[:, :video], k_video, v_video, self.mask)]
        for first, last in zip(self.ends, self.ends[1:], strict=False):
            keys = torch.cat([k_video, k_HTE[:, first:last]], dim=1)
            values = torch.cat([v_video, v_HTE[:, first:last]], dim=1)
            mixed.append(attention(q_HTE[:, first:last], keys, values))
        return torch.cat(mixed, dim=1)


def _packed(network: Network, eye: Eye, one: TaughtFilm, options: PrefillOptions) -> _Packed:
    language = network.language
    visual_GND = eye(one.watched)
    pieces = [language.embed(list(one.prefix))]
    layout = TokenLayout(len(one.prefix), visual_GND.shape[1])
    for stamp, visual_ND in zip(one.stamps, visual_GND, strict=True):
        pieces += [language.embed(list(stamp)), visual_ND]
        layout.add_group(len(stamp))
    mask = None
    if layout.num_groups > options.chunk_groups * (options.previous_chunks + 1) and options.mode != "full":
        visible = Visibility.of(
            layout,
            options.chunk_groups,
            options.previous_chunks,
            stamp_queries_see_all=options.mode == "mask",
        )
        mask = visible.mask(0, layout.end)
    positions = [torch.arange(layout.end)]
    # Besides its decisions the model learns, at the end of each group, when the present scene began: what it
    # needs to find boundaries, and learns from answers alone only much later.
    known = [(layout.group_start(n + 1) - 1, token) for n, token in enumerate(one.began) if token is not None]
    ends, rows, targets = [layout.end], [row for row, _ in known], [token for _, token in known]
    slots = ["video.time"] * len(known)
    for each in one.lessons:
        pieces.append(language.embed(list(each.ids)))
        positions.append(torch.arange(layout.end, layout.end + len(each.ids)))
        slots += each.slots
        rows += [ends[-1] + place - 1 for place in each.decided]
        targets += [each.ids[place] for place in each.decided]
        ends.append(ends[-1] + len(each.ids))
    return _Packed(
        torch.cat(pieces), torch.cat(positions), tuple(ends), mask, tuple(rows), tuple(targets), tuple(slots)
    )
