"""Video-XL-Pro: what a prompt is shown of a video depends on the prompt, so each has a prefill of its own.

Shared between prompts is all that comes before its selector: pixels, vision, DTS, projector, and the
selector's own attention. What a prompt adds is a score of each visual token, the choice of the best ones, and
a pass of the language model over them.

Shapes: T video rows, N visual tokens of a group, D language width, H query heads, E head size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.decode import Continuation
from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.prefix import View
from videoxl2.generate.kv.selection import BiLevelOptions, Selection
from videoxl2.generate.models.video_model import VideoModel
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.generate.prefill.stream import FrameSpan, shown
from videoxl2.generate.session import Session
from videoxl2.network.configs.config import num_kept
from videoxl2.network.configs.families import Family
from videoxl2.network.language.cache import KVCache
from videoxl2.network.layers.attention import attention_lse
from videoxl2.network.layers.query_aware import QueryableVideo, QuerySelector
from videoxl2.network.network import VideoXLProNetwork
from videoxl2.network.transfer import per_device

CHUNK_ROWS = 616  # of the language model's passes over a prompt's rows, as in Video-XL-2's prefill


class VideoXLPro(VideoModel):
    """Video-XL-Pro of April 2025, with one fixed keep ratio instead of the reference's random one."""

    family = Family.VIDEO_XL_PRO
    network: VideoXLProNetwork

    def before_group(self, pts_ms: int) -> list[int]:
        """Return the stamp of a group, padded to four digits."""
        return self.vocabulary.padded_stamp_ids(pts_ms)

    @torch.inference_mode()
    def prefill(
        self,
        spans: Iterable[FrameSpan],
        *,
        prefill: PrefillOptions | None = None,
        prefix_ids: Sequence[int] | None = None,
        keep_ratio: float | None = None,
    ) -> Session:
        """Read spans as they come and keep what does not depend on a prompt.

        `keep_ratio` is the share of the visual tokens that a prompt keeps; None: as the model was loaded.
        Raises as `VideoModel.prefill`, and `ModelInputError` where the context holds no prompt besides.
        """
        keep_ratio = self.config.keep_ratio if keep_ratio is None else keep_ratio
        options = prefill or PrefillOptions()
        encoder = self.encoder(options)
        prefix = self.prefix(prefix_ids)
        layout = TokenLayout(len(prefix), self.config.tokens_per_group)
        pace = self.config.pace(options.step_s)
        pieces: list[Tensor] = []
        frame_times: list[int] = []
        for firsts_ms, tokens_GND in self.groups(shown(spans, pace.every, pace.held), encoder, frame_times):
            stamps = self.stamps(firsts_ms, layout.num_groups, pace)
            for stamp, visual_ND in zip(stamps, tokens_GND, strict=True):
                pieces += [self.network.language.embed(stamp), visual_ND]
                layout.add_group(len(stamp))
        self.check_context(f"{layout.num_groups} groups of frames", kept_rows(layout, keep_ratio))
        is_visual_T = torch.ones(layout.end - len(prefix), dtype=torch.bool)
        is_visual_T[layout.stamp_rows(0, layout.num_groups) - len(prefix)] = False
        video = self.network.selector.prepare(
            torch.cat(pieces), is_visual_T.to(self.device), layout.tokens_per_group
        )
        language = self.network.language
        return PromptedSession(
            **self.session_fields(encoder, frame_times, (), pace),
            layout=layout,
            cache=KVCache(language.cache_shape, self.device),
            video=video,
            selector=self.network.selector,
            prefix_ids=tuple(prefix),
            keep_ratio=keep_ratio,
        )


def kept_rows(layout: TokenLayout, keep_ratio: float) -> int:
    """Return the rows that a prompt of any kind is shown before it."""
    visual = layout.num_groups * layout.tokens_per_group
    return layout.end - visual + num_kept(visual, keep_ratio)


@dataclass(frozen=True)
class PromptSelection(Selection):
    """The selection that one prompt is shown: it follows from the prompt's own tokens."""

    prompt_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PromptedSession(Session):
    """One video and any number of prompts, each prefilled on its own; `cache` stays empty."""

    video: QueryableVideo = field(repr=False)
    selector: QuerySelector = field(repr=False)
    prefix_ids: tuple[int, ...]
    keep_ratio: float

    @property
    def num_tokens(self) -> int:
        """Return the number of rows before a prompt: system prompt, stamps and the visual tokens kept."""
        return kept_rows(self.layout, self.keep_ratio)

    def select(
        self, prompt: str | Sequence[int], options: BiLevelOptions | None = None, **_: object
    ) -> PromptSelection:
        """Return the selection that belongs to a prompt. Raises `ModelInputError` for bi-level options."""
        if options is not None:
            raise ModelInputError("Video-XL-Pro has no bi-level decoding", "Leave it out: decode dense.")
        ids = self.vocabulary.suffix_ids(prompt) if isinstance(prompt, str) else prompt
        return PromptSelection(prompt_ids=tuple(ids))

    def start(self, selection: Selection | None = None) -> Continuation:
        """Open a continuation behind what the prompt of `selection` is shown."""
        return Continuation(self.language, self.prefilled(_prompt_of(selection)))

    def start_rows(self, num_rows: int, selections: Sequence[Selection] = (), *, room: int = 0) -> Rows:
        """Open many continuations that step together; `selections` are needed, one for each prompt."""
        prefix = _PromptPrefix(self, [_prompt_of(one) for one in selections], num_rows)
        return Rows(self.language, prefix, self.cache.shape, num_rows, room=room, recorder=self.recorder)

    @torch.inference_mode()
    def prefilled(self, prompt_ids: Sequence[int]) -> KVCache:
        """Prefill the rows that a prompt is shown, system prompt first."""
        before_PD = self.language.embed(list(self.prefix_ids))
        asked_QD = torch.cat([before_PD, self.language.embed(list(prompt_ids))])
        rows_TD, _ = self.selector.rows_for(self.video, asked_QD, self.keep_ratio)
        x_TD = torch.cat([before_PD, rows_TD])
        cache = KVCache(self.language.cache_shape, x_TD.device, capacity=len(x_TD))
        with self.clock.stage("prefill"):
            for chunk_TD in x_TD.split(CHUNK_ROWS):
                self.language.extend(chunk_TD, cache, keys_only=True)
        return cache


def _prompt_of(selection: Selection | None) -> tuple[int, ...]:
    if not isinstance(selection, PromptSelection):
        raise ModelInputError(
            "what Video-XL-Pro is shown depends on the prompt, and none is given",
            "Pass `session.select(prompt)`.",
        )
    return selection.prompt_ids


class _PromptPrefix:
    """A cache for each row, made when the row begins with a prompt and dropped with it."""

    def __init__(self, session: PromptedSession, prompts: Sequence[tuple[int, ...]], num_rows: int) -> None:
        self._session = session
        self._prompts = prompts
        self._shown: list[int | None] = [None] * num_rows
        self._caches: list[KVCache | None] = [None] * num_rows
        for row in range(min(num_rows, len(prompts))):
            self.choose(row, row)

    def choose(self, row: int, prompt: int) -> None:
        if self._shown[row] != prompt:
            self._caches[row] = None  # before the next one is made: there may be room for one only
            self._caches[row] = self._session.prefilled(self._prompts[prompt])
            self._shown[row] = prompt

    def kind(self, rows: Sequence[int]) -> None:
        """Return nothing: every prompt has a cache of its own, so its steps do not repeat for long."""

    def cache(self, row: int) -> KVCache:
        cache = self._caches[row]
        assert cache is not None, "no prompt was chosen for this row"
        return cache

    def length(self, row: int) -> int:
        return self.cache(row).length

    def view(self, rows: Sequence[int]) -> View:
        return _PromptView({row: self.cache(row) for row in dict.fromkeys(rows)}, rows)


class _PromptView:
    """Plan of which tokens see which row's cache."""

    num_blocks = 1

    def __init__(self, caches: dict[int, KVCache], rows: Sequence[int]) -> None:
        tokens = {row: [t for t, of in enumerate(rows) if of == row] for row in caches}
        self._caches = list(caches.values())
        of_caches = [torch.tensor(tokens[row]) for row in caches]
        order_T = torch.cat(of_caches).argsort()
        self._tokens_on = per_device(lambda device: [x.to(device) for x in (*of_caches, order_T)])

    def attend(self, layer: int, q_HTE: Tensor) -> tuple[Tensor, Tensor]:
        *of_caches, order_T = self._tokens_on(q_HTE.device)
        outs, lses = [], []
        for cache, tokens_T in zip(self._caches, of_caches, strict=True):
            keys_KSE, values_KSE = cache.read(layer, cache.length)
            out_1HTE, lse_1HT = attention_lse(
                q_HTE.index_select(1, tokens_T)[None], keys_KSE[None], values_KSE[None]
            )
            outs.append(out_1HTE[0])
            lses.append(lse_1HT[0])
        return torch.cat(outs, 1).index_select(1, order_T), torch.cat(lses, 1).index_select(1, order_T)
