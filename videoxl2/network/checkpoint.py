"""Weights on disk: reference key names to this network's, streamed shard by shard, and back.

Nothing is executed from a checkpoint and no second copy of the weights exists: the network is built without
storage, and each tensor goes from its file to its dtype and device on its own.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.config import ModelConfig, VisionConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.source import QWEN_FILES, weight_files
from videoxl2.network.encoder import AnyNetwork
from videoxl2.network.llava_video import LlavaVideoNetwork
from videoxl2.network.network import Network, VideoXLProNetwork
from videoxl2.network.quantising import LayerQuantiser
from videoxl2.network.qwen_network import QwenNetwork
from videoxl2.network.spread import Spread

Shapes = dict[str, tuple[int, ...]]

VISION_PREFIX = "model.vision_tower.vision_tower.vision_model."
_PREFIXES = {  # ours → reference
    "vision.": VISION_PREFIX,
    "dts.": "model.sae.",
    "projector.": "model.mm_projector.",
    "newline": "model.image_newline",
    "selector.stamp_attention.": "model.WindowTimeToTokenAttention.",
    "selector.text_mlp.": "model.text_mlp.",
    "language.lm_head.": "lm_head.",
    "language.": "model.",
}
_QWEN_PREFIXES = {  # as Qwen2.5-VL was published, and as Qwen3-VL was; either is read
    Family.QWEN2_5_VL: {"vision.": "visual.", "language.lm_head.": "lm_head.", "language.": "model."},
    Family.QWEN3_VL: {
        "vision.": "model.visual.",
        "language.lm_head.": "lm_head.",
        "language.": "model.language_model.",
    },
}
# Published code nests the tower once or twice, with or without SigLIP's own level.
_ANY_VISION_PREFIX = re.compile(r"(model\.)?vision_tower\.(vision_tower\.)?(vision_model\.)?")
# In some published files and never used: the evaluation class's text_mlp, SigLIP's pooling head, its position
# counter, and the encoder layer that the reference deletes (named by number when the file is checked).
_IGNORED = re.compile(r"selector\.text_mlp\.|vision\.head\.|vision\.embeddings\.position_ids$")
_UNUSED = "vision.post_layernorm."  # may be absent: the reference never applies it
_NETWORKS: dict[Family, type[Network] | type[LlavaVideoNetwork] | type[QwenNetwork]] = {
    Family.VIDEO_XL_2: Network,
    Family.VIDEO_XL_PRO: VideoXLProNetwork,
    Family.LLAVA_VIDEO: LlavaVideoNetwork,
    Family.QWEN2_5_VL: QwenNetwork,
    Family.QWEN3_VL: QwenNetwork,
}
_TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "generation_config.json")
SHARD_BYTES = 5 * 2**30
_NAMED = 8  # keys spelled out in an error


def reference_name(name: str, family: Family = Family.VIDEO_XL_2) -> str:
    """Translate our parameter name into the published checkpoint's. ValueError: it has none."""
    for ours, theirs in _QWEN_PREFIXES.get(family, _PREFIXES).items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise ValueError(name)


def own_name(reference: str) -> str:
    """Translate a checkpoint's key into our parameter name; unknown keys come back unchanged."""
    if match := _ANY_VISION_PREFIX.match(reference):
        return "vision." + reference[match.end() :]
    qwen = (pair for prefixes in _QWEN_PREFIXES.values() for pair in prefixes.items() if pair[1] != "model.")
    for ours, theirs in (*qwen, *_PREFIXES.items()):
        if reference.startswith(theirs):
            return ours + reference.removeprefix(theirs)
    return reference


def empty_network(config: ModelConfig) -> AnyNetwork:
    """Build the network on the meta device: shapes without storage."""
    with torch.device("meta"):
        return _NETWORKS[config.family](config).eval().requires_grad_(False)


def load_network(folder: Path, config: ModelConfig, spread: Spread, dtype: torch.dtype) -> AnyNetwork:
    """Read every weight of `folder` in `dtype` onto its device; layers are quantised as `config` says.

    Raises `CheckpointError` naming missing, unexpected and mis-shaped keys before anything is loaded, and for
    a head that is not the embedding where config.json says so.
    """
    files = weight_files(folder)
    found: Shapes = {}
    for path in files:
        found |= _shapes(path)
    if not config.vision_found:
        config = replace(config, vision=_vision_from_shapes(found))
    network = empty_network(config)
    tied = config.language.tie_word_embeddings
    _check(folder, network, found, tied)
    wanted = {name for name, _ in network.named_parameters()}
    quantiser = LayerQuantiser(network.language, config.weight_bits)
    for path in files:
        for name, tensor in _tensors(path):
            if name in wanted:
                _place(network, name, tensor.to(device=spread.device_of(name), dtype=dtype))
                quantiser.placed(name)
    for name, parameter in list(network.named_parameters()):
        if name.startswith(_UNUSED) and parameter.is_meta:
            fill = torch.ones if name.endswith("weight") else torch.zeros
            _place(network, name, fill(parameter.shape, device=spread.first, dtype=dtype))
    network.language.join_weights()
    if tied:
        _tie(folder, network)
    return network


def _tie(folder: Path, network: AnyNetwork) -> None:
    """Make the embedding the head. Raises `CheckpointError` where the weights have another one."""
    head, embedding = network.language.lm_head.weight, network.language.embed_tokens.weight
    if not head.is_meta and not torch.equal(head, embedding):
        raise CheckpointError(
            f"{folder / 'config.json'} says that the head is the embedding; the weights have another one",
            "Restore config.json from its source, or set tie_word_embeddings to false if that head is meant.",
        )
    network.language.lm_head.weight = embedding


def _shapes(path: Path) -> Shapes:
    try:
        with safe_open(path, "pt") as file:
            return {own_name(key): tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged: {error}", "Download the file again.") from error


def _tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    with safe_open(path, "pt") as file:
        for key in file.keys():  # noqa: SIM118  (not a mapping)
            yield own_name(key), file.get_tensor(key)


def _check(folder: Path, network: AnyNetwork, found: Mapping[str, tuple[int, ...]], tied: bool) -> None:
    expected = {name: tuple(p.shape) for name, p in network.named_parameters()}
    family = network.config.family
    dropped = f"vision.encoder.layers.{network.config.vision.num_layers}."
    missing = [
        name
        for name in expected.keys() - found.keys()
        if not name.startswith(_UNUSED) and not (tied and name == "language.lm_head.weight")
    ]
    unexpected = [
        name
        for name in found.keys() - expected.keys()
        if not _IGNORED.match(name) and not name.startswith(dropped)
    ]
    misshaped = [
        f"{_spelled(name, family)} {list(found[name])}, expected {list(shape)}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    problems = [
        f"{len(names)} {kind}: {_listed(names)}"
        for kind, names in (
            ("missing", [_spelled(n, family) for n in missing]),
            ("unexpected", [_spelled(n, family) for n in unexpected]),
            ("mis-shaped", misshaped),
        )
        if names
    ]
    if problems:
        raise CheckpointError(
            f"the weights in {folder} do not fit its config.json; {'; '.join(problems)}",
            "Use weights and config.json of the same release.",
        )


def _spelled(name: str, family: Family) -> str:
    known = tuple(_QWEN_PREFIXES.get(family, _PREFIXES))
    return reference_name(name, family) if name.startswith(known) else name


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more


def _vision_from_shapes(found: Shapes) -> VisionConfig:
    """Derive a vision config from the weights' shapes and SO400M's defaults."""
    default = VisionConfig()
    patch = found.get("vision.embeddings.patch_embedding.weight")
    positions = found.get("vision.embeddings.position_embedding.weight")
    mlp = found.get("vision.encoder.layers.0.mlp.fc1.weight")
    if patch is None or positions is None or mlp is None:
        return default
    layer = re.compile(r"vision\.encoder\.layers\.(\d+)\.")
    layers = 1 + max(int(match[1]) for name in found if (match := layer.match(name)))
    same_grid = positions[0] == default.patches_per_side**2 and patch[-1] == default.patch_size
    return replace(
        default,
        hidden_size=patch[0],
        patch_size=patch[-1],
        intermediate_size=mlp[0],
        num_layers=min(layers, default.num_layers) if patch[0] == default.hidden_size else layers,
        image_size=default.image_size if same_grid else round(positions[0] ** 0.5) * patch[-1],
    )


def _place(network: AnyNetwork, name: str, tensor: Tensor) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, nn.Parameter(tensor, requires_grad=False))


def save_checkpoint(network: AnyNetwork, folder: Path, source: Path | None = None) -> None:
    """Write config, vision config and weights by the reference's names; what else is read from `source`."""
    config = network.config
    folder.mkdir(parents=True, exist_ok=True)
    fields = config.raw | {"torch_dtype": str(network.language.embed_tokens.weight.dtype)[6:]}
    if not config.family.is_qwen_vl:
        (folder / "vision_tower").mkdir(exist_ok=True)
        fields |= {"mm_vision_tower": "vision_tower"}
        siglip = config.raw_vision or _siglip_fields(config.vision)
        _write_json(folder / "vision_tower" / "config.json", siglip)
    _write_json(folder / "config.json", fields)
    for name in (*_TOKENIZER_FILES, *QWEN_FILES):
        if source is not None and source != folder and (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    _save_weights(network, folder)


def _save_weights(network: AnyNetwork, folder: Path) -> None:
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, parameter in network.named_parameters():  # a tied head is listed once
        if size + parameter.nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][reference_name(name, network.config.family)] = parameter.data
        size += parameter.nbytes
    weight_map: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        many = len(shards) > 1
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors" if many else "model.safetensors"
        tensors = {name: tensor.contiguous().cpu() for name, tensor in shard.items()}
        # Loaded weights may still be the mapped old file, so it is replaced, never overwritten.
        save_file(tensors, folder / f"{file}.part", metadata={"format": "pt"})
        (folder / f"{file}.part").replace(folder / file)
        weight_map |= dict.fromkeys(shard, file)
    if len(shards) > 1:
        _write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _siglip_fields(vision: VisionConfig) -> dict[str, object]:
    return {
        "model_type": "siglip_vision_model",
        "hidden_size": vision.hidden_size,
        "intermediate_size": vision.intermediate_size,
        "num_hidden_layers": vision.num_layers + 1,  # SigLIP counts the layer that the reference deletes
        "num_attention_heads": vision.num_heads,
        "image_size": vision.image_size,
        "patch_size": vision.patch_size,
        "layer_norm_eps": vision.layer_norm_eps,
        "hidden_act": vision.hidden_act,
    }
