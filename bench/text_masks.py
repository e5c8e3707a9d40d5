"""Masks of free text: our table of tokens beside llguidance's matcher, per token, over the same texts.

    python bench/text_masks.py --fetch          # or --tokenizer tokenizer.json of Qwen2.5

Both say for each token of each text which tokens may stand next: of at most so many characters, no control
character, ended by a line break. llguidance gets a regular expression, its slices for JSON or slices of the
texts' own characters. CPU time of one thread. Mask and step; a matcher or state for each text is part of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from formats import QWEN_VOCABULARY, SCENES, add_tokenizer, real_tokenizer, table_of
from llguidance import LLMatcher, LLTokenizer

from videoxl2.constrained.masks import TextState, TokenTable
from videoxl2.constrained.slots import Text
from videoxl2.random_checkpoint import build_tokenizer

MAX_CHARS = 300
LEGAL = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
SLICES = [f"{LEGAL}{{1,10}}", f"{LEGAL}{{1,30}}", f"{LEGAL}+"]


def ours(table: TokenTable, texts: Sequence[Sequence[int]]) -> int:
    """The number of masks made."""
    slot = Text(200, MAX_CHARS, ("\n",), "")
    for ids in texts:
        state = TextState()
        for token in ids:
            assert table.legal_V(slot, state)[token]
            table.advance(state, token)
    return sum(map(len, texts))


def guided(guide: LLTokenizer, vocab_size: int, texts: Sequence[Sequence[int]]) -> int:
    """The number of masks made, each as the flags that the logits need."""
    grammar = LLMatcher.grammar_from_regex(f" {LEGAL}{{1,{MAX_CHARS}}}\\n")
    for ids in texts:
        matcher = LLMatcher(guide, grammar, log_level=0)
        for token in ids:
            bits = np.frombuffer(matcher.compute_bitmask(), np.uint8)
            legal_V = np.unpackbits(bits, count=vocab_size, bitorder="little").view(np.bool_)
            assert torch.from_numpy(legal_V)[token]
            assert matcher.consume_token(token)
    return sum(map(len, texts))


def per_token_us(work: Callable[[], int], repeats: int) -> float:
    work()
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        num_masks = work()
        best = min(best, (time.process_time() - started) / num_masks * 1e6)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_tokenizer(parser)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = real_tokenizer(args) or build_tokenizer()
    started = time.process_time()
    table = table_of(tokenizer, QWEN_VOCABULARY)
    table_s = time.process_time() - started
    texts = [table.encode([f" {part}"])[0] for scene in SCENES for part in scene[:3]]
    rows = {
        f"table of tokens (made in {table_s:.1f} s)": per_token_us(lambda: ours(table, texts), args.repeats)
    }
    for name, slices in (("slices of JSON", LLTokenizer.json_slices()), ("slices of the text", SLICES)):
        started = time.process_time()
        guide = LLTokenizer(tokenizer.to_str(), QWEN_VOCABULARY, table.stop_id, slices)
        made_s = time.process_time() - started
        us = per_token_us(lambda guide=guide: guided(guide, QWEN_VOCABULARY, texts), args.repeats)  # type: ignore[misc]
        rows[f"llguidance, {name} (made in {made_s:.1f} s)"] = us
    best = next(iter(rows.values()))
    for name, us in rows.items():
        print(f"| {name} | {us:.0f} | {us / best:.1f}x |")


if __name__ == "__main__":
    main()
