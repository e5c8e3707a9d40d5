"""LLaVA-Video against its reference: every golden tensor, the prompt's text, and what is refused."""

from __future__ import annotations

import json
import re
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

from videoxl2 import CheckpointError, LlavaVideo, ModelInputError, PrefillOptions, VideoXL2, load_model
from videoxl2.network.language.tokens import times_text
from videoxl2.network.llava_video import pooled, with_newlines
from videoxl2.network.vision.images import pixel_values, squash_frames
from videoxl2.random_checkpoint import write_random_checkpoint

GOLDEN = DATA / "llava_video"
TOLERANCE = {"pixel_values": 0.0, "vision_features": 2e-5, "suffix_logits": 1e-4, "step_logits": 1e-4}
CASES = {case["name"]: case for case in json.loads((GOLDEN / "cases.json").read_text())}
WHOLE = [name for name, case in CASES.items() if case["tokenizer_model_max_length"] > 10_000]


@cache
def golden(file: str) -> dict[str, Tensor]:
    return load_file(GOLDEN / f"{file}.safetensors")


def with_settings(folder: Path, **settings: Any) -> Path:
    """Copy the golden checkpoint with other settings in its config.json; a sentence would change the ids."""
    shutil.copytree(GOLDEN, folder, dirs_exist_ok=True)
    config = json.loads((GOLDEN / "config.json").read_text()) | {"add_time_instruction": False} | settings
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(params=WHOLE)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, LlavaVideo]:
    keys = ("mm_spatial_pool_mode", "mm_newline_position")
    settings = {key: CASES[request.param][key] for key in keys}
    return request.param, LlavaVideo.from_pretrained(with_settings(tmp_path, **settings))


def frames_of(name: str) -> np.ndarray[Any, Any]:
    return golden("inputs")[f"{name}.frames"].numpy()


def span_of(name: str) -> SimpleNamespace:
    frames = frames_of(name)
    return SimpleNamespace(frames=frames, pts_ms=np.arange(len(frames)) * 1000)


def check(name: str, **found: Tensor) -> int:
    return compare(golden("outputs"), name, found, TOLERANCE, otherwise=5e-5)


@torch.inference_mode()
def test_stages_are_those_of_the_reference(case: tuple[str, LlavaVideo]) -> None:
    name, model = case
    pixels = pixel_values(squash_frames(frames_of(name), model.image_size))
    features = model.network.vision(pixels)
    one, activation, two = model.network.projector
    projected = two(activation(one(features)))
    tokens = model.config.frame_tokens
    assert tokens is not None
    kept = pooled(projected, tokens.pool)
    assert torch.allclose(kept, model.network.projector(features), atol=5e-5)
    rows = with_newlines(kept, model.network.newline, tokens.newline).flatten(0, 1)
    video = torch.cat([rows, model.network.after_video()])
    embed = model.network.language.embed
    ids = CASES[name]["prompt_ids_before"], CASES[name]["prompt_ids_after"]
    embeds = torch.cat([embed(ids[0]), video, embed(ids[1])])
    assert len(video) == CASES[name]["visual_tokens"]
    stages = {
        "pixel_values": pixels,
        "vision_features": features,
        "projected": projected,
        "pooled": kept,
        "inputs_embeds": embeds,
    }
    assert check(name, **stages) == len(stages)


def test_answers_are_those_of_the_reference(case: tuple[str, LlavaVideo]) -> None:
    name, model = case
    before, after = CASES[name]["prompt_ids_before"], CASES[name]["prompt_ids_after"]
    session = model.prefill([span_of(name)], prefix_ids=before)
    assert session.num_tokens == len(before) + CASES[name]["visual_tokens"]
    with session.start() as continuation:
        suffix_logits = continuation.push_all(after)
        assert check(name, suffix_logits=suffix_logits) == 1
    with session.start() as continuation:
        logits = [continuation.push(after)]
        wanted = golden("outputs")[f"{name}.generated_ids"].tolist()
        logits += [continuation.push([token]) for token in wanted[:-1]]
    assert check(name, step_logits=torch.stack(logits)) == 1
    answer, again = session.generate_many([after, after], max_new_tokens=len(wanted))
    assert list(answer.token_ids) == wanted == list(again.token_ids)
    assert list(session.generate(after, max_new_tokens=len(wanted)).token_ids) == wanted


def test_spans_and_batches_change_nothing(tmp_path: Path) -> None:
    model = LlavaVideo.from_pretrained(with_settings(tmp_path))
    whole, after = span_of("a3"), CASES["a3"]["prompt_ids_after"]
    parts = [SimpleNamespace(frames=whole.frames[c], pts_ms=whole.pts_ms[c]) for c in ([0], [1, 2])]
    answers = [
        model.prefill(spans, prefix_ids=[1, 2], prefill=options).generate(after, max_new_tokens=5)
        for spans, options in (
            ([whole], PrefillOptions()),
            (parts, PrefillOptions(vision_batch=1, chunk_groups=1, expected_frames=3, mode="streaming")),
        )
    ]
    assert answers[0].token_ids == answers[1].token_ids
    assert answers[0].margins == pytest.approx(answers[1].margins, abs=1e-4)


@pytest.mark.parametrize("shown", json.loads((GOLDEN / "text.json").read_text()))
def test_the_sentence_about_times_is_the_reference_s(shown: dict[str, Any]) -> None:
    times_ms = [round(index / shown["average_fps"] * 1000) for index in shown["indices"]]
    if not shown["force_sample"] and len(times_ms) < shown["budget"]:
        times_ms = [1000 * number for number in range(len(times_ms))]  # what the reference says they are
    duration_ms = round(shown["frames_in_file"] / shown["average_fps"] * 1000)
    number = re.compile(r"\d+\.\d\d")
    ours, theirs = times_text(times_ms, duration_ms), shown["time_instruction"]
    assert number.sub("#", ours) == number.sub("#", theirs)
    seconds, wanted = ([float(found) for found in number.findall(text)] for text in (ours, theirs))
    assert seconds == pytest.approx(wanted, abs=0.0101)  # times are whole milliseconds here, theirs are not


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("llava"), family="LLaVA-Video")


def test_one_prefill_serves_many_prompts(random_folder: Path) -> None:
    """Prefix, video, sentence and prompt are tokenized in the pieces that the whole text has."""
    model = load_model(random_folder)
    assert isinstance(model, LlavaVideo)
    frames = np.random.default_rng(1).integers(0, 255, (5, 40, 60, 3), np.uint8)
    span = SimpleNamespace(frames=frames, pts_ms=np.array([0, 1400, 2800, 4200, 5600]))
    session = model.prefill([span], prefill=PrefillOptions(duration_ms=7000))
    text = "\n" + times_text([0, 1400, 2800, 4200, 5600], 7000) + "\n"
    whole = model.vocabulary.encode(f"{text}What happens?<|im_end|>\n<|im_start|>assistant\n")
    assert model.vocabulary.encode(text) + model.vocabulary.suffix_ids("What happens?") == whole
    per_frame = model.config.tokens_per_group
    assert session.num_tokens == len(model.vocabulary.prefix_ids()) + 5 * per_frame + len(
        model.vocabulary.encode(text)
    )
    first = session.generate("What happens?", max_new_tokens=6)
    session.generate("Who is there?", max_new_tokens=6)
    assert session.generate("What happens?", max_new_tokens=6) == first


def test_more_than_the_context_holds_is_refused(random_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(random_folder, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text()) | {"tokenizer_model_max_length": 300}
    (tmp_path / "config.json").write_text(json.dumps(config))
    model = load_model(tmp_path)
    frames = np.zeros((20, 16, 16, 3), np.uint8)
    span = SimpleNamespace(frames=frames, pts_ms=np.arange(20) * 1000)
    with pytest.raises(ModelInputError, match=r"20 frames .* the context holds 300"):
        model.prefill([span])


def test_a_checkpoint_is_told_by_its_weights(random_folder: Path, small_folder: Path, tmp_path: Path) -> None:
    assert isinstance(load_model(small_folder), VideoXL2)
    with pytest.raises(CheckpointError, match="holds LLaVA-Video, not Video-XL-2"):
        VideoXL2.from_pretrained(random_folder)
    shutil.copyfile(small_folder / "config.json", tmp_path / "config.json")
    save_file({"model.visual.patch_embed.weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"holds .*Qwen-VL"):
        load_model(tmp_path)


def test_unknown_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="mm_spatial_pool_mode 'median' is none of"):
        load_model(with_settings(tmp_path, mm_spatial_pool_mode="median"))
