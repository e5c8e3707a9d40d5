"""A small checkpoint with random weights in the published format, for demos and tests without a GPU.

    python -m videoxl2.random_checkpoint FOLDER

Same code path as the real model: config.json, vision_tower/config.json, model.safetensors under the published
key names, tokenizer.json. Its answers are words without meaning.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from videoxl2.network.checkpoint import empty_network, save_checkpoint
from videoxl2.network.configs.config import (
    FrameTokens,
    LanguageConfig,
    ModelConfig,
    VisionConfig,
)
from videoxl2.network.configs.config_file import qwen_config, read_config
from videoxl2.network.configs.families import Family
from videoxl2.network.encoder import AnyNetwork
from videoxl2.network.language.tokens import Vocabulary

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_pad|>")
QWEN_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|video_pad|>")
NUM_MERGES = 400
# What the merges are learned from: enough English for readable nonsense.
_TEXT = """
the scene shows a man and a woman in the room while the camera moves to the street and the people walk by
she opens the door and looks at the river where the light of the morning falls on the water and the trees
he sits at the table with his friend and they talk about the journey through the mountains and the city
a car stops in front of the house as the rain begins and the dog runs across the road into the garden
the crowd cheers when the player scores and the music plays over the end of the story with the title
time seconds start end summary location character description highlight reason mood calm tense happy
"""


def small_config(stop_id: int, vocab_size: int) -> ModelConfig:
    """Configure about a million parameters; a frame costs a few milliseconds on one core."""
    vision = VisionConfig(
        hidden_size=64, intermediate_size=128, num_layers=2, num_heads=4, image_size=112, patch_size=14
    )
    language = LanguageConfig(
        hidden_size=128,
        intermediate_size=256,
        num_layers=4,
        num_heads=4,
        num_kv_heads=2,
        head_dim=32,
        vocab_size=vocab_size,
    )
    return ModelConfig(vision=vision, language=language, grid_side=4, dtype="float32", eos_ids=(stop_id,))


def build_tokenizer(more_tokens: tuple[str, ...] = ()) -> Tokenizer:
    """Byte-level BPE: any text round-trips, digits stay single as in the real vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + NUM_MERGES, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_TEXT.splitlines(), trainer)
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token in (*SPECIAL_TOKENS, *more_tokens)]
    )
    return tokenizer


def config_fields(config: ModelConfig) -> dict[str, object]:
    """Return config.json under the reference's field names."""
    language = config.language
    fields: dict[str, object] = {
        "architectures": ["LlavaQwenForCausalLM"],
        "model_type": "llava_qwen",
        "torch_dtype": config.dtype,
        "vocab_size": language.vocab_size,
        "hidden_size": language.hidden_size,
        "intermediate_size": language.intermediate_size,
        "num_hidden_layers": language.num_layers,
        "num_attention_heads": language.num_heads,
        "num_key_value_heads": language.num_kv_heads,
        "head_dim": language.head_dim,
        "max_position_embeddings": language.max_position_embeddings,
        "rope_theta": language.rope_theta,
        "rms_norm_eps": language.rms_norm_eps,
        "tie_word_embeddings": language.tie_word_embeddings,
        "eos_token_id": list(config.eos_ids),
        "mm_vision_tower": "vision_tower",
        "mm_hidden_size": config.vision.hidden_size,
        "mm_projector_type": "mlp2x_gelu",
        "mm_spatial_pool_mode": "average",
        "mm_spatial_pool_stride": config.pool_stride,
        "mm_grid_side": config.grid_side,  # ours: the published model's 24 is fixed in its code
    }
    if config.frame_s is not None:
        fields |= {"mm_seconds_per_frame": float(config.frame_s)}  # ours, too
    if config.frame_tokens is not None:
        fields |= {
            "mm_patch_merge_type": "spatial_unpad",
            "mm_spatial_pool_mode": config.frame_tokens.pool,
            "mm_newline_position": config.frame_tokens.newline,
            "add_time_instruction": config.frame_tokens.tells_times,
        }
    return fields


def qwen_fields(family: Family, tokenizer: Tokenizer) -> dict[str, object]:
    """Return config.json of a small Qwen-VL model, flat for the older one as it was published."""
    is_older = family is Family.QWEN2_5_VL
    language: dict[str, object] = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1e6,
        "max_position_embeddings": 128000,
    }
    vision: dict[str, object] = {
        "depth": 3,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 4,
        "out_hidden_size": 128,
        "patch_size": 14 if is_older else 16,
    }
    ids = {
        f"{name}_token_id": tokenizer.token_to_id(f"<|{name}|>")
        for name in ("vision_start", "vision_end", "video_pad")
    }
    common: dict[str, object] = {
        "torch_dtype": "float32",
        "tie_word_embeddings": False,
        "vision_start_token_id": ids["vision_start_token_id"],
        "vision_end_token_id": ids["vision_end_token_id"],
        "video_token_id": ids["video_pad_token_id"],
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
    }
    if is_older:
        return {
            "architectures": ["Qwen2_5_VLForConditionalGeneration"],
            "model_type": "qwen2_5_vl",
            **common,
            **language,
            "rope_scaling": {"type": "mrope", "mrope_section": [4, 6, 6]},
            "vision_config": vision
            | {"fullatt_block_indexes": [1], "window_size": 112, "tokens_per_second": 2},
        }
    return {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": "qwen3_vl",
        **common,
        "text_config": language
        | {
            "head_dim": 32,
            "rope_scaling": {"rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True},
        },
        "vision_config": vision | {"deepstack_visual_indexes": [0, 1], "num_position_embeddings": 36},
    }


def random_network(config: ModelConfig, seed: int, device: str = "cpu") -> AnyNetwork:
    """Weights drawn so that activations keep their size from layer to layer, in `config.dtype`.

    Drawn on `device`: the same seed gives the same weights on the same kind of device only.
    """
    network = empty_network(config).to(getattr(torch, config.dtype)).to_empty(device=device)
    generator = torch.Generator(device).manual_seed(seed)
    for name, parameter in network.named_parameters():
        _draw(name, parameter.data, generator)
    if config.language.tie_word_embeddings:
        network.language.lm_head.weight = network.language.embed_tokens.weight
    return network


def _draw(name: str, x: Tensor, generator: torch.Generator) -> None:
    if x.ndim > 1:
        embedding = "embed" in name and "patch" not in name
        fan_in = x[0].numel()
        x.normal_(0, 0.5 if embedding else fan_in**-0.5, generator=generator)
    elif name.endswith("bias"):
        x.normal_(0, 0.02, generator=generator)
    else:  # norm weights
        x.normal_(1, 0.05, generator=generator)


def prefer_words(network: AnyNetwork, tokenizer: Tokenizer) -> None:
    """Weaken the output rows of everything but whole words, so that answers read as words."""
    words = {f" {word}" for word in _TEXT.split()} | {".", ","}
    head = network.language.lm_head.weight.data
    for token_id in range(head.shape[0]):
        if tokenizer.decode([token_id], skip_special_tokens=False) not in words:
            head[token_id] *= 0.1  # not zero: among masked alternatives the order still follows the video


def write_random_checkpoint(
    folder: str | Path,
    seed: int = 0,
    config: ModelConfig | None = None,
    family: str = Family.VIDEO_XL_2,
) -> Path:
    """Write a checkpoint that `load_model` loads; the same seed writes the same weights.

    `family` is a `Family`. `config` replaces the sizes (its vocabulary must hold the tokenizer's 660 tokens);
    of a Qwen-VL model it is as `qwen_config` reads it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    is_qwen = Family(family).is_qwen_vl
    tokenizer = build_tokenizer(QWEN_TOKENS if is_qwen else ())
    stop: int = tokenizer.token_to_id("<|im_end|>")  # type: ignore[assignment]  # just added
    if is_qwen:
        config = config or qwen_config(folder, qwen_fields(Family(family), tokenizer), Family(family))
    else:
        config = config or small_config(stop, tokenizer.get_vocab_size())
        frame_tokens = FrameTokens("bilinear", "grid", True) if family == Family.LLAVA_VIDEO else None
        config = replace(config, eos_ids=(stop,), family=Family(family), frame_tokens=frame_tokens)
        config = replace(config, raw=config_fields(config))
    network = random_network(config, seed)
    prefer_words(network, tokenizer)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>"}) + "\n"
    )
    save_checkpoint(network, folder)
    read_config(folder)  # what was written is readable
    assert Vocabulary.from_folder(folder).tokenizer is not None
    return folder


@click.command(help="Write a small checkpoint with random weights, for trying things without a GPU.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--family",
    type=click.Choice([family.value for family in Family]),
    default="Video-XL-2",
    show_default=True,
)
@click.option("--seed", default=0, show_default=True, help="Of the random weights.")
def main(folder: Path, family: str, seed: int) -> None:
    """Write a tiny checkpoint with random weights into a folder, and print what was written."""
    click.echo(write_random_checkpoint(folder, seed, family=family))


if __name__ == "__main__":
    main()
