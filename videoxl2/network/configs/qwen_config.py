"""Sizes of Qwen2.5-VL and Qwen3-VL, read from their config.json: flat, as older ones are, or in two halves.

What a file leaves out is what transformers takes for it, which writes only what differs. Loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from videoxl2.network.configs.families import Family
from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR, OwnShape, qwen2_5_pictures, qwen3_pictures

MERGED = 2  # patches in height and in width that become one token
QWEN_TYPES = {"qwen2_5_vl": Family.QWEN2_5_VL, "qwen3_vl": Family.QWEN3_VL}

Colours = tuple[float, float, float]  # red, green, blue, as shares of full light
_Fields = dict[str, Any]
_CLIP_MEAN: Colours = (0.48145466, 0.4578275, 0.40821073)
_CLIP_SPREAD: Colours = (0.26862954, 0.26130258, 0.27577711)
_LANGUAGE: dict[Family, _Fields] = {
    Family.QWEN2_5_VL: {
        "hidden_size": 8192,
        "intermediate_size": 29568,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "vocab_size": 152064,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 32768,
        "rope_theta": 1e6,
        "mrope_section": (16, 24, 24),
    },
    Family.QWEN3_VL: {
        "hidden_size": 4096,
        "intermediate_size": 22016,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "head_dim": 128,
        "vocab_size": 151936,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 128000,
        "rope_theta": 5e5,
        "mrope_section": (24, 20, 20),
    },
}


@dataclass(frozen=True)
class QwenVision:
    """Vision tower of a Qwen-VL model; its tokens stand for two frames and four neighbouring patches each.

    Qwen2.5-VL looks at windows but in its `full_layers`; Qwen3-VL has a learned grid of positions, and what
    its `tapped_layers` see goes to the first layers of the language model, too.
    """

    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    patch_size: int  # pixels
    out_size: int  # width of the language model
    hidden_act: str
    rope_theta: float = 1e4
    window: int = 0  # tokens on a side; 0: no windows
    full_layers: tuple[int, ...] = ()
    tokens_per_second: int = 0
    grid_side: int = 0  # learned positions on a side
    tapped_layers: tuple[int, ...] = ()
    vision_start_id: int = 151652
    vision_end_id: int = 151653
    mean: Colours = (0.5, 0.5, 0.5)  # of pictures, whose colours are normalised by it and their spread
    spread: Colours = (0.5, 0.5, 0.5)

    @property
    def is_gated(self) -> bool:
        """Return whether it is Qwen2.5-VL's: gated, with norms without a mean."""
        return self.window > 0

    @property
    def unit(self) -> int:
        """Return the pixels that both sides of a frame are multiples of."""
        return MERGED * self.patch_size

    def tokens(self, height: int, width: int) -> int:
        """Return the tokens of a pair of frames of so many pixels."""
        return (height // self.unit) * (width // self.unit)


def qwen_vision(raw: _Fields, family: Family) -> QwenVision:
    """Read the tower's half of a config. Raises `ValueError` for what cannot be run."""
    found = dict(raw.get("vision_config") or {})
    _demand(found, "temporal_patch_size", FRAMES_PER_PAIR)
    _demand(found, "spatial_merge_size", MERGED)
    _demand(found, "in_channels", 3)
    is_older = family is Family.QWEN2_5_VL
    patch_size = int(found.get("patch_size", 14 if is_older else 16))
    fields: _Fields = {
        "hidden_size": int(found.get("hidden_size", 3584 if is_older else 1152)),
        "intermediate_size": int(found.get("intermediate_size", 3420 if is_older else 4304)),
        "num_layers": int(found.get("depth", 32 if is_older else 27)),
        "num_heads": int(found.get("num_heads", 16)),
        "patch_size": patch_size,
        "out_size": int(found.get("out_hidden_size", 3584)),
        "hidden_act": str(found.get("hidden_act", "silu" if is_older else "gelu_pytorch_tanh")),
        "rope_theta": float((found.get("rope_parameters") or {}).get("rope_theta", 1e4)),
        "vision_start_id": int(raw.get("vision_start_token_id", 151652)),
        "vision_end_id": int(raw.get("vision_end_token_id", 151653)),
    }
    if is_older:
        return QwenVision(
            **fields,
            mean=_CLIP_MEAN,
            spread=_CLIP_SPREAD,
            window=int(found.get("window_size", 112)) // MERGED // patch_size,
            full_layers=tuple(map(int, found.get("fullatt_block_indexes", (7, 15, 23, 31)))),
            tokens_per_second=int(found.get("tokens_per_second", 4)),
        )
    return QwenVision(
        **fields,
        grid_side=int(int(found.get("num_position_embeddings", 2304)) ** 0.5),
        tapped_layers=tuple(map(int, found.get("deepstack_visual_indexes", (8, 16, 24)))),
    )


def qwen_pictures(family: Family, patch_size: int) -> OwnShape:
    """Return what size pictures of a video are shown in."""
    return (qwen2_5_pictures if family is Family.QWEN2_5_VL else qwen3_pictures)(patch_size)


def qwen_language(raw: _Fields, family: Family) -> _Fields:
    """Return the language model's half of a config as one flat file would say it, with nothing left out.

    Raises `ValueError` for what cannot be run.
    """
    found = {**_LANGUAGE[family], **(raw.get("text_config") or raw)}
    rope = {**(found.get("rope_scaling") or {}), **(found.get("rope_parameters") or {})}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind not in ("default", "mrope"):
        raise ValueError(f"rope_type {kind!r} is none of default, mrope")
    _demand(found, "hidden_act", "silu")
    _demand(found, "attention_bias", False)
    if found.get("use_sliding_window"):
        raise ValueError("use_sliding_window is true; layers that see all are run alone")
    sections = [int(part) for part in rope.get("mrope_section") or found["mrope_section"]]
    half = int(found.get("head_dim") or found["hidden_size"] // found["num_attention_heads"]) // 2
    is_older = family is Family.QWEN2_5_VL
    return {
        **found,
        "rope_theta": rope.get("rope_theta") or found["rope_theta"],
        "rope_parameters": None,
        "tie_word_embeddings": raw.get("tie_word_embeddings") or found.get("tie_word_embeddings", False),
        "qkv_bias": is_older,
        "head_norms": not is_older,
        "rope_axes": _axes_in_blocks(sections, half) if is_older else _axes_in_turn(sections, half),
    }


def _demand(found: _Fields, name: str, wanted: object) -> None:
    value = found.get(name, wanted)
    if (value[0] if isinstance(value, list) else value) != wanted:
        raise ValueError(f"{name} is {value!r}; only {wanted!r} is run")


def _axes_in_blocks(sections: list[int], half: int) -> tuple[int, ...]:
    """Return the axis of each of `half` frequencies where time, row and column have one block each."""
    if sum(sections) != half:
        raise ValueError(f"mrope_section {sections} does not share out {half} frequencies")
    return tuple(number % 3 for number, length in enumerate(sections) for _ in range(length))


def _axes_in_turn(sections: list[int], half: int) -> tuple[int, ...]:
    """Return the axis of each of `half` frequencies where the three take turns, until row and column end."""
    axes = [0] * half
    for axis in (1, 2):
        for place in range(axis, min(half, 3 * sections[axis]), 3):
            axes[place] = axis
    return tuple(axes)
