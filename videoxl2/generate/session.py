"""One prefilled video and any number of prompts on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from videoxl2.errors import ModelInputError, ModelMemoryError
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.decode import Continuation, Decoded, FinishReason, greedy_rows
from videoxl2.generate.decoding.decode_step import StepRecorder
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.generate.kv.caches import Caches
from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.prefix import WholePrefix
from videoxl2.generate.kv.relevance import ExternalScorer, attention_scores, checked_scores
from videoxl2.generate.kv.selection import (
    BiLevelOptions,
    BiLevelReport,
    Selection,
    SelectionChunk,
    dense_from_scores,
    dense_from_units,
    dense_from_window,
    selection_chunks,
)
from videoxl2.network.clock import StageClock
from videoxl2.network.configs.pace import REAL_TIME, Pace
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.memory import is_out_of_memory


@dataclass(frozen=True)
class Generation:
    """Answer with its cost; `token_ids` exclude the stop token."""

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
    frame_times_ms: tuple[int, ...]
    group_times_ms: tuple[int, ...]  # of each group's first frame: what the stamps say, told at `pace`
    degraded: tuple[str, ...]  # steps of the memory ladder that were taken
    clock: StageClock
    recorder: StepRecorder | None = None  # of decode steps; None: they run plainly
    pooled: dict[int, KVCache] = field(default_factory=dict, repr=False)  # by compression
    pace: Pace = REAL_TIME  # at which prompts have to tell the model times, and answers come back

    @property
    def num_frames(self) -> int:
        """Return the number of frames that were prefilled."""
        return len(self.frame_times_ms)

    @property
    def num_tokens(self) -> int:
        """Return the number of rows of the cache: system prompt, stamps and visual tokens."""
        return self.layout.end

    @property
    def kv_bytes(self) -> int:
        """Return the bytes that keys and values take."""
        return self.cache.num_bytes

    def stage_seconds(self) -> dict[str, float]:
        """Return the seconds in vision, dts, prefill and decode so far."""
        return self.clock.seconds()

    def start(self, selection: Selection | None = None) -> Continuation:
        """Open a continuation for a caller that picks the tokens itself; use it in a `with`."""
        self._check_closed()
        return Continuation(self.language, self._caches.selected(selection or Selection()))

    def start_rows(
        self, num_rows: int, selections: Sequence[Selection] = (), *, room: int = 0
    ) -> Rows | OneRow:
        """Open many continuations that step together; `room` sizes them in tokens, else they grow.

        `selections` are by number of the prompt, which `Rows.restart` takes; none: all see the whole video.
        While a single one is open on a CPU, nothing else can be.
        """
        self._check_closed()
        prefix = self._caches.prefix(selections, num_rows)
        on_cpu = self.cache.device.type == "cpu"  # on GPUs the same way on one as on several
        if num_rows == 1 and on_cpu and isinstance(prefix, WholePrefix):
            return OneRow(self.language, prefix.cache, room=room)
        return Rows(self.language, prefix, self.cache.shape, num_rows, room=room, recorder=self.recorder)

    @property
    def _caches(self) -> Caches:
        return Caches(self.cache, self.language.config, self.layout, self.pooled)

    def _check_closed(self) -> None:
        if self.cache.length != self.layout.end:
            raise ModelInputError("another continuation of this session is open", "Close it first.")

    def generate(
        self,
        prompt: str | Sequence[int],
        *,
        max_new_tokens: int = 512,
        bilevel: BiLevelOptions | None = None,
        relevance: ExternalScorer | None = None,
    ) -> Generation:
        """Answer a prompt greedily: a text, or the ids of everything after the video.

        Equal to a separate run with this prompt alone. With `bilevel` the answer is decoded on dense and
        pooled chunks, chosen by its units, by `relevance`, or by the model's own attention.
        """
        [answer] = self.generate_many(
            [prompt], max_new_tokens=max_new_tokens, bilevel=bilevel, relevance=relevance
        )
        return answer

    def generate_many(
        self,
        prompts: Sequence[str | Sequence[int]],
        *,
        max_new_tokens: int | Sequence[int] = 512,
        bilevel: BiLevelOptions | None = None,
        relevance: ExternalScorer | None = None,
        max_rows: int = 8,
    ) -> list[Generation]:
        """Answer each prompt as `generate` does, up to `max_rows` of them at a time.

        The cache and the weights are read once a step for all rows. `max_new_tokens` is one limit, or one for
        each prompt. With `bilevel` every prompt has its own dense chunks, and they run together still.
        ModelInputError: there is not a limit for each prompt, or no row.
        """
        limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
        if len(limits) != len(prompts) or max_rows < 1:
            raise ModelInputError(
                f"{len(prompts)} prompts, {len(limits)} limits, max_rows={max_rows}",
                "Give one limit, or one for each prompt, and at least one row.",
            )
        suffixes = [self._suffix_ids(p, limit) for p, limit in zip(prompts, limits, strict=True)]
        if not prompts:
            return []
        room = max(len(ids) + limit for ids, limit in zip(suffixes, limits, strict=True))
        with self.answering():
            selections = [self.select(prompt, bilevel, relevance=relevance) for prompt in prompts]
            with self.start_rows(min(max_rows, len(prompts)), selections, room=room) as rows:
                decoded = greedy_rows(rows, suffixes, limits, self.stop_ids)
        return [
            self._generation(ids, answer, selection)
            for ids, answer, selection in zip(suffixes, decoded, selections, strict=True)
        ]

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count decode time in its stage, and raise `ModelMemoryError` where memory runs out."""
        try:
            with self.clock.stage("decode"):
                yield
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise ModelMemoryError(
                f"out of memory answering on {self.num_tokens} cached tokens",
                "Prefill fewer frames, offload the cache, decode bi-level, or answer fewer prompts at once.",
            ) from error

    def _generation(self, suffix_ids: Sequence[int], decoded: Decoded, selection: Selection) -> Generation:
        num_output = len(decoded.token_ids)
        return Generation(
            text=self.vocabulary.decode(decoded.token_ids),
            token_ids=decoded.token_ids,
            num_prompt_tokens=len(suffix_ids),
            num_output_tokens=num_output,
            finish_reason=decoded.finish_reason,
            mean_logprob=sum(decoded.logprobs) / max(num_output, 1),
            margins=decoded.margins,
            bilevel=selection.report(self.layout),
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

    def select(
        self,
        prompt: str | Sequence[int],
        options: BiLevelOptions | None,
        *,
        window_ms: tuple[int, int] | None = None,
        relevance: ExternalScorer | None = None,
    ) -> Selection:
        """Select what to answer a prompt on: the whole cache, or some chunks dense and the others pooled.

        A prompt about a window keeps that window dense, another what its units, `relevance` or the model's
        own attention say. Not while a continuation is open.
        ModelInputError: the model has no bi-level decoding.
        """
        if options is None:
            return Selection()
        if self.language.config.rope_axes:
            raise ModelInputError(
                "a Qwen-VL model has no bi-level decoding: its positions are three numbers each",
                "Leave it out: decode dense.",
            )
        chunks = tuple(selection_chunks(self.group_times_ms, options.chunk_groups))
        scores: tuple[float, ...] = ()
        if options.units is not None:
            dense = dense_from_units(options.units, len(chunks), options.chunk_groups)
        elif window_ms is not None:
            dense = dense_from_window(chunks, window_ms)
        elif len(chunks) <= options.top_chunks + 2:  # all of them, whatever a scorer says
            dense = {chunk.number for chunk in chunks}
        else:
            scores = self._scores(prompt, chunks, relevance)
            dense = dense_from_scores(scores, options.top_chunks)
        return Selection(chunks, tuple(sorted(dense)), scores, options.compression)

    def _scores(
        self,
        prompt: str | Sequence[int],
        chunks: tuple[SelectionChunk, ...],
        relevance: ExternalScorer | None,
    ) -> tuple[float, ...]:
        if relevance is not None:
            return checked_scores(relevance(self._prompt_text(prompt), chunks), len(chunks))
        ids = self.vocabulary.suffix_ids(prompt) if isinstance(prompt, str) else prompt
        question = self._question(prompt, len(ids))
        return tuple(attention_scores(self.language, self.cache, self.layout, ids, question, chunks))

    def _prompt_text(self, prompt: str | Sequence[int]) -> str:
        return prompt if isinstance(prompt, str) else self.vocabulary.decode(prompt)

    def _question(self, prompt: str | Sequence[int], num_tokens: int) -> slice:
        """Return the prompt's own tokens, without the chat frame around them."""
        if not isinstance(prompt, str):
            return slice(0, num_tokens)
        return slice(1, num_tokens - len(self.vocabulary.encode(self.vocabulary.chat.after_prompt)))
