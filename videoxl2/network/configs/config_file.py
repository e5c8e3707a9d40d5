"""Sizes of the network, read from a checkpoint's config.json. Loads no torch.

Field names on disk are the reference's; every default is the published 8B model's (Qwen2.5-7B-Instruct with
SigLIP-SO400M/14-384), so that a config.json that leaves a field out still means the real model.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.chat import published_frame
from videoxl2.network.configs.chat_template import frame_in, read_template
from videoxl2.network.configs.config import (
    VISION_ACTIVATIONS,
    FrameTokens,
    LanguageConfig,
    ModelConfig,
    Newline,
    Pool,
    VisionConfig,
)
from videoxl2.network.configs.families import Family, family_of
from videoxl2.network.configs.json_files import read_json
from videoxl2.network.configs.qwen_config import QWEN_TYPES, qwen_language, qwen_vision
from videoxl2.network.configs.qwen_files import read_pictures
from videoxl2.network.configs.source import WEIGHTS, quantised_error, weight_names

_SIZES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
)
MODEL_TYPES = ("llava_qwen", "videoxl2", "video_xl_2")

# The reference deletes the last SigLIP layer, so a config that counts 27 layers means 26.
# A republished config may already count 26; both mean the same tower.
_SO400M_HIDDEN, _SO400M_LAYERS = 1152, 26


def read_config(folder: Path) -> ModelConfig:
    """Read `folder/config.json` and the vision config it points to.

    Raises `CheckpointError` when the folder, the file or a size is missing or is of another model.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder", "Give a folder with config.json, or a hub id.")
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{folder} has no config.json", "Point to the folder that holds config.json and *.safetensors."
        )
    raw = read_json(folder / "config.json")
    if not any(folder.glob(f"*{WEIGHTS}")):  # a config alone is what it says, or Video-XL-2's
        _check_full_weights(folder, raw)
        return _config_of(folder, raw, QWEN_TYPES.get(str(raw.get("model_type")), Family.VIDEO_XL_2))
    names = weight_names(folder)
    config = _config_of(folder, raw, family_of(folder, names))
    _check_layers(folder, config, len(names))
    return config


def _check_layers(folder: Path, config: ModelConfig, num_tensors: int) -> None:
    """Raise `CheckpointError` for more layers than there are tensors, which would be built without end."""
    if config.language.num_layers > num_tensors:
        raise CheckpointError(
            f"{folder / 'config.json'} says {config.language.num_layers} layers; "
            f"the weights are {num_tensors} tensors",
            "Use weights and config.json of the same release.",
        )


def _config_of(folder: Path, raw: dict[str, Any], family: Family) -> ModelConfig:
    model_type = raw.get("model_type")
    if family.is_qwen_vl:
        return qwen_config(folder, raw, family)
    if model_type not in MODEL_TYPES and "mm_vision_tower" not in raw:
        raise CheckpointError(
            f"{folder} holds a {model_type!r} model, which media-index cannot run",
            "Use a checkpoint of Video-XL-2, Video-XL-Pro, LLaVA-Video, Qwen2.5-VL or Qwen3-VL, such as "
            "BAAI/Video-XL-2.",
        )
    raw_vision = _find_vision_config(folder, raw)
    try:
        return ModelConfig(
            vision=_vision_config(raw_vision),
            language=_language_config(raw),
            grid_side=int(raw.get("mm_grid_side", 24)),
            pool_stride=int(raw.get("mm_spatial_pool_stride", 2)),
            family=family,
            frame_tokens=_frame_tokens(raw) if family is Family.LLAVA_VIDEO else None,
            context_tokens=None if family is Family.VIDEO_XL_2 else _context_tokens(raw),
            frame_s=_frame_s(raw, family),
            dtype=str(raw.get("torch_dtype") or raw.get("dtype") or "bfloat16"),
            eos_ids=_eos_ids(folder, raw),
            vision_found=bool(raw_vision),
            raw=raw,
            raw_vision=raw_vision,
        )
    except (TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        raise CheckpointError(
            f"{folder / 'config.json'} has an unusable value: {error}", "Restore the file from its source."
        ) from error


def _check_full_weights(folder: Path, raw: dict[str, Any]) -> None:
    """Raise `CheckpointError` where a config says that somebody has quantised its weights."""
    halves = (raw, raw.get("text_config"))
    said = [
        half["quantization_config"]
        for half in halves
        if isinstance(half, dict) and half.get("quantization_config")
    ]
    if said:
        method = said[0].get("quant_method") if isinstance(said[0], dict) else None
        raise quantised_error(folder, method or "of an unknown method")


def qwen_config(folder: Path, raw: dict[str, Any], family: Family) -> ModelConfig:
    """Read a config.json of a Qwen-VL model, and what lies beside it there. Raises `CheckpointError`."""
    try:
        found = qwen_language(raw, family)
        language, vision = _language_config(found), qwen_vision(raw, family)
        if vision.out_size != language.hidden_size:
            raise ValueError(f"out_hidden_size {vision.out_size} is not hidden_size {language.hidden_size}")
        pictures, template = read_pictures(folder, family, vision), read_template(folder)
        return ModelConfig(
            language=language,
            family=family,
            qwen_vision=replace(vision, mean=pictures.mean, spread=pictures.spread),
            own_shape=pictures.sizes,
            fps=pictures.fps,
            chat=published_frame(family) if template is None else frame_in(template),
            chat_template=template,
            context_tokens=language.max_position_embeddings,
            dtype=str(raw.get("torch_dtype") or raw.get("dtype") or found.get("dtype") or "bfloat16"),
            eos_ids=_eos_ids(folder, {"eos_token_id": found.get("eos_token_id")} | raw),
            raw=raw,
        )
    except (TypeError, ValueError, KeyError, ZeroDivisionError, AttributeError) as error:
        raise CheckpointError(
            f"{folder / 'config.json'} has an unusable value: {error}", "Restore the file from its source."
        ) from error


def _frame_tokens(raw: dict[str, Any]) -> FrameTokens:
    pool, newline = raw.get("mm_spatial_pool_mode", "bilinear"), raw.get("mm_newline_position", "one_token")
    if pool not in get_args(Pool):
        raise ValueError(f"mm_spatial_pool_mode {pool!r} is none of {', '.join(get_args(Pool))}")
    if newline not in get_args(Newline):
        raise ValueError(f"mm_newline_position {newline!r} is none of {', '.join(get_args(Newline))}")
    if "unpad" not in str(raw.get("mm_patch_merge_type", "")):
        newline = "no_token"
    return FrameTokens(pool, newline, bool(raw.get("add_time_instruction", False)))


def _context_tokens(raw: dict[str, Any]) -> int:
    """Return the tokens that a sequence may have; the reference cuts off the rest, the question first."""
    limits = (raw.get("tokenizer_model_max_length"), raw.get("max_position_embeddings"))
    return min((int(limit) for limit in limits if limit), default=LanguageConfig().max_position_embeddings)


def _frame_s(raw: dict[str, Any], family: Family) -> Fraction | None:
    """Read how many seconds stamps count for a frame, where a checkpoint says so."""
    if raw.get("mm_seconds_per_frame") is None:
        return None
    if family is Family.LLAVA_VIDEO:
        raise ValueError("mm_seconds_per_frame is of models with a stamp before each frame group")
    frame_s = Fraction(str(raw["mm_seconds_per_frame"]))
    if frame_s <= 0:
        raise ValueError(f"mm_seconds_per_frame {frame_s} is not positive")
    return frame_s


def _find_vision_config(folder: Path, raw: dict[str, Any]) -> dict[str, Any]:
    """Find the SigLIP config: inlined, beside the checkpoint, or empty when there is none."""
    if isinstance(raw.get("vision_config"), dict):
        return dict(raw["vision_config"])
    named = str(raw.get("mm_vision_tower") or "vision_tower")
    for candidate in (folder / named, folder / "vision_tower", Path(named)):
        if (candidate / "config.json").is_file():
            found = read_json(candidate / "config.json")
            inner = found.get("vision_config")  # a whole SigLIP config nests its vision half
            return dict(inner) if isinstance(inner, dict) else found
    return {}


def _vision_config(raw: dict[str, Any]) -> VisionConfig:
    default = VisionConfig()
    hidden = int(raw.get("hidden_size", default.hidden_size))
    counted = int(raw.get("num_hidden_layers", default.num_layers + 1))
    activation = str(raw.get("hidden_act", default.hidden_act))
    if activation not in VISION_ACTIVATIONS:
        raise ValueError(f"hidden_act {activation!r} is none of {', '.join(VISION_ACTIVATIONS)}")
    heads = int(raw.get("num_attention_heads", default.num_heads))
    if hidden % heads:
        raise ValueError(f"hidden_size {hidden} is no multiple of {heads} heads")
    already_counted = hidden == _SO400M_HIDDEN and counted == _SO400M_LAYERS
    return VisionConfig(
        hidden_size=hidden,
        intermediate_size=int(raw.get("intermediate_size", default.intermediate_size)),
        num_layers=counted if already_counted else counted - 1,
        num_heads=heads,
        image_size=int(raw.get("image_size", default.image_size)),
        patch_size=int(raw.get("patch_size", default.patch_size)),
        layer_norm_eps=float(raw.get("layer_norm_eps", default.layer_norm_eps)),
        hidden_act=activation,
    )


def _language_config(raw: dict[str, Any]) -> LanguageConfig:
    default = LanguageConfig()
    hidden = int(raw.get("hidden_size", default.hidden_size))
    heads = int(raw.get("num_attention_heads", default.num_heads))
    rope = raw.get("rope_parameters") or {}  # where newer configs keep rope_theta
    _check_positive(raw)
    return LanguageConfig(
        hidden_size=hidden,
        intermediate_size=int(raw.get("intermediate_size", default.intermediate_size)),
        num_layers=int(raw.get("num_hidden_layers", default.num_layers)),
        num_heads=heads,
        num_kv_heads=int(raw.get("num_key_value_heads", default.num_kv_heads)),
        head_dim=int(raw.get("head_dim") or hidden // heads),
        vocab_size=int(raw.get("vocab_size", default.vocab_size)),
        rope_theta=float(raw.get("rope_theta") or rope.get("rope_theta") or default.rope_theta),
        rms_norm_eps=float(raw.get("rms_norm_eps", default.rms_norm_eps)),
        tie_word_embeddings=bool(raw.get("tie_word_embeddings", False)),
        max_position_embeddings=int(raw.get("max_position_embeddings", default.max_position_embeddings)),
        qkv_bias=bool(raw.get("qkv_bias", True)),
        head_norms=bool(raw.get("head_norms", False)),
        rope_axes=tuple(raw.get("rope_axes", ())),
    )


def _check_positive(raw: dict[str, Any]) -> None:
    """Raise `ValueError` for a size of the language model that is not positive."""
    for name in _SIZES:
        if raw.get(name) is not None and int(raw[name]) <= 0:
            raise ValueError(f"{name} {raw[name]} is not positive")


def _eos_ids(folder: Path, raw: dict[str, Any]) -> tuple[int, ...]:
    """Collect the stop tokens of config.json and generation_config.json."""
    found: list[int] = []
    sources = [raw]
    if (folder / "generation_config.json").is_file():
        sources.append(read_json(folder / "generation_config.json"))
    for source in sources:
        value = source.get("eos_token_id")
        found += value if isinstance(value, list) else [value] if value is not None else []
    return tuple(dict.fromkeys(int(i) for i in found)) or ModelConfig.eos_ids
