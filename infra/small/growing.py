"""A network that goes on from a narrower checkpoint: it says at first what that said."""

from __future__ import annotations

from pathlib import Path

import torch
from figure_columns import FIRST_COLUMN, WIDTH
from figure_wiring import wire_figure_heads, wire_figures
from tokenizers import Tokenizer
from torch import Tensor
from wiring import wire_comparisons

from videoxl2.network.checkpoint import load_network
from videoxl2.network.configs.config_file import read_config
from videoxl2.network.network import Network
from videoxl2.network.spread import Spread

# Where what is new neither reads nor writes yet.
_WRITES = ("o_proj.weight", "down_proj.weight", "embed_tokens.weight", "lm_head.weight")
_READS = ("q_proj.weight", "k_proj.weight", "v_proj.weight", "gate_proj.weight", "up_proj.weight")
_PROJECTOR = ("projector.0.bias", "projector.2.weight", "projector.2.bias")


def load_narrow(folder: Path) -> Network:
    """A checkpoint of the first `FIRST_COLUMN` columns, in float32.

    Raises `ValueError` where it is of another width, and `CheckpointError`.
    """
    return _load(folder, FIRST_COLUMN)


def load_wide(folder: Path) -> Network:
    """A checkpoint of all columns, in float32. Raises `ValueError` and `CheckpointError` likewise."""
    return _load(folder, WIDTH)


def width_of(folder: Path) -> int:
    """Return how many columns a checkpoint has. Raises `CheckpointError`."""
    return read_config(folder).language.hidden_size


@torch.no_grad()
def wire_anew(network: Network) -> None:
    """Set the heads of the first two layers, which have not learned since they were set."""
    wire_comparisons(network)
    wire_figure_heads(network)


@torch.no_grad()
def take_over(network: Network, narrow: Network, tokenizer: Tokenizer) -> None:
    """Put a narrow network's weights into a fresh one, and set anew what is wired in the rest of it."""
    had = dict(narrow.named_parameters())
    for name, parameter in network.named_parameters():
        _put(name, parameter, had[name])
    wire_comparisons(network)
    wire_figures(network, tokenizer)


def _load(folder: Path, width: int) -> Network:
    config = read_config(folder)
    if config.language.hidden_size != width:
        raise ValueError(f"{folder} is {config.language.hidden_size} wide and not {width}")
    spread = Spread.over(config, [torch.device("cpu")])
    network = load_network(folder, config, spread, torch.float32)
    assert isinstance(network, Network)
    return network


def _put(name: str, parameter: Tensor, had: Tensor) -> None:
    """The first rows and columns are what they were; the others read and write nothing, or stay as drawn."""
    if name.endswith((*_WRITES, *_PROJECTOR)):
        parameter.zero_()
    elif name.endswith(_READS) and name.startswith("language"):
        parameter[: had.shape[0]] = 0
    is_norm = name.startswith("language") and "norm" in name  # means are over more columns now
    factor = (FIRST_COLUMN / parameter.shape[0]) ** 0.5 if is_norm else 1.0
    parameter[tuple(slice(0, size) for size in had.shape)] = factor * had
