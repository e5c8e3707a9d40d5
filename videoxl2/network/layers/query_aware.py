"""Video-XL-Pro's selector: which visual tokens a prompt keeps, and how much of it each is told.

Shapes: T video rows (stamps and visual tokens, group by group), V visual rows, N visual rows of a group,
Q prompt tokens, W windows, H heads, E head size, D language width. Source: reference §4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.config import num_kept

STAMP_ROWS = 10  # of a window, whatever its stamp has: from 10,000 s on windows slip, as in the reference
_NUM_HEADS = 4
_ROTARY_BASE = 1e6


class StampAttention(nn.Module):
    """Attention of a group's visual tokens over its stamp (checkpoint name `WindowTimeToTokenAttention`).

    What is summed up are the stamp's queries: `v_proj` is in the checkpoint and never used.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x_TD: Tensor, tokens_per_group: int) -> Tensor:
        """Return the rows with each window's visual ones replaced; a rest that fills no window stays."""
        size = STAMP_ROWS + tokens_per_group
        whole = len(x_TD) // size * size
        windows_WSD = x_TD[:whole].unflatten(0, (-1, size))
        stamps_WHSE = self._heads(self.q_proj(windows_WSD[:, :STAMP_ROWS]))
        visuals_WHNE = self._heads(self.k_proj(windows_WSD[:, STAMP_ROWS:]))
        # One window after another: exact, and linear in the video's length.
        attended_WHNE = functional.scaled_dot_product_attention(visuals_WHNE, stamps_WHSE, stamps_WHSE)
        replaced_WND = self.out_proj(attended_WHNE.transpose(1, 2).flatten(2))
        rows_WSD = torch.cat([windows_WSD[:, :STAMP_ROWS], replaced_WND], dim=1)
        out_TD: Tensor = torch.cat([rows_WSD.flatten(0, 1), x_TD[whole:]])
        return out_TD

    @staticmethod
    def _heads(x_WSD: Tensor) -> Tensor:
        heads: Tensor = x_WSD.unflatten(2, (_NUM_HEADS, -1))
        return heads.transpose(1, 2)


@dataclass(frozen=True)
class QueryableVideo:
    """The part of a video that does not depend on the prompt."""

    rotated: Tensor  # [T, D]: the rows that the language model is given, before scores are added
    attended: Tensor  # [V, D]: the visual rows that prompts are compared with
    is_visual: Tensor  # bool [T]


class QuerySelector(nn.Module):
    """The selector's weights: stamps to visual tokens, and prompts to what is compared with these."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stamp_attention = StampAttention(width)
        self.text_mlp = nn.Sequential(nn.Linear(width, width), nn.GELU())

    def prepare(self, x_TD: Tensor, is_visual_T: Tensor, tokens_per_group: int) -> QueryableVideo:
        """Return all of the video that no prompt changes."""
        attended_TD = self.stamp_attention(x_TD, tokens_per_group)
        return QueryableVideo(rotated(x_TD), attended_TD[is_visual_T], is_visual_T)

    def scores(self, video: QueryableVideo, prompt_QD: Tensor) -> Tensor:
        """Return float32 `[V]` from 0 to 1: how much each visual token has to do with the prompt."""
        asked_D = self.text_mlp(prompt_QD).float().mean(0)
        raw_V = video.attended.float() @ asked_D
        low, high = raw_V.aminmax()
        scores: Tensor = (raw_V - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)
        return scores

    def rows_for(self, video: QueryableVideo, prompt_QD: Tensor, keep_ratio: float) -> tuple[Tensor, Tensor]:
        """Return the rows `[kept, D]` that the language model is given for a prompt, and which of T.

        A kept visual token has its score added to every channel; stamps are all kept.
        """
        scores_V = self.scores(video, prompt_QD)
        kept_T = ~video.is_visual
        visual_rows = video.is_visual.nonzero()[:, 0]
        kept_T[visual_rows[kept_tokens(scores_V, keep_ratio)]] = True
        added_T = scores_V.new_zeros(len(kept_T)).index_copy_(0, visual_rows, scores_V)
        return video.rotated[kept_T] + added_T[kept_T, None].to(video.rotated.dtype), kept_T


def kept_tokens(scores_V: Tensor, keep_ratio: float) -> Tensor:
    """Return the places of the best tokens, in their order."""
    best: Tensor = scores_V.topk(num_kept(len(scores_V), keep_ratio)).indices.sort().values
    return best


def rotated(x_TD: Tensor) -> Tensor:
    """Turn neighbouring channels (0, 1), (2, 3) … by the row's number times a frequency, over all of D."""
    num_rows, width = x_TD.shape
    channels_C = torch.arange(0, width, 2, device=x_TD.device, dtype=torch.float32)
    frequency_C = (channels_C * (-math.log(_ROTARY_BASE) / width)).exp()
    angle_TC = torch.arange(num_rows, device=x_TD.device, dtype=torch.float32)[:, None] * frequency_C
    even_TC, odd_TC = x_TD[:, 0::2].float(), x_TD[:, 1::2].float()
    cos_TC, sin_TC = angle_TC.cos(), angle_TC.sin()
    turned = torch.stack([even_TC * cos_TC - odd_TC * sin_TC, odd_TC * cos_TC + even_TC * sin_TC], dim=-1)
    return turned.flatten(1).to(x_TD.dtype)
