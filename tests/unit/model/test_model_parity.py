"""Every golden tensor of the reference, stage by stage and through the public API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from places import DATA
from safetensors.torch import load_file
from torch import Tensor

from videoxl2 import BiLevelOptions, PrefillOptions, VideoXL2
from videoxl2.generate.decoding.decode import Continuation
from videoxl2.generate.kv.bilevel import mix_cache, mixed_rows
from videoxl2.generate.kv.layout import TokenLayout, Visibility
from videoxl2.generate.kv.selection import dense_from_units, selection_chunks
from videoxl2.generate.prefill.chunked import Prefill, PrefillMode
from videoxl2.network.language.cache import KVCache
from videoxl2.network.layers.rotary import rotary_angles, rotate
from videoxl2.network.vision.dts import group_frames
from videoxl2.network.vision.images import pixel_values, squash_frames
from videoxl2.network.vision.siglip import pad_to_groups, resample_to_grid

GOLDEN = DATA / "golden"
TOLERANCE = {"pixel_values": 0.0, "vision_features": 1e-5}  # everything else 1e-4
EXACT = ("time_embedding", "generated_ids", "mask_rowsum", "mask_colsum", "mask_packed", "pixel_values")
MODES: dict[str, PrefillMode] = {
    "pure": "full",
    "w_chunk": "mask",
    "w_chunk_bilevel": "mask",
    "streaming": "streaming",
}


@dataclass(frozen=True)
class GoldenSet:
    """One folder of golden data with its model in float32."""

    model: VideoXL2
    meta: dict[str, Any]
    cases: dict[str, dict[str, Any]]
    inputs: dict[str, Tensor]
    outputs: dict[str, dict[str, Tensor]]  # path → tensor name → tensor
    logs: dict[str, dict[str, list[str]]]

    def frames(self, case: str) -> np.ndarray[Any, Any]:
        return self.inputs[f"{case}.frames"].numpy()

    def spans(self, case: str, first: int | None = None) -> list[SimpleNamespace]:
        """The case's frames, cut after `first` frames."""
        frames, seconds = self.frames(case), self.inputs[f"{case}.times"].numpy()
        pts_ms = np.round(seconds * 1000).astype(np.int64)
        cuts = [slice(0, first), slice(first or len(frames), None)]
        return [SimpleNamespace(frames=frames[c], pts_ms=pts_ms[c]) for c in cuts]


@cache
def load_set(name: str) -> GoldenSet:
    folder = GOLDEN / name
    paths = [path for path in MODES if (folder / f"{path}.safetensors").is_file()]
    return GoldenSet(
        model=VideoXL2.from_pretrained(folder),
        meta=json.loads((folder / "meta.json").read_text()),
        cases={case["name"]: case for case in json.loads((folder / "cases.json").read_text())},
        inputs=load_file(folder / "inputs.safetensors"),
        outputs={path: load_file(folder / f"{path}.safetensors") for path in paths},
        logs={p: json.loads((folder / f"{p}.log.json").read_text()) for p in paths},
    )


def runs(image: bool = False) -> list[Any]:
    """Every (set, path, case, run parameters) there is data for."""
    found = []
    for folder in sorted(p for p in GOLDEN.iterdir() if p.is_dir()):
        for case in json.loads((folder / "cases.json").read_text()):
            if (case.get("modality") == "image") != image:
                continue
            for path in ("pure",) if image else MODES:
                for run in case.get(path, [{}] if image else []):
                    label = "-".join(filter(None, (folder.name, path, case["name"], run.get("tag"))))
                    found.append(pytest.param(folder.name, path, case["name"], run, id=label))
    return found


def expected_tensors(golden: GoldenSet, path: str, case: str, run: dict[str, Any]) -> dict[str, Tensor]:
    """Golden tensors of one run: `tensor@slice` → values."""
    prefix = ".".join(filter(None, (case, run.get("tag")))) + "."
    found = golden.outputs[path].items()
    return {name.removeprefix(prefix): x for name, x in found if name.startswith(prefix)}


def prefill_options(path: str, run: dict[str, Any]) -> PrefillOptions:
    if path == "pure":
        return PrefillOptions(mode="full")
    return PrefillOptions(
        mode=MODES[path], chunk_groups=run["block_size"], previous_chunks=run["prev_blocks"]
    )


def bilevel_options(run: dict[str, Any]) -> BiLevelOptions:
    return BiLevelOptions(
        chunk_groups=run["chunk_size"], compression=run["compression"], units=run["selected_units"]
    )


@cache
@torch.inference_mode()
def visual_stages(name: str, case: str) -> dict[str, Tensor]:
    """The vision side, one stage function after the other."""
    golden = load_set(name)
    network = golden.model.network
    out: dict[str, Tensor] = {}
    pixels = out["pixel_values"] = pixel_values(squash_frames(golden.frames(case), golden.model.image_size))
    features = out["vision_features"] = network.vision(pixels)
    grid = out["interpolated"] = resample_to_grid(features, golden.meta["grid"])
    x = out["dts_input"] = group_frames(pad_to_groups(grid, golden.meta["group_frames"]))
    x = x + network.dts.temporal_encoding.t()[None, :, :, None, None]
    for index, layer in enumerate(network.dts.encoder):
        x = out[f"dts_layer{index}"] = layer(x)
    out["dts_output"] = x
    assert torch.equal(network.dts(out["dts_input"]), x.squeeze(2))
    out["projected"] = network.projector.unpooled(x.squeeze(2))
    out["pooled"] = network.projector(x.squeeze(2))
    return out


class LanguageStages:
    """The language side of one run, from pooled tokens on, with everything on the way kept."""

    def __init__(self, name: str, path: str, case: str, run: dict[str, Any]) -> None:
        self.golden, self.path, self.run = load_set(name), path, run
        self.language = self.golden.model.network.language
        self.case = self.golden.cases[case]
        self.out: dict[str, Tensor] = {}
        self.hidden: list[Tensor] = []
        with torch.inference_mode():
            self._prefill(visual_stages(name, case)["pooled"], self.golden.inputs[f"{case}.times"])
            self._masks()
            self._decode()

    def _prefill(self, pooled: Tensor, times: Tensor) -> None:
        model, prefix = self.golden.model, self.case["prefix_ids"]
        tokens = model.config.tokens_per_group
        options = prefill_options(self.path, self.run)
        prefill = Prefill(self.language, prefix, tokens, options, model.device, on_hidden=self.hidden.append)
        embeds, ids = [self.language.embed(prefix)], []
        self.group_times = times[::4].tolist()
        for visual, seconds in zip(pooled, self.group_times, strict=True):
            stamp = model.vocabulary.stamp_ids(round(seconds * 1000))
            prefill.add_groups([stamp], visual[None])
            embeds += [self.language.embed(stamp), visual]
            ids += stamp + [self.golden.meta["vision_pad_token_id"]] * tokens
        prefill.finish()
        self.layout, self.cache = prefill.layout, prefill.cache
        embeds.append(self.language.embed(self.case["question_ids"]))
        self.out["inputs_embeds"] = torch.cat(embeds)
        self.out["time_embedding"] = torch.tensor(ids)
        self.video_end = self.cache.length

    def _masks(self) -> None:
        if self.path in ("w_chunk", "w_chunk_bilevel"):
            blocks = self.run["block_size"], self.run["prev_blocks"]
            suffix = len(self.case["question_ids"])
            visibility = Visibility.of(self.layout, *blocks, stamp_queries_see_all=True, suffix_tokens=suffix)
            mask = visibility.mask(0, self.layout.end + suffix)
            length = len(mask)
            self.out["mask_rowsum"], self.out["mask_colsum"] = mask.sum(1), mask.sum(0)
            self.out["mask_packed"] = torch.from_numpy(np.packbits(mask.numpy(), axis=1))
            self.out["mask_ratio"] = mask.sum().double() / (length * (length + 1) / 2)

    def _decode(self) -> None:
        suffix = self.case["question_ids"]
        self.hidden.append(self.language.extend(self.language.embed(suffix), self.cache))
        self.out["final_hidden"] = self.language.norm(torch.cat(self.hidden))
        self.cache.truncate(self.video_end)
        cache = self._mixed_cache() if self.path == "w_chunk_bilevel" else self.cache
        continuation = Continuation(self.language, cache)
        self.out["suffix_logits"] = continuation.push_all(suffix)
        self._read_keys(cache)
        wanted = self._generated()
        steps = [self.out["suffix_logits"][-1]]
        steps += [continuation.push([token]) for token in wanted[:-1]]
        self.out["step_logits"] = torch.stack(steps)
        self.out["generated_ids"] = self.out["step_logits"].argmax(-1)
        best = self.out["step_logits"].topk(2).values
        self.out["greedy_margin"] = best[:, 0] - best[:, 1]
        continuation.close()

    def _generated(self) -> list[int]:
        name = ".".join(filter(None, (self.case["name"], self.run.get("tag"), "generated_ids")))
        ids: list[int] = self.golden.outputs[self.path][name].tolist()
        return ids

    def _mixed_cache(self) -> KVCache:
        options = bilevel_options(self.run)
        chunks = selection_chunks(self.group_times, options.chunk_groups)
        dense = dense_from_units(options.units or [], len(chunks), options.chunk_groups)
        rows = mixed_rows(self.layout, chunks, dense, options.compression)
        return mix_cache(self.cache, self.language.config, self.video_end, *rows)

    def _read_keys(self, cache: KVCache) -> None:
        config = self.language.config
        cos, sin = rotary_angles(torch.arange(cache.length), config.head_dim, config.rope_theta)
        for layer in range(config.num_layers):
            keys, values = cache.read(layer, cache.length)
            before_rotary = self.path in ("streaming", "w_chunk_bilevel")
            self.out[f"kv.{layer}.k"] = rotate(keys, cos, -sin) if before_rotary else keys.clone()
            self.out[f"kv.{layer}.v"] = values.clone()


def check(expected: dict[str, Tensor], actual: dict[str, Tensor], only: set[str] | None = None) -> int:
    """Compare every expected tensor that `actual` has; returns how many there were."""
    compared = 0
    for name, want in expected.items():
        tensor, _, index = name.partition("@")
        if tensor not in actual or (only is not None and tensor not in only):
            continue
        have = actual[tensor].numpy()
        if index:
            have = eval(f"have[{index}]", {"have": have})
        assert have.shape == tuple(want.shape), name
        tolerance = 0.0 if tensor in EXACT else TOLERANCE.get(tensor, 1e-4)
        difference = np.abs(have.astype(np.float64) - want.double().numpy()).max(initial=0.0)
        assert difference <= tolerance, f"{name}: {difference:.2e}"
        compared += 1
    return compared


@pytest.mark.parametrize(("name", "path", "case", "run"), runs())
def test_every_golden_tensor_is_reproduced(name: str, path: str, case: str, run: dict[str, Any]) -> None:
    """Pixels exact, vision 1e-5, DTS, embeddings, keys, logits 1e-4, masks and greedy ids equal."""
    expected = expected_tensors(load_set(name), path, case, run)
    stages = LanguageStages(name, path, case, run).out
    if path == "pure":
        stages = visual_stages(name, case) | stages
    assert check(expected, stages) == len(expected) > 0


@pytest.mark.parametrize(("name", "path", "case", "run"), runs())
def test_public_api_gives_the_reference_answer(name: str, path: str, case: str, run: dict[str, Any]) -> None:
    """Spans in, greedy ids out: the same as the reference's, with its lead over the runner-up."""
    golden = load_set(name)
    entry = golden.cases[case]
    session = golden.model.prefill(
        golden.spans(case, first=5), prefill=prefill_options(path, run), prefix_ids=entry["prefix_ids"]
    )
    bilevel = bilevel_options(run) if path == "w_chunk_bilevel" else None
    answer = session.generate(entry["question_ids"], max_new_tokens=entry["new_tokens"], bilevel=bilevel)
    expected = expected_tensors(golden, path, case, run)
    assert answer.token_ids == tuple(expected["generated_ids"].tolist())
    assert answer.margins == pytest.approx(expected["greedy_margin"].tolist(), abs=2e-4)
    if answer.bilevel is not None:
        log = " ".join(golden.logs[path][f"{case}.{run['tag']}"])
        assert f'"bi-level kvs len":{answer.bilevel.mixed_tokens},' in log
        assert f'decoding kv reduction": {answer.bilevel.reduction:.2%}' in log


@pytest.mark.parametrize(("name", "path", "case", "run"), runs(image=True))
def test_still_images_match_the_reference(name: str, path: str, case: str, run: dict[str, Any]) -> None:
    """One tile keeps its grid, of several the first is dropped; embeddings, logits and ids as golden."""
    golden = load_set(name)
    entry, model = golden.cases[case], golden.model
    session = model.prefill_images(golden.frames(case), prefix_ids=entry["prefix_ids"])
    answer = session.generate(entry["question_ids"], max_new_tokens=entry["new_tokens"])
    with session.start() as continuation:
        suffix_logits = continuation.push_all(entry["question_ids"])
        steps = [suffix_logits[-1], *(continuation.push([t]) for t in answer.token_ids[:-1])]
    actual = {
        "suffix_logits": suffix_logits,
        "step_logits": torch.stack(steps),
        "generated_ids": torch.tensor(answer.token_ids),
        "greedy_margin": torch.tensor(answer.margins),
    }
    expected = expected_tensors(golden, path, case, run)
    assert check(expected, actual) == len(expected) - 1  # inputs_embeds is internal to prefill_images


def test_streaming_sees_the_mask_without_the_stamp_rule() -> None:
    """The rows gathered for a chunk are the mask's columns when stamps get no extra view."""
    from videoxl2.generate.kv.layout import streaming_rows

    layout = TokenLayout(prefix_tokens=5, tokens_per_group=6)
    for group in range(11):
        layout.add_group(3 + group % 2)
    visibility = Visibility.of(layout, 2, 2, stamp_queries_see_all=False)
    for first in range(0, 11, 2):
        start, end = layout.group_start(first), layout.group_start(min(first + 2, 11))
        rows = streaming_rows(layout, first, end, previous_groups=4)
        seen = visibility.mask(start, end)[-1]  # the chunk's last token sees all its chunk may see
        assert torch.equal(torch.arange(end) if rows is None else rows, seen.nonzero()[:, 0])
