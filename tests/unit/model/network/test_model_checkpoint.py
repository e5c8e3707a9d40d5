"""Checkpoints on disk: published names and shapes, what is tolerated, what is refused and how it is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from videoxl2 import CheckpointError, VideoXL2
from videoxl2.network import checkpoint as checkpoint_module
from videoxl2.network.checkpoint import empty_network, own_name, reference_name
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.config_file import read_config

Edit = Callable[[dict[str, Tensor]], None]


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Every key of the published 8B model with its shape (reference specification §7.1)."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (152064, 3584),
        "model.norm.weight": (3584,),
        "lm_head.weight": (152064, 3584),
        "model.mm_projector.0.weight": (3584, 1152),
        "model.mm_projector.0.bias": (3584,),
        "model.mm_projector.2.weight": (3584, 3584),
        "model.mm_projector.2.bias": (3584,),
        "model.sae.temporal_encoding": (4, 1152),
    }
    for i in range(28):
        layer = f"model.layers.{i}."
        for name, rows in (("q", 3584), ("k", 512), ("v", 512)):
            shapes[f"{layer}self_attn.{name}_proj.weight"] = (rows, 3584)
            shapes[f"{layer}self_attn.{name}_proj.bias"] = (rows,)
        shapes[f"{layer}self_attn.o_proj.weight"] = (3584, 3584)
        shapes[f"{layer}mlp.gate_proj.weight"] = shapes[f"{layer}mlp.up_proj.weight"] = (18944, 3584)
        shapes[f"{layer}mlp.down_proj.weight"] = (3584, 18944)
        shapes[f"{layer}input_layernorm.weight"] = (3584,)
        shapes[f"{layer}post_attention_layernorm.weight"] = (3584,)
    tower = "model.vision_tower.vision_tower.vision_model."
    shapes[f"{tower}embeddings.patch_embedding.weight"] = (1152, 3, 14, 14)
    shapes[f"{tower}embeddings.patch_embedding.bias"] = (1152,)
    shapes[f"{tower}embeddings.position_embedding.weight"] = (729, 1152)
    for i in range(26):
        layer = f"{tower}encoder.layers.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes[f"{layer}self_attn.{name}.weight"] = (1152, 1152)
            shapes[f"{layer}self_attn.{name}.bias"] = (1152,)
        for name in ("layer_norm1", "layer_norm2"):
            shapes[f"{layer}{name}.weight"] = shapes[f"{layer}{name}.bias"] = (1152,)
        shapes[f"{layer}mlp.fc1.weight"], shapes[f"{layer}mlp.fc1.bias"] = (4304, 1152), (4304,)
        shapes[f"{layer}mlp.fc2.weight"], shapes[f"{layer}mlp.fc2.bias"] = (1152, 4304), (1152,)
    for name in ("weight", "bias"):
        shapes[f"{tower}post_layernorm.{name}"] = (1152,)
    for i in (0, 3):
        for name in ("q", "k", "v", "proj_out"):
            shapes[f"model.sae.encoder.{i}.{name}.weight"] = (1152, 1152, 1, 1, 1)
            shapes[f"model.sae.encoder.{i}.{name}.bias"] = (1152,)
    for i in (1, 4):
        shapes[f"model.sae.encoder.{i}.qkv.weight"] = (3456, 1152, 1)
        shapes[f"model.sae.encoder.{i}.qkv.bias"] = (3456,)
        shapes[f"model.sae.encoder.{i}.proj_out.weight"] = (1152, 1152, 1)
        shapes[f"model.sae.encoder.{i}.proj_out.bias"] = (1152,)
        for name in ("k", "v"):
            shapes[f"model.sae.encoder.{i}.relative_position_{name}.embeddings_table"] = (129, 1152)
    for i in (0, 1, 3, 4):
        for name in ("weight", "bias"):
            shapes[f"model.sae.encoder.{i}.norm.{name}"] = (1152,)
    for i in (2, 5):
        shapes[f"model.sae.encoder.{i}.conv.weight"] = (1152, 1152, 3, 3, 3)
        shapes[f"model.sae.encoder.{i}.conv.bias"] = (1152,)
    return shapes


def test_full_size_model_has_exactly_the_published_keys_and_shapes() -> None:
    """The 8B network on the meta device: same names, same shapes, 8.1 billion parameters."""
    network = empty_network(ModelConfig())
    ours = {reference_name(name): tuple(p.shape) for name, p in network.named_parameters()}
    assert ours == published_shapes()
    assert sum(p.numel() for p in network.parameters()) / 1e9 == pytest.approx(8.124, abs=0.01)
    assert network.to(torch.bfloat16).language.cache_shape.bytes_per_token == 57344


def test_names_map_there_and_back() -> None:
    """Our name of a published key leads back to it."""
    for name in published_shapes():
        assert reference_name(own_name(name)) == name


def rewritten(source: Path, target: Path, edit: Edit | None = None, **config: Any) -> Path:
    """A copy of a checkpoint with edited weights and config fields."""
    shutil.copytree(source, target)
    weights = load_file(target / "model.safetensors")
    if edit is not None:
        edit(weights)
    save_file(weights, target / "model.safetensors")
    raw = json.loads((target / "config.json").read_text()) | config
    (target / "config.json").write_text(json.dumps(raw))
    return target


def same_weights(a: VideoXL2, b: VideoXL2) -> bool:
    left, right = dict(a.network.named_parameters()), dict(b.network.named_parameters())
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_save_and_load_round_trip(small_model: VideoXL2, small_folder: Path, tmp_path: Path) -> None:
    """A saved checkpoint holds the same file contents and loads to the same weights."""
    small_model.save_pretrained(tmp_path / "copy")
    again = VideoXL2.from_pretrained(tmp_path / "copy")
    assert same_weights(small_model, again)
    before, after = (load_file(f / "model.safetensors") for f in (small_folder, tmp_path / "copy"))
    assert before.keys() == after.keys()
    assert again.vocabulary.encode("a man") == small_model.vocabulary.encode("a man")


def test_a_checkpoint_can_be_saved_over_itself(small_folder: Path, tmp_path: Path) -> None:
    """Weights that are still mapped from the file survive its replacement."""
    model = VideoXL2.from_pretrained(rewritten(small_folder, tmp_path / "c"))
    model.network.language.norm.weight.data += 1
    model.save_pretrained(tmp_path / "c")
    assert same_weights(model, VideoXL2.from_pretrained(tmp_path / "c"))


def test_shards_are_written_and_read(
    small_model: VideoXL2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large checkpoint is cut into shards with an index; a missing shard is named."""
    monkeypatch.setattr(checkpoint_module, "SHARD_BYTES", 1 << 20)
    small_model.save_pretrained(tmp_path)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert same_weights(small_model, VideoXL2.from_pretrained(tmp_path))
    shards[1].unlink()
    with pytest.raises(CheckpointError, match=shards[1].name):
        VideoXL2.from_pretrained(tmp_path)


def add_text_mlp(weights: dict[str, Tensor]) -> None:
    weights["model.text_mlp.0.weight"], weights["model.text_mlp.0.bias"] = torch.ones(2, 2), torch.ones(2)


def add_deleted_layer_and_head(weights: dict[str, Tensor]) -> None:
    tower = "model.vision_tower.vision_tower.vision_model."
    for name in [n for n in weights if n.startswith(f"{tower}encoder.layers.1.")]:
        weights[name.replace("layers.1.", "layers.2.")] = weights[name].clone()
    weights[f"{tower}head.probe"] = torch.ones(1, 1, 4)
    weights[f"{tower}embeddings.position_ids"] = torch.arange(64)[None]


def drop_post_norm(weights: dict[str, Tensor]) -> None:
    for name in [n for n in weights if "post_layernorm" in n]:
        del weights[name]


def renest(prefix: str) -> Edit:
    def edit(weights: dict[str, Tensor]) -> None:
        tower = "model.vision_tower.vision_tower.vision_model."
        for name in [n for n in weights if n.startswith(tower)]:
            weights[prefix + name.removeprefix(tower)] = weights.pop(name)

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        add_text_mlp,
        add_deleted_layer_and_head,
        drop_post_norm,
        renest("model.vision_tower.vision_model."),
        renest("model.vision_tower."),
        renest("model.vision_tower.vision_tower."),
        renest("vision_tower.vision_model."),
    ],
)
def test_published_variations_are_accepted(
    small_model: VideoXL2, small_folder: Path, tmp_path: Path, noise: Any, edit: Edit
) -> None:
    """Unused extras, missing unused parts and other nestings load to the same answers."""
    model = VideoXL2.from_pretrained(rewritten(small_folder, tmp_path / "c", edit))
    want = small_model.prefill(noise(8)).generate("What?", max_new_tokens=4)
    assert model.prefill(noise(8)).generate("What?", max_new_tokens=4).token_ids == want.token_ids


def test_vision_sizes_come_from_the_weights_when_their_config_is_missing(
    small_model: VideoXL2, small_folder: Path, tmp_path: Path
) -> None:
    """Without a vision config the layer count and widths are read off the tensors."""
    folder = rewritten(small_folder, tmp_path / "c", mm_vision_tower="google/siglip-so400m-patch14-384")
    shutil.rmtree(folder / "vision_tower")
    vision = VideoXL2.from_pretrained(folder).config.vision
    known = small_model.config.vision
    assert (vision.num_layers, vision.hidden_size, vision.image_size, vision.intermediate_size) == (
        (known.num_layers, known.hidden_size, known.image_size, known.intermediate_size)
    )


def test_defaults_are_the_real_model(tmp_path: Path) -> None:
    """A config.json that says only what it is means Video-XL-2 8B."""
    (tmp_path / "config.json").write_text('{"model_type": "llava_qwen", "mm_vision_tower": "x"}')
    config = read_config(tmp_path)
    assert (config.vision, config.language) == (ModelConfig().vision, ModelConfig().language)
    assert (config.grid_side, config.tokens_per_group, config.eos_ids) == (24, 144, (151645,))


@pytest.mark.parametrize("counted", [26, 27])
def test_so400m_has_26_layers_however_its_config_counts(tmp_path: Path, counted: int) -> None:
    """The original config counts the layer that the reference deletes; a republished one may not."""
    raw = {"model_type": "llava_qwen", "vision_config": {"hidden_size": 1152, "num_hidden_layers": counted}}
    (tmp_path / "config.json").write_text(json.dumps(raw))
    assert read_config(tmp_path).vision.num_layers == 26


def test_generation_config_adds_stop_tokens(small_folder: Path, tmp_path: Path) -> None:
    """Stop ids of both files count."""
    folder = rewritten(small_folder, tmp_path / "c", eos_token_id=7)
    (folder / "generation_config.json").write_text('{"eos_token_id": [7, 9]}')
    assert read_config(folder).eos_ids == (7, 9)


def test_tied_embeddings_share_one_tensor(small_folder: Path, tmp_path: Path) -> None:
    """With tied embeddings the output layer may be absent from the file."""

    def edit(weights: dict[str, Tensor]) -> None:
        del weights["lm_head.weight"]

    model = VideoXL2.from_pretrained(rewritten(small_folder, tmp_path / "c", edit, tie_word_embeddings=True))
    assert model.network.language.lm_head.weight is model.network.language.embed_tokens.weight


@pytest.mark.parametrize("is_other", [True, False])
def test_a_head_beside_tied_embeddings_is_theirs_or_refused(
    small_folder: Path, tmp_path: Path, is_other: bool
) -> None:
    """Libraries differ in which of the two they take."""

    def edit(weights: dict[str, Tensor]) -> None:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"] + is_other

    folder = rewritten(small_folder, tmp_path / "c", edit, tie_word_embeddings=True)
    if is_other:
        with pytest.raises(CheckpointError, match="the head is the embedding; the weights have another one"):
            VideoXL2.from_pretrained(folder)
    else:
        language = VideoXL2.from_pretrained(folder).network.language
        assert language.lm_head.weight is language.embed_tokens.weight


def test_keys_that_do_not_fit_are_named(small_folder: Path, tmp_path: Path) -> None:
    """One message lists missing, unexpected and mis-shaped keys under their names in the file."""

    def edit(weights: dict[str, Tensor]) -> None:
        del weights["model.norm.weight"]
        weights["model.layers.0.self_attn.rotary.inv_freq"] = torch.ones(3)
        weights["model.sae.temporal_encoding"] = torch.ones(4, 5)

    with pytest.raises(CheckpointError) as caught:
        VideoXL2.from_pretrained(rewritten(small_folder, tmp_path / "c", edit))
    said = str(caught.value)
    assert "1 missing: model.norm.weight" in said
    assert "1 unexpected: model.layers.0.self_attn.rotary.inv_freq" in said
    assert "1 mis-shaped: model.sae.temporal_encoding [4, 5], expected [4, 64]" in said
    assert caught.value.hint


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no config.json"),
        ({"config.json": "{"}, "not readable JSON"),
        ({"config.json": "[1]"}, "not a JSON object"),
        ({"config.json": '{"model_type": "llama"}'}, "'llama' model, which media-index cannot run"),
        ({"config.json": '{"model_type": "llava_qwen", "hidden_size": "wide"}'}, "unusable value"),
        ({"config.json": '{"model_type": "llava_qwen"}'}, r"lacks \*.safetensors"),
        ({"config.json": '{"model_type": "llava_qwen"}', "model.safetensors": "not one"}, "damaged"),
        (
            {"config.json": '{"model_type": "llava_qwen"}', "model.safetensors.index.json": "{}"},
            "not a weight index",
        ),
        (
            {
                "config.json": '{"model_type": "llava_qwen"}',
                "model.safetensors.index.json": '{"weight_map": {"a": 1}}',
            },
            "not a weight index",
        ),
        ({"config.json": '{"quantization_config": {"quant_method": "awq"}}'}, r"quantised weights \(awq\)"),
        ({"config.json": '{"text_config": {"quantization_config": {"quant_method": "fp8"}}}'}, r"\(fp8\)"),
    ],
)
def test_wrong_folders_are_explained(tmp_path: Path, files: dict[str, str], said: str) -> None:
    """Each way a folder can be wrong has its own words and a hint."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(CheckpointError, match=said) as caught:
        VideoXL2.from_pretrained(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["hidden_size", "num_attention_heads", "vocab_size"])
def test_sizes_that_are_none_are_named(small_folder: Path, tmp_path: Path, name: str) -> None:
    raw = json.loads((small_folder / "config.json").read_text())
    for value in (0, -128):
        (tmp_path / "config.json").write_text(json.dumps(raw | {name: value}))
        with pytest.raises(CheckpointError, match=r"unusable value"):
            read_config(tmp_path)


def test_more_layers_than_tensors_are_refused_before_they_are_built(
    small_folder: Path, tmp_path: Path
) -> None:
    raw = json.loads((small_folder / "config.json").read_text())
    shutil.copytree(small_folder, tmp_path / "it")
    (tmp_path / "it" / "config.json").write_text(json.dumps(raw | {"num_hidden_layers": 10**9}))
    with pytest.raises(CheckpointError, match="says 1000000000 layers; the weights are"):
        read_config(tmp_path / "it")


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn])
def test_quantised_weights_that_no_file_speaks_of_are_refused(
    small_folder: Path, tmp_path: Path, dtype: torch.dtype
) -> None:
    """A cast would take their numbers for weights, without the scales that lie beside them."""
    raw = json.loads((small_folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(raw | {"quantization_config": {"quant_method": "awq"}}))
    shutil.copy(small_folder / "model.safetensors", tmp_path)
    read_config(tmp_path)  # full weights are full weights, whatever was once done to their forebears
    weights = load_file(small_folder / "model.safetensors")
    name = "model.layers.0.mlp.down_proj.weight"
    save_file(weights | {name: weights[name].to(dtype)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=f"quantised weights \\({name} is "):
        read_config(tmp_path)


def test_a_download_that_broke_off_is_noticed_by_its_length(small_folder: Path, tmp_path: Path) -> None:
    """Before weights are read; a head alone is what plans keep of weights that are elsewhere."""
    whole = (small_folder / "model.safetensors").read_bytes()
    shutil.copy(small_folder / "config.json", tmp_path)
    head = 8 + int.from_bytes(whole[:8], "little")
    for length in (head + 1, len(whole) // 2, len(whole) - 1):
        (tmp_path / "model.safetensors").write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=f"damaged: {length - head} bytes of tensors instead of"):
            read_config(tmp_path)
    for length in (head, len(whole)):
        (tmp_path / "model.safetensors").write_bytes(whole[:length])
        read_config(tmp_path)


def test_a_tokenizer_of_two_files_is_read(small_model: VideoXL2, small_folder: Path, tmp_path: Path) -> None:
    """vocab.json and merges.txt, as older releases have them, give the same ids."""
    known = small_model.vocabulary
    assert known.tokenizer is not None
    folder = rewritten(small_folder, tmp_path / "c")
    (folder / "tokenizer.json").unlink()
    known.tokenizer.model.save(str(folder))
    added = {
        str(known.tokenizer.token_to_id(text)): {"content": text, "special": True}
        for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_pad|>")
    }
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}))
    again = VideoXL2.from_pretrained(folder).vocabulary
    assert again.prefix_ids() == known.prefix_ids()
    assert again.stamp_ids(12300) == known.stamp_ids(12300)
    assert again.vision_pad_id == known.vision_pad_id


def test_a_tokenizers_training_settings_are_ignored(small_folder: Path, tmp_path: Path) -> None:
    """Truncation and padding left in tokenizer.json do not touch prompts."""
    folder = rewritten(small_folder, tmp_path / "c")
    raw = json.loads((folder / "tokenizer.json").read_text())
    raw["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    (folder / "tokenizer.json").write_text(json.dumps(raw))
    vocabulary = VideoXL2.from_pretrained(folder).vocabulary
    assert vocabulary.decode(vocabulary.encode("a man at the table")) == "a man at the table"


def test_a_damaged_tokenizer_is_explained(small_folder: Path, tmp_path: Path) -> None:
    """A broken tokenizer.json is the checkpoint's fault."""
    folder = rewritten(small_folder, tmp_path / "c")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="tokenizer"):
        VideoXL2.from_pretrained(folder)


def test_a_path_that_is_no_folder_is_not_tried_on_the_hub(tmp_path: Path) -> None:
    """A missing absolute path or a file is said to be just that, without a network request."""
    for name in (tmp_path / "missing", Path("./missing/folder/deep")):
        with pytest.raises(CheckpointError, match="not a folder"):
            VideoXL2.from_pretrained(name)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="not a folder"):
        VideoXL2.from_pretrained(tmp_path / "file")


def test_a_hub_that_does_not_deliver_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub client's errors become a CheckpointError."""
    import huggingface_hub

    def offline(*_: Any, **__: Any) -> str:
        raise OSError("no route to host\nand more lines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(CheckpointError, match="no route to host"):
        VideoXL2.from_pretrained("BAAI/Video-XL-2")


def test_revision_follows_config_and_weights(small_folder: Path, tmp_path: Path) -> None:
    """Equal folders share a revision, any change makes another, a hub snapshot keeps its commit."""
    known = VideoXL2.from_pretrained(small_folder).revision
    same = rewritten(small_folder, tmp_path / "same")
    shutil.copyfile(small_folder / "config.json", same / "config.json")
    shutil.copyfile(small_folder / "model.safetensors", same / "model.safetensors")
    assert VideoXL2.from_pretrained(same).revision == known

    def edit(weights: dict[str, Tensor]) -> None:
        weights["model.norm.weight"][0] += 1

    changed = rewritten(small_folder, tmp_path / "changed", edit)
    assert VideoXL2.from_pretrained(changed).revision != known
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = rewritten(small_folder, tmp_path / "snapshots" / commit)
    assert VideoXL2.from_pretrained(snapshot).revision == commit
