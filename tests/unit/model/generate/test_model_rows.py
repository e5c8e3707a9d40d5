"""Many rows behind one prefix: every row is what it would be alone, whatever the others do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from videoxl2 import BiLevelOptions, ModelInputError, PrefillOptions, VideoXL2
from videoxl2.generate.decoding import batch_decode as rows_module
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.decode_step import StepRecorder
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.generate.kv import prefix as prefix_module
from videoxl2.generate.kv.selection import Selection, selection_chunks
from videoxl2.generate.session import Session
from videoxl2.network.language.cache import KVCache
from videoxl2.network.layers import attention as attention_module

# Appends of three rows: of every length, with gaps, alone and together.
PUSHES: tuple[tuple[Sequence[int], ...], ...] = (
    ([5, 6, 7], [], [9]),
    ([], [11] * 40, []),
    ([1], [2], [3]),
    ([4], [5], [6]),
    ([8, 8], [7], []),
    ([], [], []),
    ([9], [], [10, 11, 12, 13]),
    ([14], [15], [16]),
)


@pytest.fixture(scope="module")
def session(small_model: VideoXL2, noise: Any) -> Session:
    return small_model.prefill(noise(41), prefill=PrefillOptions(chunk_groups=2, previous_chunks=1))


def all_rows(cache: KVCache) -> Tensor:
    layers = [torch.stack(cache.read(i, cache.length)) for i in range(cache.shape.num_layers)]
    return torch.stack(layers).clone()


def alone(session: Session, token_ids: Sequence[int], selection: Selection | None = None) -> Tensor:
    """Logits after these tokens behind the prefix, without any other row."""
    with session.start(selection) as continuation:
        return continuation.push(token_ids)


def check(
    session: Session,
    rows: Rows | OneRow,
    selections: Sequence[Selection | None] = (None,) * 3,
    atol: float = 1e-4,
) -> None:
    """After each of `PUSHES` every row has the logits of its tokens alone; earlier logits are intact."""
    history: list[list[int]] = [[], [], []]
    earlier = torch.zeros(0)
    for pushed in PUSHES:
        kept = earlier.clone()
        logits = rows.push(pushed)
        assert torch.equal(earlier, kept)
        earlier = logits
        for row, ids in enumerate(pushed):
            history[row] += ids
            assert rows.num_tokens(row) == len(history[row])
            if history[row]:
                assert torch.allclose(logits[row], alone(session, history[row], selections[row]), atol=atol)
            else:
                assert not logits[row].any()


def test_rows_equal_continuations(session: Session) -> None:
    """Ragged pushes in any order give each row the logits it has alone, within 1e-4 in float32."""
    with session.start_rows(3) as rows:
        check(session, rows)


def test_the_prefix_is_untouched_bit_for_bit(session: Session) -> None:
    """While rows are open, after they are closed, and when an error closes them."""
    before, capacity = all_rows(session.cache), session.cache.capacity
    with suppress(KeyError), session.start_rows(2) as rows:
        rows.push([[5, 6], [7]])
        assert torch.equal(all_rows(session.cache), before)
        dict[str, int]()["no such key"]
    assert torch.equal(all_rows(session.cache), before)
    assert session.cache.capacity == capacity
    assert rows.num_bytes == 0


def test_back_to_forgets_and_restart_empties(session: Session) -> None:
    """What was forgotten leaves no trace, in the row itself or in its neighbours."""
    with session.start_rows(3) as rows:
        rows.push([[5, 6, 7, 8], [9, 10], [11] * 30])
        rows.back_to(0, 2)
        rows.back_to(1, 99)  # more than there are: nothing to forget
        rows.restart(2)
        assert [rows.num_tokens(row) for row in range(3)] == [2, 2, 0]
        logits = rows.push([[20], [21], [22]])
        for row, ids in enumerate(([5, 6, 20], [9, 10, 21], [22])):
            assert torch.allclose(logits[row], alone(session, ids), atol=1e-4)


@contextmanager
def overflowing(row_D: Tensor) -> Iterator[None]:
    """A token whose embedding is beyond all numbers."""
    with torch.inference_mode():
        kept = row_D.clone()
        row_D.fill_(torch.inf)
        yield
        row_D.copy_(kept)


def test_an_overflow_ends_with_its_row(session: Session) -> None:
    """A row whose values became infinite does not reach its neighbour, nor its own next prompt."""
    with session.start_rows(2) as rows:
        with overflowing(session.language.embed_tokens.weight[7]):
            rows.push([[5, 6, 7], [8]])
        logits = rows.push([[9], [10]])
        assert not logits[0].isfinite().any()
        assert torch.allclose(logits[1], alone(session, [8, 10]), atol=1e-4)
        rows.restart(0)
        logits = rows.push([[11], [12]])  # the neighbour is longer: all of its length is read of both
        assert torch.allclose(logits[0], alone(session, [11]), atol=1e-4)


def test_a_row_that_gets_nothing_keeps_its_logits(session: Session) -> None:
    """And logits handed out earlier never change."""
    with session.start_rows(2) as rows:
        first = rows.push([[5], [6]])
        kept = first.clone()
        second = rows.push([[], [7]])
        assert torch.equal(first, kept)
        assert torch.equal(second[0], first[0])
        assert not torch.equal(second[1], first[1])
        assert torch.equal(rows.push([[], []]), second)


def test_rows_grow_past_their_room(session: Session) -> None:
    """Without a size given in advance they grow; with one they do not, and the logits are the same."""
    token_ids = [[row + step % 7 for step in range(150)] for row in range(2)]
    with session.start_rows(2) as growing, session.start_rows(2, room=150) as sized:
        before = sized.num_bytes
        for step in range(0, 150, 50):
            a, b = (rows.push([ids[step : step + 50] for ids in token_ids]) for rows in (growing, sized))
        assert torch.equal(a, b)
        assert sized.num_bytes == before
        assert torch.allclose(a[1], alone(session, token_ids[1]), atol=1e-4)


def test_long_prompts_go_in_pieces(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few tokens fit a pass, the logits are those of one pass."""
    monkeypatch.setattr(rows_module, "PASS_TOKENS", 8)
    with session.start_rows(3) as rows:
        check(session, rows)


def test_rows_without_torchs_kernel(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fallback for devices and number formats that no kernel with log-sum-exp takes."""
    monkeypatch.setattr(attention_module, "has_kernel", lambda name: False)
    with session.start_rows(3) as rows:
        check(session, rows)


def test_rows_behind_a_cache_on_the_host(small_model: VideoXL2, noise: Any) -> None:
    """The prefix may live in host memory."""
    session = small_model.prefill(noise(41), prefill=PrefillOptions("streaming", 2, 1, offload=True))
    assert session.cache.on_host
    with session.start_rows(3) as rows:
        check(session, rows)


def of_chunks(session: Session, *dense: int, compression: int = 4) -> Selection:
    """These chunks of two groups dense, besides the first and the last."""
    chunks = tuple(selection_chunks(session.group_times_ms, 2))
    return Selection(chunks, tuple(sorted({1, *dense, len(chunks)})), compression=compression)


def test_rows_on_the_same_selection(session: Session) -> None:
    """Dense and pooled chunks are a prefix like any other; the video's own cache is as untouched."""
    before, chosen = all_rows(session.cache), of_chunks(session, 3)
    with session.start_rows(3, [chosen] * 3) as rows:
        check(session, rows, [chosen] * 3)
    assert torch.equal(all_rows(session.cache), before)


@pytest.mark.parametrize("offload", [False, True])
def test_rows_on_different_selections(small_model: VideoXL2, noise: Any, offload: bool) -> None:
    """Each row sees its own chunks dense, all of them or fewer, as if it were alone on a cache of its own."""
    options = PrefillOptions("streaming", 2, 1, offload=offload)
    session = small_model.prefill(noise(41), prefill=options)
    before = all_rows(session.cache)
    for chosen in (
        [of_chunks(session, 3), of_chunks(session, 2, 5), of_chunks(session, 3, 4)],
        [Selection(), of_chunks(session), of_chunks(session, 4, compression=2)],
    ):
        with session.start_rows(3, chosen) as rows:
            check(session, rows, chosen)
    assert sorted(session.pooled) == [2, 4]  # made once each
    assert torch.equal(all_rows(session.cache), before)


def test_long_prompts_on_selections_go_in_pieces(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many stretches of a selection leave room for fewer tokens a pass; the logits stay."""
    monkeypatch.setattr(rows_module, "PASS_PARTS", 40)
    chosen = [of_chunks(session, 3), of_chunks(session, 2, 5), of_chunks(session)]
    with session.start_rows(3, chosen) as rows:
        check(session, rows, chosen)


def test_a_row_takes_its_next_prompts_selection(session: Session) -> None:
    """More prompts than rows: the selection is the prompt's, not the row's."""
    chosen = [of_chunks(session, 3), of_chunks(session, 2), of_chunks(session, 4), of_chunks(session, 5)]
    with session.start_rows(2, chosen) as rows:
        rows.push([[5, 6], [7]])
        rows.restart(0, 3)
        logits = rows.push([[8, 9], [10]])
        assert torch.allclose(logits[0], alone(session, [8, 9], chosen[3]), atol=1e-4)
        assert torch.allclose(logits[1], alone(session, [7, 10], chosen[1]), atol=1e-4)


def test_steps_of_the_same_rows_are_planned_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which row sees which stretch is worked out when rows change, not for every token."""
    planned: list[int] = []
    plan = prefix_module._blocks_of

    def counted(selections: Any) -> Any:
        planned.append(len(selections))
        return plan(selections)

    monkeypatch.setattr(prefix_module, "_blocks_of", counted)
    with session.start_rows(3, [of_chunks(session, 3), of_chunks(session, 4), of_chunks(session)]) as rows:
        for step in range(12):
            rows.push([[5], [6], [7]] if step % 2 else [[5], [], [7]])
    assert sorted(planned) == [2, 3]


def test_what_rows_share_is_read_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step reads every pooled row once, and of dense rows those that some row keeps, whatever the rows."""
    read: Counter[tuple[bool, int]] = Counter()
    plain = KVCache.read

    def counted(self: KVCache, layer: int, end: int, rows: Any = None, *, first: int = 0) -> Any:
        if layer == 0:
            read.update((self is session.cache, row) for row in range(first, end))
        return plain(self, layer, end, rows, first=first)

    chosen = [of_chunks(session, 3), of_chunks(session, 4), of_chunks(session, 3, 5)]
    with session.start_rows(3, chosen) as rows:
        rows.push([[5], [6], [7]])
        monkeypatch.setattr(KVCache, "read", counted)
        rows.push([[5], [6], [7]])
    groups = [0, 1, 4, 5, 6, 7, 8, 9, 10]  # chunks 1, 3, 4, 5 and the last, which has one group
    dense = {row for g in groups for row in range(*map(session.layout.group_start, (g, g + 1)))}
    dense |= set(range(session.layout.prefix_tokens))
    assert set(read.values()) == {1}
    assert {row for is_dense, row in read if is_dense} == dense
    pooled = {row for is_dense, row in read if not is_dense}
    assert pooled == {*range(*(session.layout.pooled_start(g, 4) for g in (2, 10)))}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rows_in_half_precision(small_folder: Path, noise: Any, dtype: str) -> None:
    """As close to a continuation as 16 bits allow."""
    session = VideoXL2.from_pretrained(small_folder, dtype=dtype).prefill(noise(20))
    atol = 0.15 if dtype == "bfloat16" else 0.02
    chosen = [of_chunks(session), of_chunks(session, 2), Selection()]
    with session.start_rows(3) as rows, session.start_rows(3, chosen) as selected:
        check(session, rows, atol=atol)
        check(session, selected, chosen, atol=atol)


def test_rows_with_recorded_steps(session: Session) -> None:
    """What a GPU replays as a graph, padded to a power of two, gives the plain logits, pooled or not."""
    recorded = replace(session, recorder=StepRecorder(torch.device("cpu"), plain_first=0))
    chosen = [of_chunks(session), of_chunks(session, 2), Selection()]
    with recorded.start_rows(3) as rows, recorded.start_rows(3, chosen) as selected:
        check(session, rows)
        check(session, selected, chosen)


def test_a_recorded_step_takes_nothing_along(session: Session) -> None:
    """Rows that end, begin anew and grow past what a step reads: each replay has the numbers of its own."""
    recorded = replace(session, recorder=StepRecorder(torch.device("cpu"), plain_first=1))
    with recorded.start_rows(4) as rows, session.start_rows(4) as plain:
        for both in (rows, plain):
            both.push([[5 + row] * (3 * row + 1) for row in range(4)])
        for step in range(70):
            if step == 30:
                rows.restart(1)
                plain.restart(1)
            fed = [[(7 * step + row) % 300] if step % (row + 2) else [] for row in range(4)]
            a, b = rows.push(fed), plain.push(fed)
            assert torch.allclose(a, b, atol=1e-4)


def test_other_continuations_may_run_beside_open_rows(session: Session) -> None:
    """Rows write nothing to the prefix; but they cannot start while someone else has."""
    with session.start_rows(2) as rows:
        rows.push([[5], [6]])
        assert session.generate("Who?", max_new_tokens=2, bilevel=BiLevelOptions(chunk_groups=2))
        with session.start() as continuation:
            continuation.push([40] * 600)
            logits = rows.push([[7], []])
            with pytest.raises(ModelInputError, match="open"):
                session.start_rows(1)
        assert torch.allclose(logits[0], alone(session, [5, 7]), atol=1e-4)


def test_impossible_rows_are_refused(session: Session) -> None:
    """No row at all, or tokens for another number of rows."""
    with pytest.raises(ModelInputError, match="num_rows"):
        session.start_rows(0)
    with session.start_rows(2) as rows, pytest.raises(ModelInputError, match="rows"):
        rows.push([[5]])
