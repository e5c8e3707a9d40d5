"""A checkpoint with random weights and a single layer, where what is made of answers is under test."""

from dataclasses import replace
from pathlib import Path

from videoxl2.network.configs.families import Family
from videoxl2.random_checkpoint import build_tokenizer, small_config, write_random_checkpoint


def write_tiny_checkpoint(folder: Path, seed: int = 0, family: str = Family.VIDEO_XL_2) -> Path:
    """As `write_random_checkpoint`, at half the CPU time a token; of a family that is no Qwen-VL."""
    config = small_config(0, build_tokenizer().get_vocab_size())
    language = replace(config.language, num_layers=1)
    vision = replace(config.vision, num_layers=1)
    return write_random_checkpoint(folder, seed, replace(config, language=language, vision=vision), family)
