"""CPU of a decode step beside transformers' `generate`, on the same weights, behind as many video tokens.

    python bench/decode_beside.py [--steps 32] [--repeats 5] [--families LLaVA-Video,Qwen3-VL]

The decoders have the sizes of *medium* in `model_cpu.py`; the video is noise where its tokens would be
(`inputs_embeds` for transformers), of as many tokens as a usual video of the family, and prefilled once for
each. Both answer greedily, and their tokens are checked to be the same. A step is what N + 1 tokens take
beyond what one takes, by N, in CPU seconds of this process with one thread; ours and theirs take turns, and
the least of each counts. With eight rows theirs reads the video once for each. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from model_cpu import medium_config
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.decode import greedy_rows
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.generate.kv.prefix import WholePrefix
from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.random_checkpoint import random_network

VOCABULARY = 1024
PROMPT = [5, 6, 7, 8, 9, 10, 11, 12]
# Of a usual video: 256 frames of Video-XL-2, 128 of Video-XL-Pro, 64 of LLaVA-Video and of the Qwens.
VIDEO_TOKENS = {
    Family.VIDEO_XL_2: 64 * 154,
    Family.VIDEO_XL_PRO: 32 * 154,
    Family.LLAVA_VIDEO: 64 * 210,
    Family.QWEN2_5_VL: 32 * 300,
    Family.QWEN3_VL: 32 * 240,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--families", default=",".join(VIDEO_TOKENS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"float32, one thread, load {os.getloadavg()[0]:.0f}, torch {torch.__version__}\n")
    print("| model | decoder | video tokens | rows | ours ms a step | transformers ms | ours / theirs |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for family in map(Family, given.families.split(",")):
        ours, theirs = decoders(family is Family.QWEN3_VL)
        for num_rows in (1,) if family is Family.VIDEO_XL_PRO else (1, 8):  # its prompts share no keys
            numbers = compared(ours, theirs, VIDEO_TOKENS[family], num_rows, given.steps, given.repeats)
            mine, other = (1000 * seconds for seconds in numbers)
            name = type(theirs).__name__.removesuffix("ForCausalLM")
            what = f"| {family} | {name} | {VIDEO_TOKENS[family]:,} | {num_rows} "
            print(f"{what}| {mine:.2f} | {other:.2f} | {mine / other:.2f} |", flush=True)


def decoders(is_qwen3: bool) -> tuple[LanguageModel, Any]:
    """Return our decoder and transformers' with the same random weights."""
    sizes = replace(medium_config(VOCABULARY).language, qkv_bias=not is_qwen3, head_norms=is_qwen3)
    ours = random_network(replace(medium_config(VOCABULARY), language=sizes), seed=0).language
    kind: Any = Qwen3ForCausalLM if is_qwen3 else Qwen2ForCausalLM
    theirs = kind(their_config(sizes, is_qwen3)).eval()
    named = {
        name if name.startswith("lm_head") else f"model.{name}": x for name, x in ours.named_parameters()
    }
    theirs.load_state_dict(named)
    ours.join_weights()
    return ours, theirs


def their_config(sizes: LanguageConfig, is_qwen3: bool) -> Any:
    kind: Any = Qwen3Config if is_qwen3 else Qwen2Config
    return kind(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        intermediate_size=sizes.intermediate_size,
        num_hidden_layers=sizes.num_layers,
        num_attention_heads=sizes.num_heads,
        num_key_value_heads=sizes.num_kv_heads,
        head_dim=sizes.head_dim,
        rms_norm_eps=sizes.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": sizes.rope_theta},
        max_position_embeddings=sizes.max_position_embeddings,
        tie_word_embeddings=False,
        attn_implementation="sdpa",
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )


@torch.inference_mode()
def compared(
    ours: LanguageModel, theirs: Any, video_tokens: int, num_rows: int, steps: int, repeats: int
) -> tuple[float, float]:
    """Return CPU seconds of a step, ours and theirs."""
    generator = torch.Generator().manual_seed(0)
    video_TD = torch.randn(video_tokens, ours.config.hidden_size, generator=generator) * 0.5
    cache = KVCache(ours.cache_shape, torch.device("cpu"), capacity=video_tokens)
    for chunk_TD in video_TD.split(616):
        ours.extend(chunk_TD, cache, keys_only=True)

    def mine(num_tokens: int) -> list[int]:
        room = len(PROMPT) + num_tokens
        one = OneRow(ours, cache, room=room) if num_rows == 1 else None
        with one or Rows(ours, WholePrefix(cache), cache.shape, num_rows, room=room) as rows:
            answers = greedy_rows(rows, [PROMPT] * num_rows, [num_tokens] * num_rows, frozenset())
        return list(answers[0].token_ids)

    seen = theirs(inputs_embeds=video_TD[None], use_cache=True, logits_to_keep=1).past_key_values
    seen.batch_repeat_interleave(num_rows)
    ids_RT = torch.tensor([[0] * video_tokens + PROMPT] * num_rows)  # what is seen is not looked at again

    def their(num_tokens: int) -> list[int]:
        how = {"max_new_tokens": num_tokens, "min_new_tokens": num_tokens, "do_sample": False}
        found: Tensor = theirs.generate(
            ids_RT, past_key_values=seen, attention_mask=torch.ones_like(ids_RT), **how
        )
        seen.crop(video_tokens - seen.get_seq_length())  # so many less
        return found[0, ids_RT.shape[1] :].tolist()

    assert mine(steps + 1) == their(steps + 1), "the same tokens"
    ours_s, theirs_s = zip(
        *((step_s(mine, steps), step_s(their, steps)) for _ in range(repeats)), strict=True
    )
    return min(ours_s), min(theirs_s)


def step_s(answer: Callable[[int], object], steps: int) -> float:
    """Return what a token more takes."""
    return (cpu_s(answer, steps + 1) - cpu_s(answer, 1)) / steps


def cpu_s(answer: Callable[[int], object], num_tokens: int) -> float:
    started = time.process_time()
    answer(num_tokens)
    return time.process_time() - started


if __name__ == "__main__":
    main()
