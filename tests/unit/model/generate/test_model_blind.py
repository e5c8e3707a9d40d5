"""How likely an answer is without the video."""

import torch

from videoxl2 import VideoXL2
from videoxl2.generate.blind import blind_logprobs
from videoxl2.generate.decoding.decode import Continuation
from videoxl2.network.language.cache import KVCache


def test_it_is_what_the_model_says_step_by_step(small_model: VideoXL2) -> None:
    """One pass over the answer equals pushing its tokens one at a time behind prefix and question alone."""
    question = small_model.vocabulary.suffix_ids("What happens?")
    answer = small_model.vocabulary.encode("A man walks through the garden, slowly. " * 20)
    assert len(answer) > 256, "more than one pass"
    read = blind_logprobs(small_model, question, answer)
    language, prefix = small_model.network.language, small_model.vocabulary.prefix_ids()
    stepped = []
    with (
        torch.inference_mode(),
        Continuation(language, KVCache(language.cache_shape, small_model.device)) as c,
    ):
        logits_V = c.push([*prefix, *question])
        for token in answer:
            stepped.append(logits_V.log_softmax(-1)[token].item())
            logits_V = c.push([token])
    torch.testing.assert_close(torch.tensor(read), torch.tensor(stepped), atol=1e-4, rtol=0)


def test_an_empty_answer_has_no_tokens(small_model: VideoXL2) -> None:
    """And so no probabilities."""
    assert blind_logprobs(small_model, small_model.vocabulary.suffix_ids("Who?"), []) == []
