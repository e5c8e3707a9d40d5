"""The same checkpoint with one thing changed at a time: prefill, KV budget, rate of pictures, windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial

from drawn_reader import read_drawn
from judging import Score, Told
from kept import Kept
from storyboard import Film

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker, Piece
from jobs.answers.records import record_of
from jobs.answers.windows import WindowMs
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import Prompt, load_packs
from jobs.prompts.program.programs import program_for, run_program
from jobs.prompts.program.times import AnswerContext
from jobs.weights import Weights
from schemas.usage import Usage
from videoxl2.constrained.drive import Sampling
from videoxl2.frames import FrameSpan
from videoxl2.generate.kv.selection import BiLevelOptions
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.generate.session import Session
from videoxl2.network.configs.config import ModelConfig


@dataclass(frozen=True)
class Variant:
    """One way to ask. `window_s` replaces that of the scenes prompt; `kv` pools as a run does, which keeps
    the window that is asked about dense; `bilevel` keeps the chunks that the prompt's own attention finds."""

    name: str
    prefill: PrefillOptions = field(default_factory=PrefillOptions)
    bilevel: BiLevelOptions | None = None
    kv: BiLevelKv | None = None
    fps: Fraction = Fraction(1)
    window_s: float | None = None


DEFAULT = Variant("chunks of 4 groups, 3 before, 1 picture a second (default)")
VARIANTS = (
    Variant("full prefill", PrefillOptions(mode="full")),
    DEFAULT,
    Variant("chunks of 4 groups, 1 before", PrefillOptions(previous_chunks=1)),
    Variant("chunks of 1 group, 1 before", PrefillOptions(chunk_groups=1, previous_chunks=1)),
    Variant("as a run pools: 4x, 2 of 6 groups dense", kv=BiLevelKv(compression=4, dense_chunks=2)),
    Variant(
        "pooled wherever attention is low, as no run does: 4x, 2 of 4 groups dense",
        bilevel=BiLevelOptions(chunk_groups=4, compression=4, top_chunks=2),
    ),
    Variant("windows of 30 s", window_s=30),
    Variant("windows of 60 s", window_s=60),
)
RATES = (
    Variant("1 picture in 2 seconds", fps=Fraction(1, 2)),
    replace(DEFAULT, name="1 picture a second"),
    Variant("2 pictures a second", fps=Fraction(2)),
)


class _Model(VideoXL2):
    """Prefills as a variant says."""

    options: PrefillOptions

    def prefill(  # type: ignore[override]
        self,
        spans: Iterable[FrameSpan],
        *,
        prefill: PrefillOptions | None = None,
        prefix_ids: Sequence[int] | None = None,
    ) -> Session:
        asked = prefill or PrefillOptions()
        options = replace(self.options, expected_frames=asked.expected_frames, step_s=asked.step_s)
        return super().prefill(spans, prefill=options, prefix_ids=prefix_ids)


class _Asker(Asker):
    """Answers each window alone, where chunks are dense or pooled by the prompt's own attention."""

    def __init__(self, model: VideoXL2, variant: Variant) -> None:
        super().__init__(model, variant.kv)
        self._variant = variant

    def _decode(
        self,
        session: Session,
        prompt: Prompt,
        context: AnswerContext,
        windows: Sequence[WindowMs],
        sampling: Sampling,
    ) -> list[Piece]:
        if self._variant.bilevel is None:
            return super()._decode(session, prompt, context, windows, sampling)
        contexts = [replace(context, window_ms=w, max_tokens=prompt.max_new_tokens) for w in windows]
        return [self._pooled(session, prompt, each) for each in contexts]

    def _pooled(self, session: Session, prompt: Prompt, context: AnswerContext) -> Piece:
        assert context.window_ms is not None
        assert self._variant.bilevel is not None
        text = prompt.fill(context)
        ids = session.vocabulary.suffix_ids(text)
        program = program_for(prompt.answer, context, self._table.count)
        chosen = session.select(text, self._variant.bilevel)
        with session.start(chosen) as continuation:
            answer = run_program(program, self._table, continuation, ids)
        records = tuple(
            record_of(answer, n, [0.0] * len(answer.token_ids)) for n in range(len(answer.records))
        )
        usage = Usage(num_prompt_tokens=len(ids), num_output_tokens=answer.num_spent)
        return Piece(context.window_ms, answer.text, records, answer.is_cut_short, usage)


class Examiner:
    """A checkpoint that is asked about drawn films; nothing is snapped to cuts. Loaded when first asked."""

    def __init__(self, weights: Weights, kept: Kept) -> None:
        self._weights, self._kept = weights, kept

    def score(self, variant: Variant, films: Iterable[Film]) -> Score:
        """Ask as the variant says, but for what is kept of it."""
        score, asked = Score(), repr(replace(variant, name=""))
        for film in films:
            told = self._kept.told(film, asked, partial(self._ask, variant, film))
            score.add(film, told, shown_every_s(self._weights.config, variant.fps))
        return score

    def _ask(self, variant: Variant, film: Film) -> Told:
        network = self._network
        network.options = variant.prefill
        info, grid, span = read_drawn(film, network.image_size, variant.fps)
        prompts = tuple(_with_window(prompt, variant.window_s) for prompt in load_packs())
        return Told.of_analysis(analyze(_Asker(network, variant), info, grid, [span], prompts))

    @cached_property
    def _network(self) -> _Model:
        network = _Model.from_pretrained(self._weights.folder, device="cpu")
        assert isinstance(network, _Model)
        return network


def score_of_drawn(network: VideoXL2, films: Iterable[Film], fps: Fraction = Fraction(1)) -> Score:
    """Ask a network about films that are drawn and not encoded, as a run asks."""
    asker = Asker(network)
    score = Score()
    for film in films:
        info, grid, span = read_drawn(film, network.image_size, fps)
        told = Told.of_analysis(analyze(asker, info, grid, [span], load_packs()))
        score.add(film, told, shown_every_s(network.config, fps))
    return score


def shown_every_s(config: ModelConfig, fps: Fraction) -> float:
    """The seconds from one picture that the model is shown to the next."""
    return float(config.pace(1 / fps).every / fps)


def _with_window(prompt: Prompt, window_s: float | None) -> Prompt:
    if window_s is None or prompt.name != "scenes":
        return prompt
    return replace(prompt, window_ms=round(window_s * 1000))
