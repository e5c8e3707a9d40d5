"""In how many bits the weights of the language model's layers are kept. Loads no torch.

16 leaves them in the numbers that the model runs in. Fewer are made by bitsandbytes, when they are loaded: in
8 bits each row has a scale, in 4 bits (NF4) each block of 64 weights has one. All else stays as it is.
"""

from __future__ import annotations

from importlib.util import find_spec

from videoxl2.errors import CheckpointError
from videoxl2.network.configs.config import LanguageConfig, ModelConfig

BITS = (16, 8, 4)
FULL_BITS = BITS[0]
BLOCK = 64  # weights that share a scale in 4 bits
SCALE_BYTES = 4
QUANTISER = "bitsandbytes"  # the library
_INSTALL = (
    "Install the extra: pip install 'media-index[quantized]', or pip install '.[quantized]' in its folder."
)


class QuantiserMissingError(CheckpointError):
    """The library that quantises weights is not on this machine."""


def check_library() -> None:
    """Raise `QuantiserMissingError` where weights cannot be quantised. Loads nothing."""
    if find_spec(QUANTISER) is None:
        raise QuantiserMissingError(f"weights of 8 or 4 bits need {QUANTISER}, not installed here", _INSTALL)


def quantised(config: ModelConfig, weight_bits: int) -> ModelConfig:
    """Return the config of the same model with layers in so many bits.

    Raises `QuantiserMissingError`, and `CheckpointError` where no layer can be quantised so.
    """
    if weight_bits == FULL_BITS:
        return config
    if weight_bits not in BITS:
        raise CheckpointError(f"weights of {weight_bits} bits are not supported", "Use 16, 8 or 4.")
    check_library()
    if weight_bits == 4 and any(rows * width % BLOCK for rows, width in linear_sizes(config.language)):
        raise CheckpointError(f"the layers do not divide into blocks of {BLOCK} weights", "Use 8 bits.")
    return config.with_weight_bits(weight_bits)


def linear_sizes(d: LanguageConfig) -> tuple[tuple[int, int], ...]:
    """Return outputs and inputs of a layer's linear layers, attention's first, in the order of their use."""
    queries, keys, inner = d.num_heads * d.head_dim, d.num_kv_heads * d.head_dim, d.intermediate_size
    width = d.hidden_size
    attention = (queries, width), (keys, width), (keys, width), (width, queries)
    return *attention, (inner, width), (inner, width), (width, inner)
