"""How likely an answer is without the video: what it owes to the pictures is the difference.

Shapes: T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from videoxl2.generate.decoding.decode import Continuation
from videoxl2.generate.decoding.finite import finite
from videoxl2.generate.models.video_model import VideoModel
from videoxl2.network.language.cache import KVCache

PASS_TOKENS = 256  # logits of a pass take this many times the vocabulary


@torch.inference_mode()
def blind_logprobs(model: VideoModel, prompt_ids: Sequence[int], answer_ids: Sequence[int]) -> list[float]:
    """Return the natural log-probability of each of the answer's tokens, given those before it.

    It is read behind system prompt and question, as if there were no video between them. Raises
    `NonFiniteError`.
    """
    language = model.network.language
    question_ids = [*model.vocabulary.prefix_ids(), *prompt_ids]
    cache = KVCache(language.cache_shape, model.device, capacity=len(question_ids) + len(answer_ids))
    continuation = Continuation(language, cache)
    logprobs: list[float] = []
    told_ids = question_ids
    for first in range(0, len(answer_ids), PASS_TOKENS):
        ids = list(answer_ids[first : first + PASS_TOKENS])
        logits_TV = finite(continuation.push_all([*told_ids, *ids[:-1]], last=len(ids)))
        wanted_T = torch.tensor(ids, device=logits_TV.device)[:, None]
        chosen_T = logits_TV.gather(-1, wanted_T)[:, 0].double()
        logprobs += (chosen_T - logits_TV.logsumexp(-1).double()).tolist()
        told_ids = ids[-1:]
    return logprobs
