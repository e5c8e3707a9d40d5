"""One row behind a prefix, in the cache itself: the same as the only one of many."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from videoxl2 import ModelInputError, PrefillOptions, VideoXL2
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.generate.kv.prefix import WholePrefix
from videoxl2.generate.session import Session
from videoxl2.network.layers.decoder_layer import RMSNorm

PUSHES: tuple[list[int], ...] = ([5, 6, 7], [], [1], [11] * 40, [8, 9], [12])


@pytest.fixture(params=[False, True], ids=["", "offloaded"])
def session(small_model: VideoXL2, noise: Any, request: pytest.FixtureRequest) -> Session:
    options = PrefillOptions(chunk_groups=2, previous_chunks=1, offload=request.param)
    return small_model.prefill(noise(17), prefill=options)


def rows_of_one(session: Session) -> Rows:
    return Rows(session.language, WholePrefix(session.cache), session.cache.shape, 1)


def test_the_only_row_is_what_it_would_be_among_others(session: Session) -> None:
    """Through pushes of any length, back and on to the next prompt; earlier logits stay as they were."""
    logits = []
    with rows_of_one(session) as rows:
        for ids in PUSHES:
            logits.append(rows.push([ids]))
        rows.back_to(0, 5)
        logits.append(rows.push([[20]]))
        rows.restart(0)
        logits.append(rows.push([[30, 31]]))
    with session.start_rows(1, room=60) as row:
        assert isinstance(row, OneRow)
        own = [row.push([ids]) for ids in PUSHES]
        assert row.num_tokens(0) == sum(map(len, PUSHES))
        row.back_to(0, 99)  # more than there are: nothing to forget
        row.back_to(0, 5)
        own.append(row.push([[20]]))
        assert row.num_tokens(0) == 6
        row.restart(0)
        own.append(row.push([[30, 31]]))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(own, logits, strict=True))
    assert torch.equal(own[0], own[1])


def test_closing_cuts_the_row_off(session: Session) -> None:
    """The cache is as it was, but for the room that was asked for; until then nobody else can start."""
    before = [torch.stack(session.cache.read(layer, session.num_tokens)) for layer in range(2)]
    room = session.cache.capacity - session.num_tokens + 1
    with session.start_rows(1, room=room) as row:
        assert not row.push([[]]).any()
        row.push([[5] * room])
        grown = session.cache.capacity
        assert room <= grown - session.num_tokens < room + 256
        assert row.num_bytes == room * session.cache.shape.bytes_per_token
        with pytest.raises(ModelInputError, match="open"):
            session.start_rows(2)
        with pytest.raises(ModelInputError, match="one"):
            row.push([[5], [6]])
    assert session.cache.length == session.num_tokens
    assert row.num_bytes == 0
    after = [torch.stack(session.cache.read(layer, session.num_tokens)) for layer in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("tokens", [1, 3, 600])
def test_the_norm_of_few_tokens_is_that_of_many(tokens: int) -> None:
    """Whatever the mean of the numbers, and with numbers near zero."""
    norm = RMSNorm(96, 1e-6)
    norm.weight.data.normal_()
    x = torch.randn(tokens, 96) * torch.logspace(-4, 3, tokens)[:, None] + 2
    wanted = x / (x.double().square().mean(-1, keepdim=True) + 1e-6).sqrt().float() * norm.weight
    assert torch.allclose(norm(x), wanted, rtol=1e-5, atol=1e-6)
    norm(x).sum().backward()
    assert norm.weight.grad is not None
