"""The same checkpoint with one thing changed at a time: prefill, KV budget, sampling, windows, slots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from drawn_reader import read_drawn
from films import make_films
from judging import Score, Told
from storyboard import Film, Part, draw_film

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker, Piece
from jobs.answers.records import Record, record_of
from jobs.answers.windows import WindowMs
from jobs.prompts.answer_text import InvalidAnswerError, parse_records
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import Prompt, load_packs
from jobs.prompts.program.programs import program_for, run_program
from jobs.prompts.program.times import AnswerContext
from jobs.weights import find_weights
from schemas.usage import Usage
from videoxl2.constrained.drive import Sampling
from videoxl2.frames import FrameSpan, plan_sampling, probe, read_frames
from videoxl2.generate.kv.selection import BiLevelOptions
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.generate.session import Session


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
    is_constrained: bool = True


_FULL = PrefillOptions(mode="full")
VARIANTS = (
    Variant("full prefill", _FULL),
    Variant("chunks of 4 groups, 3 before (default)"),
    Variant("chunks of 4 groups, 1 before", PrefillOptions(previous_chunks=1)),
    Variant("chunks of 1 group, 1 before", PrefillOptions(chunk_groups=1, previous_chunks=1)),
    Variant(
        "chunks, bi-level: 2x, 8 of 4 groups dense",
        bilevel=BiLevelOptions(chunk_groups=4, compression=2, top_chunks=8),
    ),
    Variant(
        "chunks, bi-level: 4x, 8 of 4 groups dense",
        bilevel=BiLevelOptions(chunk_groups=4, compression=4, top_chunks=8),
    ),
    Variant(
        "chunks, bi-level: 4x, 2 of 4 groups dense",
        bilevel=BiLevelOptions(chunk_groups=4, compression=4, top_chunks=2),
    ),
    Variant("as a run pools: 4x, 2 of 6 groups dense", kv=BiLevelKv(compression=4, dense_chunks=2)),
    Variant("2 pictures a second", fps=Fraction(2)),
    Variant("1 picture in 2 seconds", fps=Fraction(1, 2)),
    Variant("windows of 30 s", window_s=30),
    Variant("windows of 60 s", window_s=60),
    Variant("unconstrained", is_constrained=False),
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
        expected = prefill.expected_frames if prefill else None
        options = replace(self.options, expected_frames=expected)
        return super().prefill(spans, prefill=options, prefix_ids=prefix_ids)


class _Asker(Asker):
    """Answers each window alone: on dense and pooled chunks, or without constraints."""

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
        if self._variant.is_constrained and self._variant.bilevel is None:
            return super()._decode(session, prompt, context, windows, sampling)
        contexts = [replace(context, window_ms=w, max_tokens=prompt.max_new_tokens) for w in windows]
        answer = self._pooled if self._variant.is_constrained else self._free
        return [answer(session, prompt, each) for each in contexts]

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

    def _free(self, session: Session, prompt: Prompt, context: AnswerContext) -> Piece:
        assert context.window_ms is not None
        said = session.generate(prompt.fill(context), max_new_tokens=prompt.max_new_tokens)
        try:
            answers = parse_records(prompt.answer, said.text)
        except InvalidAnswerError:
            answers = []
        records = tuple(Record(answer, 1.0, 1.0, False, False) for answer in answers)
        usage = Usage(num_prompt_tokens=said.num_prompt_tokens, num_output_tokens=said.num_output_tokens)
        return Piece(context.window_ms, said.text, records, False, usage)


LENGTHS_S = (30, 60, 120, 300, 600)
_FILMS = ((30, 10), (120, 4), (300, 2))  # length in seconds, how many: what variants are compared on


def ablate(folder: Path, part: Part, model: str) -> Iterator[tuple[str, Score]]:
    """A score for each variant on the same films."""
    files = [pair for seconds, count in _FILMS for pair in long_films(folder, part, seconds, count)]
    for variant in VARIANTS:
        yield variant.name, score_of(variant, files, model)


def by_length(folder: Path, part: Part, model: str, count: int = 3) -> Iterator[tuple[str, Score]]:
    """A score for films of each length, asked as a run asks."""
    for seconds in LENGTHS_S:
        yield f"{seconds} s", score_of(Variant(""), long_films(folder, part, seconds, count), model)


def long_films(folder: Path, part: Part, seconds: int, count: int) -> list[tuple[Film, Path]]:
    """Films of that length; none is in the table of the whole pipeline."""
    first = 1_000_000 + 1000 * seconds
    numbers = range(first, first + count)
    make_films(folder / str(seconds), part, numbers, seconds)
    found = {path.stem: path for path in (folder / str(seconds)).iterdir()}
    return [(draw_film(part, n, seconds), found[f"{part}-{n:04}"]) for n in numbers]


def score_of(variant: Variant, files: Iterable[tuple[Film, Path]], model: str) -> Score:
    """Ask about every film as the variant says; nothing is snapped to cuts."""
    network = _Model.from_pretrained(find_weights(model).folder)
    assert isinstance(network, _Model)
    network.options = variant.prefill
    asker = _Asker(network, variant)
    prompts = tuple(_with_window(prompt, variant.window_s) for prompt in load_packs())
    score = Score()
    for film, path in files:
        info = probe(path)
        grid = plan_sampling(info, fps=variant.fps)
        spans = list(read_frames(path, grid, network.image_size, info=info))
        score.add(film, Told.of_analysis(analyze(asker, info, grid, spans, prompts)), float(1 / variant.fps))
    return score


def score_of_drawn(network: VideoXL2, films: Iterable[Film], fps: Fraction = Fraction(1)) -> Score:
    """Ask a network about films that are drawn and not encoded, as a run asks."""
    asker = Asker(network)
    score = Score()
    for film in films:
        info, grid, span = read_drawn(film, network.image_size, fps)
        score.add(film, Told.of_analysis(analyze(asker, info, grid, [span], load_packs())), float(1 / fps))
    return score


def _with_window(prompt: Prompt, window_s: float | None) -> Prompt:
    if window_s is None or prompt.name != "scenes":
        return prompt
    return replace(prompt, window_ms=round(window_s * 1000))
