"""One prefilled video and any number of prompts on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from videoxl2.bilevel import (
    BiLevelOptions,
    BiLevelReport,
    dense_from_scores,
    dense_from_units,
    mix_cache,
    mixed_rows,
    selection_chunks,
)
from videoxl2.cache import KVCache
from videoxl2.clock import StageClock
from videoxl2.decode import Continuation, FinishReason, greedy
from videoxl2.decode_step import DecodeStep
from videoxl2.errors import ModelInputError, ModelMemoryError
from videoxl2.language import LanguageModel
from videoxl2.layout import TokenLayout
from videoxl2.memory import is_out_of_memory
from videoxl2.relevance import ExternalScorer, attention_scores, checked_scores
from videoxl2.tokens import SUFFIX_AFTER, Vocabulary


@dataclass(frozen=True)
class Generation:
    """An answer with what it cost. `token_ids` exclude the stop token."""

    text: str
    token_ids: tuple[int, ...]
    num_prompt_tokens: int
    num_output_tokens: int
    finish_reason: FinishReason
    mean_logprob: float  # natural log; 0.0 for an empty answer
    margins: tuple[float, ...]  # logits between the token and the runner-up
    bilevel: BiLevelReport | None = None


@dataclass(frozen=True)
class Session:
    """Keys and values of one video. Prompts leave it as it was, so their order does not matter.

    Not safe to use from several threads at once.
    """

    language: LanguageModel
    vocabulary: Vocabulary
    layout: TokenLayout
    cache: KVCache
    stop_ids: frozenset[int]
    frame_times_s: tuple[float, ...]
    group_times_s: tuple[float, ...]  # of each group's first frame: what the stamps say
    degraded: tuple[str, ...]  # steps of the memory ladder that were taken
    clock: StageClock
    step: DecodeStep | None = None

    @property
    def num_frames(self) -> int:
        return len(self.frame_times_s)

    @property
    def num_tokens(self) -> int:
        """Rows of the cache: system prompt, stamps and visual tokens."""
        return self.layout.end

    @property
    def kv_bytes(self) -> int:
        return self.cache.num_bytes

    def stage_seconds(self) -> dict[str, float]:
        """Seconds in vision, dts, prefill and decode so far."""
        return self.clock.seconds()

    def start(self, cache: KVCache | None = None) -> Continuation:
        """An open-ended continuation for a caller that picks the tokens itself; use it in a `with`."""
        if self.cache.length != self.layout.end:
            raise ModelInputError("another continuation of this session is open", "Close it first.")
        return Continuation(self.language, cache or self.cache, self.step)

    def generate(
        self,
        prompt: str | Sequence[int],
        *,
        max_new_tokens: int = 512,
        bilevel: BiLevelOptions | None = None,
        relevance: ExternalScorer | None = None,
    ) -> Generation:
        """Answer a prompt greedily; text, or the ids of everything after the video.

        Equal to a separate run with this prompt alone. With `bilevel` the answer is decoded on dense and
        pooled chunks, chosen by its units, by `relevance`, or by the model's own attention.
        """
        suffix_ids = self._suffix_ids(prompt, max_new_tokens)
        try:
            with self.clock.stage("decode"):
                cache, report = self._cache_for(prompt, suffix_ids, max_new_tokens, bilevel, relevance)
                with self.start(cache) as continuation:
                    decoded = greedy(continuation, suffix_ids, max_new_tokens, self.stop_ids)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise ModelMemoryError(
                f"out of memory answering on {self.num_tokens} cached tokens",
                "Prefill fewer frames, offload the cache, or decode bi-level.",
            ) from error
        num_output = len(decoded.token_ids)
        return Generation(
            text=self.vocabulary.decode(decoded.token_ids),
            token_ids=decoded.token_ids,
            num_prompt_tokens=len(suffix_ids),
            num_output_tokens=num_output,
            finish_reason=decoded.finish_reason,
            mean_logprob=sum(decoded.logprobs) / max(num_output, 1),
            margins=decoded.margins,
            bilevel=report,
        )

    def _suffix_ids(self, prompt: str | Sequence[int], max_new_tokens: int) -> list[int]:
        ids = self.vocabulary.suffix_ids(prompt) if isinstance(prompt, str) else [int(i) for i in prompt]
        config = self.language.config
        if not ids or max_new_tokens < 1:
            raise ModelInputError("an empty prompt, or no token to generate", "Ask for something.")
        if min(ids) < 0 or max(ids) >= config.vocab_size:
            raise ModelInputError(
                f"token ids outside 0 … {config.vocab_size - 1}", "Tokenise with this checkpoint's tokenizer."
            )
        if len(ids) + max_new_tokens > config.max_position_embeddings:
            raise ModelInputError(
                f"prompt of {len(ids)} tokens plus {max_new_tokens} new ones exceed the context of "
                f"{config.max_position_embeddings}",
                "Shorten the prompt or ask for fewer tokens.",
            )
        return ids

    @torch.inference_mode()
    def _cache_for(
        self,
        prompt: str | Sequence[int],
        suffix_ids: list[int],
        max_new_tokens: int,
        options: BiLevelOptions | None,
        relevance: ExternalScorer | None,
    ) -> tuple[KVCache, BiLevelReport | None]:
        """The cache to decode on: the session's own, or a mixed one for this prompt."""
        spare = len(suffix_ids) + max_new_tokens
        if options is None:
            self.cache.reserve(self.cache.length + spare)
            return self.cache, None
        chunks = selection_chunks(self.group_times_s, options.chunk_groups)
        scores: tuple[float, ...] = ()
        if options.units is not None:
            dense = dense_from_units(options.units, len(chunks), options.chunk_groups)
        else:
            if relevance is not None:
                scores = checked_scores(relevance(self._prompt_text(prompt), chunks), len(chunks))
            else:
                question = self._question(prompt, suffix_ids)
                args = (self.language, self.cache, self.layout, suffix_ids, question, chunks)
                scores = tuple(attention_scores(*args))
            dense = dense_from_scores(scores, options.top_chunks)
        cache = self.cache
        length = self.cache.length
        if len(dense) < len(chunks):
            order_P, windows_WX = mixed_rows(self.layout, chunks, dense, options.compression)
            cache = mix_cache(self.cache, self.language.config, length, order_P, windows_WX, spare)
        return cache, BiLevelReport(len(chunks), tuple(sorted(dense)), scores, length, cache.length)

    def _prompt_text(self, prompt: str | Sequence[int]) -> str:
        return prompt if isinstance(prompt, str) else self.vocabulary.decode(prompt)

    def _question(self, prompt: str | Sequence[int], suffix_ids: list[int]) -> slice:
        """The prompt's own tokens, without the chat frame around them."""
        if not isinstance(prompt, str):
            return slice(0, len(suffix_ids))
        return slice(1, len(suffix_ids) - len(self.vocabulary.encode(SUFFIX_AFTER)))
