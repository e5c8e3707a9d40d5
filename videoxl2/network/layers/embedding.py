"""Embeddings whose weights are read from a checkpoint."""

import torch
from torch import nn


def undrawn_embedding(num_rows: int, width: int) -> nn.Embedding:
    """Build an embedding without drawing its weights, which are read later.

    `nn.Embedding` draws them; without storage, as networks are built here, torch imports its compiler
    for that, which takes as long as importing torch.
    """
    undrawn: nn.Embedding = nn.Embedding.from_pretrained(torch.empty(num_rows, width), freeze=False)
    return undrawn
