"""Video-XL-Pro against its reference: every golden tensor of its selector, answers, and what is refused."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from golden_tensors import compare
from places import DATA
from safetensors.torch import load_file, save_file
from torch import Tensor

from videoxl2 import BiLevelOptions, CheckpointError, ModelInputError, VideoXLPro, load_model
from videoxl2.generate.models.video_xl_pro import PromptedSession
from videoxl2.network.clock import StageClock
from videoxl2.network.language.tokens import stamp_text
from videoxl2.network.layers.query_aware import QueryableVideo
from videoxl2.network.vision.images import pixel_values, squash_frames
from videoxl2.random_checkpoint import write_random_checkpoint

GOLDEN = DATA / "video_xl_pro"
TOLERANCE = {"pixel_values": 0.0, "vision_features": 1e-5, "scores": 1e-5}  # everything else 1e-4
CASES = {case["name"]: case for case in json.loads((GOLDEN / "cases.json").read_text())}
CHARACTERS = json.loads((GOLDEN / "meta.json").read_text())["stamp_char_ids"]


@cache
def golden(file: str) -> dict[str, Tensor]:
    return load_file(GOLDEN / f"{file}.safetensors")


@cache
def model() -> VideoXLPro:
    return VideoXLPro.from_pretrained(GOLDEN)


def frames_of(name: str) -> np.ndarray[Any, Any]:
    """The case's frames, with those twice that the reference drew to fill the last group."""
    frames, twice = golden("inputs")[f"{name}.frames"].numpy(), CASES[name]["duplicated_frames"]
    return frames[[n for n in range(len(frames)) for _ in range(1 + twice.count(n))]]


def check(name: str, **found: Tensor) -> int:
    return compare(golden("outputs"), name, found, TOLERANCE, otherwise=1e-4)


@cache
@torch.inference_mode()
def stages(name: str) -> dict[str, Any]:
    """The rows of the video, stage by stage."""
    network = model().network
    size = model().image_size
    pixels = pixel_values(squash_frames(golden("inputs")[f"{name}.frames"].numpy(), size))
    shown = pixel_values(squash_frames(frames_of(name), size))
    pooled = network.visual_tokens(shown, StageClock(torch.device("cpu")))
    times = CASES[name]["times"]
    stamps = [stamp_text(round(times[4 * group] * 1000), padded=True) for group in range(len(pooled))]
    ids = [[CHARACTERS["Time"], *(CHARACTERS[c] for c in text[4:])] for text in stamps]
    pieces = [torch.cat([network.language.embed(i), v]) for i, v in zip(ids, pooled, strict=True)]
    is_visual = [torch.arange(len(piece)) >= len(i) for i, piece in zip(ids, pieces, strict=True)]
    return {
        "pixel_values": pixels,
        "vision_features": network.vision(pixels),
        "pooled": pooled,
        "video_embeds": torch.cat(pieces),
        "is_visual": torch.cat(is_visual),
        "stamps": ids,
    }


@cache
@torch.inference_mode()
def queryable(name: str) -> QueryableVideo:
    found = stages(name)
    return model().network.selector.prepare(found["video_embeds"], found["is_visual"], 144)


@pytest.mark.parametrize("name", CASES)
@torch.inference_mode()
def test_stages_are_those_of_the_reference(name: str) -> None:
    network, found = model().network, stages(name)
    tensors = {key: x for key, x in found.items() if key not in ("is_visual", "stamps")}
    assert check(name, **tensors) == len(tensors)
    video, case = queryable(name), CASES[name]
    before, after = (network.language.embed(case[key]) for key in ("prompt_ids_before", "prompt_ids_after"))
    asked = torch.cat([before, after])
    rows, kept = network.selector.rows_for(video, asked, case["keep_ratio"])
    assert kept[found["is_visual"]].nonzero()[:, 0].tolist() == golden("outputs")[f"{name}.kept"].tolist()
    selector = {
        "text_features": network.selector.text_mlp(asked),
        "window_attention": network.selector.stamp_attention(found["video_embeds"], 144),
        "scores": network.selector.scores(video, asked),
        "rotated": video.rotated,
        "inputs_embeds": torch.cat([before, rows, after]),
    }
    assert check(name, **selector) == len(selector)


def session_of(name: str, ids: list[int] | None = None) -> PromptedSession:
    """The case through the public call; a case whose frames were drawn twice is put together by hand, as
    stamps and frames slip there."""
    case = CASES[name]
    before, times = case["prompt_ids_before"], np.array(case["times"])
    if not case["duplicated_frames"]:
        frames = frames_of(name)
        span = SimpleNamespace(frames=frames, pts_ms=np.round(times * 1000).astype(np.int64))
        session = model().prefill([span], prefix_ids=before, keep_ratio=case["keep_ratio"])
        assert isinstance(session, PromptedSession)
        return session
    frames = frames_of(name)
    firsts = np.repeat(times[::4], 4)[: len(frames)]
    span = SimpleNamespace(frames=frames, pts_ms=np.round(firsts * 1000).astype(np.int64))
    session = model().prefill([span], prefix_ids=before, keep_ratio=case["keep_ratio"])
    assert isinstance(session, PromptedSession)
    return session


@pytest.mark.parametrize("name", CASES)
def test_answers_are_those_of_the_reference(name: str) -> None:
    """Alone, and in rows beside another prompt, which is shown other tokens."""
    session, after = session_of(name), CASES[name]["prompt_ids_after"]
    with session.start(session.select(after)) as continuation:
        suffix_logits = continuation.push_all(after)
    wanted = golden("outputs")[f"{name}.generated_ids"].tolist()
    with session.start(session.select(after)) as continuation:
        logits = [continuation.push(after)] + [continuation.push([token]) for token in wanted[:-1]]
    num_rows = CASES[name]["suffix_logits_rows"]
    assert check(name, suffix_logits=suffix_logits[-num_rows:], step_logits=torch.stack(logits)) == 2
    other = [(7 * token + 3) % 1500 for token in after]
    answers = session.generate_many([after, other, after], max_new_tokens=len(wanted), max_rows=2)
    assert list(answers[0].token_ids) == list(answers[2].token_ids) == wanted
    alone = session.generate(other, max_new_tokens=len(wanted))
    assert answers[1].token_ids == alone.token_ids
    assert answers[1].margins == pytest.approx(alone.margins, abs=1e-4)
    kept = [session.prefilled(prompt).read(0, session.num_tokens)[0] for prompt in (after, other)]
    assert len(CASES[name]["times"]) < 5 or not torch.equal(*kept)


@pytest.mark.parametrize("shown", json.loads((GOLDEN / "text.json").read_text()))
def test_stamps_are_padded_as_in_the_reference(shown: dict[str, Any]) -> None:
    times_ms = [round(time * 1000) for time in shown["times"][::4]]
    assert [stamp_text(ms, padded=True) for ms in times_ms] == shown["stamps"]
    assert model().vocabulary.padded_stamp_ids(times_ms[-1]) == shown["stamp_ids_of_last_group"]


def test_a_prompt_must_be_named_and_bi_level_is_refused() -> None:
    session = session_of("f4")
    with pytest.raises(ModelInputError, match="depends on the prompt"):
        session.start()
    with pytest.raises(ModelInputError, match="no bi-level"):
        session.generate([1, 2], max_new_tokens=1, bilevel=BiLevelOptions())


def test_more_than_the_context_holds_is_refused(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path, family="Video-XL-Pro")
    config = json.loads((folder / "config.json").read_text()) | {"tokenizer_model_max_length": 90}
    (folder / "config.json").write_text(json.dumps(config))
    span = SimpleNamespace(frames=np.zeros((20, 16, 16, 3), np.uint8), pts_ms=np.arange(20) * 1000)
    with pytest.raises(ModelInputError, match=r"5 groups .* the context holds 90"):
        load_model(folder).prefill([span])


def test_the_first_release_is_refused(tmp_path: Path) -> None:
    shutil.copyfile(GOLDEN / "config.json", tmp_path / "config.json")
    names = ("model.sae.temporal_encoding", "model.layers.0.self_attn.beacon_q_proj.weight")
    save_file({name: torch.zeros(1) for name in names}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="holds the first Video-XL-Pro"):
        load_model(tmp_path)
