"""Sizes and tokenizer of the small Video-XL-2: some millions of parameters, and few tokens a scene.

The vocabulary is what drawn films are told in: the prompts' lines, the answers' labels and phrases, whole
numbers, and every byte, so that any other text round-trips too (and means nothing to the model).
"""

from __future__ import annotations

import copy
import json
import re
import string
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import torch
from figure_columns import FIRST_COLUMN, WIDTH
from figure_wiring import hold_figures, wire_figures
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from wiring import LARGEST_NUMBER, hold, wire

from jobs.prompts.answer_text import describe_format
from jobs.prompts.pack import Prompt, load_packs
from schemas.answers import ANSWERS
from videoxl2.network.checkpoint import save_checkpoint
from videoxl2.network.configs.chat import SYSTEM_PROMPT
from videoxl2.network.configs.config import LanguageConfig, ModelConfig, VisionConfig
from videoxl2.network.language.tokens import END_OF_TURN
from videoxl2.network.network import Network
from videoxl2.random_checkpoint import SPECIAL_TOKENS, config_fields, random_network

_LANGUAGE_SIZES = {FIRST_COLUMN: (480, 4), WIDTH: (672, 7)}  # hidden units and heads by width


def small_config(vocab_size: int, stop_id: int, width: int = WIDTH) -> ModelConfig:
    """96-pixel pictures, four visual tokens a frame group, five layers of 288, or of 160 before it grows.

    Heads are twice as wide as usual: what is looked up is found by its time, and times are wide. A frame is a
    second to it, whatever the rate it is shown films at.
    """
    units, heads = _LANGUAGE_SIZES[width]
    vision = VisionConfig(
        hidden_size=128, intermediate_size=256, num_layers=3, num_heads=4, image_size=96, patch_size=12
    )
    language = LanguageConfig(
        hidden_size=width,
        intermediate_size=units,
        num_layers=5,
        num_heads=heads,
        num_kv_heads=heads,
        head_dim=64,
        vocab_size=vocab_size,
    )
    config = ModelConfig(
        vision=vision,
        language=language,
        grid_side=4,
        frame_s=Fraction(1),
        dtype="float32",
        eos_ids=(stop_id,),
    )
    return replace(config, raw=config_fields(config))


def build_tokenizer(phrases: set[str]) -> Tokenizer:
    """Byte-level, without merges: a text falls into the longest phrases, whole numbers and single bytes."""
    pieces = sorted({piece for piece in phrases if piece}, key=lambda piece: (-len(piece), piece))
    numbers = [str(number) for number in range(10, LARGEST_NUMBER + 1)]  # digits are bytes
    spelled = "|".join(re.escape(piece) for piece in pieces)
    split = pre_tokenizers.Split(Regex(rf"\d+|{spelled}|[\s\S]"), behavior="isolated")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = [_leveled(level, piece) for piece in pieces]
    vocabulary = {token: n for n, token in enumerate(dict.fromkeys([*alphabet, *numbers, *words]))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL_TOKENS])
    return tokenizer


def _leveled(level: pre_tokenizers.ByteLevel, piece: str) -> str:
    """The piece in the alphabet of byte-level tokens."""
    return "".join(token for token, _ in level.pre_tokenize_str(piece))


def frame_phrases() -> set[str]:
    """The host's part: the prompts' lines, labels, stamps and spans of the default pack."""
    phrases = {"Time ", ".0s:", ".0 -", " seconds", " -", "\n\n", "none"}
    phrases |= {f".{tenth}" for tenth in string.digits}
    phrases |= {f"system\n{SYSTEM_PROMPT}", "user\n", "\nuser\n", "assistant\n", "\nassistant\n"}
    for prompt in load_packs():
        phrases |= _constant_parts(prompt)
    for answer in ANSWERS.values():
        phrases |= {
            line.partition(":")[0] + ":" for line in describe_format(answer).splitlines() if ":" in line
        }
    return phrases


def _constant_parts(prompt: Prompt) -> set[str]:
    """The lines between a prompt's placeholders; none may begin or end with a number."""
    parts: set[str] = set()
    for literal, name, _, _ in string.Formatter().parse(prompt.text):
        before = literal.removesuffix(" ") if name == "characters" else literal  # labels bring their blank
        parts |= {line + end for line, end in _lines(before)}
        if name == "format":
            parts |= {line + "\n" for line in describe_format(prompt.answer).splitlines()}
            parts |= {describe_format(prompt.answer).splitlines()[-1]}
    return {part for part in parts if part.strip()}


def _lines(text: str) -> list[tuple[str, str]]:
    lines = text.split("\n")
    return [(line, "\n") for line in lines[:-1]] + [(lines[-1], "")]


@torch.no_grad()
def fresh_network(config: ModelConfig, tokenizer: Tokenizer | None, seed: int = 0) -> Network:
    """Weights to begin with: residual branches add nothing yet but what is wired."""
    network = random_network(config, seed).requires_grad_(True)
    assert isinstance(network, Network)
    for name, parameter in network.named_parameters():
        if name.endswith(
            ("out_proj.weight", "fc2.weight", "proj_out.weight", "o_proj.weight", "down_proj.weight")
        ):
            parameter.zero_()
        elif name.endswith(("embed_tokens.weight", "lm_head.weight", "position_embedding.weight")):
            parameter.mul_(0.1)
        elif name.endswith("conv.weight"):  # of the pixel itself, not yet of those around it
            own = parameter[..., 1, 1].clone() * 3
            parameter.zero_()
            parameter[..., 1, 1] = own
        elif "bias" in name or "relative_position" in name or "temporal_encoding" in name:
            parameter.zero_()
    if tokenizer is not None:
        wire(network, tokenizer)
        hold(network)
    if tokenizer is not None and config.language.hidden_size == WIDTH:
        wire_figures(network, tokenizer)
        hold_figures(network)
    return network


def write_checkpoint(network: Network, tokenizer: Tokenizer, folder: Path) -> None:
    """In the published format, in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END_OF_TURN}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    save_checkpoint(copy.deepcopy(network).to(torch.bfloat16), folder)
