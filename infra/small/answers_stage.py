"""The language model learns to answer the default prompts.

A film is one sequence: the video, and behind it each prompt with its answer, which sees the video and itself
alone, as at inference. Attention over the video is that of the chunk prefill. What stands for a frame group
is a code of its attributes at first, as if eyes were perfect; later the projector's tokens of the pictures,
whose features are computed once a film since the tower and DTS learn no more by then.

Shapes: G groups, N visual tokens a group, D model width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from attributes import GROUP_OUTPUTS, one_hot
from figure_columns import FIRST_COLUMN, with_figures
from lessons import TaughtFilm, WatchedFilm
from torch import Tensor, nn
from torch.nn import functional
from wiring import wire_code

from videoxl2.generate.kv.layout import TokenLayout, Visibility
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.layers.attention import attention
from videoxl2.network.network import Network
from videoxl2.network.vision.dts import group_frames


@dataclass(frozen=True)
class Outcome:
    """Of all decisions of a batch: their losses `[N]`, whether right `[N]`, and their slots' names."""

    losses: Tensor
    right: Tensor
    slots: list[str]


Eye = Callable[[WatchedFilm], Tensor]  # a film's visual tokens [G, N, D]


class Code(nn.Module):
    """Perfect eyes: all visual tokens of a group are one vector that stands for its attributes, blurred; in a
    network that has grown, figures have columns of their own."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.tokens_per_group = config.tokens_per_group
        self._tells_figures = config.language.hidden_size > FIRST_COLUMN
        self.linear = nn.Linear(GROUP_OUTPUTS, FIRST_COLUMN)
        wire_code(self.linear)

    def forward(self, watched: WatchedFilm) -> Tensor:
        code_G1D = self.linear(one_hot(watched.labels))[:, None]
        code_G1D = with_figures(code_G1D, watched.labels) if self._tells_figures else code_G1D
        tokens_GND = code_G1D.expand(-1, self.tokens_per_group, -1)
        return tokens_GND + 0.1 * code_G1D.detach().std() * torch.randn(tokens_GND.shape)


def eye_of(network: Network, films: Sequence[WatchedFilm], has_learned: bool = True) -> Eye:
    """The visual tokens of what was watched; eyes run here, once, but for a projector that learns on."""
    kept: dict[tuple[int, tuple[int, ...]], Tensor] = {}
    with torch.no_grad():
        for film in films:
            assert film.features is not None
            seen = network.dts(group_frames(film.features.float()))
            kept[film.film.seed, film.times_ms] = (network.projector(seen) if has_learned else seen).half()

    def see(watched: WatchedFilm) -> Tensor:
        tokens = kept[watched.film.seed, watched.times_ms].float()
        return tokens if has_learned else network.projector(tokens)

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
