"""What constrained answers cost per token; part of `slots.py`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import torch
from formats import SCENES, forced, records, scenes_context, table_of
from prompts import full_size_layers
from tokenizers import Tokenizer

from jobs.prompts.answer_text import write_records
from jobs.prompts.program.programs import program_for
from schemas.answers import SceneAnswer, SummaryAnswer
from videoxl2.constrained.fill import Ask
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.picking import pick
from videoxl2.constrained.slots import Json, Literal, Program
from videoxl2.generate.decoding.decode import Continuation

CARS = {
    "type": "array",
    "maxItems": 6,
    "items": {
        "type": "object",
        "properties": {
            "plate": {"type": "string", "maxLength": 12},
            "colour": {"enum": ["red", "blue", "größe 👩‍🚀"]},
            "speed": {"type": "integer", "minimum": 0, "maximum": 300},
            "damage": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {
                            "side": {"enum": ["front", "back"]},
                            "note": {"type": "string", "maxLength": 60},
                        },
                        "required": ["side", "note"],
                        "additionalProperties": False,
                    },
                    {"type": "null"},
                ]
            },
        },
        "required": ["plate", "colour", "speed", "damage"],
        "additionalProperties": False,
    },
}


def timed(action: Callable[[], object], repeats: int, device: str) -> float:
    """Microseconds; wall time on a GPU, CPU time else."""
    action()
    clock = time.perf_counter if device != "cpu" else time.process_time
    if device != "cpu":
        torch.cuda.synchronize()
    started = clock()
    for _ in range(repeats):
        action()
    if device != "cpu":
        torch.cuda.synchronize()
    return (clock() - started) / repeats * 1e6


def cost_table(tokenizer: Tokenizer, vocab_size: int, device: str, step: bool) -> None:
    started = time.process_time()
    table = table_of(tokenizer, vocab_size, device)
    build_s = time.process_time() - started
    program = program_for(SceneAnswer, scenes_context(), table.count)
    whole = table.encode([write_records(records())])[0]
    asked = list(forced(program.slots(), table, whole))
    host_us = timed(lambda: list(forced(program.slots(), table, whole)), 20, device) / len(whole)
    text = table.encode([f"Summary: {' '.join(summary for _, summary, _, _ in SCENES)}"])[0][:100]
    summary = program_for(SummaryAnswer, scenes_context(), table.count)
    text_us = timed(lambda: list(forced(summary.slots(), table, text)), 50, device) / len(text)
    texts = [ask for ask in asked if isinstance(ask.allowed, torch.Tensor)]
    choices = [ask for ask in asked if not isinstance(ask.allowed, torch.Tensor)]
    json_us, json_ask = json_cost(table, device)
    logits_BV = torch.randn(8, vocab_size, device=device)
    generators = [torch.Generator(device)] * 8
    lines = {
        "host work per token of a text (choosing the mask, ends, loop guard)": text_us,
        "host work per token of seven scenes (also times and names to choose from)": host_us,
        "host work per token of a JSON value (the same, by llguidance)": json_us,
        "pick in a JSON value, 1 row": timed(
            lambda: pick(logits_BV[:1], [json_ask], generators[:1]), 200, device
        ),
        "greedy pick without a mask, 1 row": timed(lambda: logits_BV[:1].argmax(-1).tolist(), 200, device),
        "pick in a text, 1 row": timed(lambda: pick(logits_BV[:1], texts[5:6], generators[:1]), 200, device),
        "pick in a choice, 1 row": timed(
            lambda: pick(logits_BV[:1], choices[:1], generators[:1]), 200, device
        ),
        "pick in texts, 8 rows": timed(lambda: pick(logits_BV, texts[:8], generators), 100, device),
    }
    print(f"| at vocabulary {vocab_size:,} on {device} | µs |")
    print("|---|---|")
    for name, micros in lines.items():
        print(f"| {name} | {micros:.0f} |")
    print(f"\nTable built in {build_s:.1f} s, once per process.")
    print(f"Against a decode step of 10 ms (calculated): text {text_us / 1e4:.2%}, JSON {json_us / 1e4:.2%}.")
    if step:
        step_us = decode_step_us()
        print(
            f"A decode step on this CPU, 28 layers as 14 times two, no vocabulary: {step_us / 1e6:.2f} s; ",
            end="",
        )
        print(f"of that text {text_us / step_us:.4%}, JSON {json_us / step_us:.4%}.")
    print()


def json_cost(table: TokenTable, device: str) -> tuple[float, Ask]:
    """Microseconds per token of a value written without a cut, and one question inside a string."""
    damages = (None, {"side": "front", "note": SCENES[0][1][:60]}, {"side": "back", "note": "a scratch"})
    cars = [
        {"plate": f"AB 12{n}", "colour": "red", "speed": 40 + n, "damage": damage}
        for n, damage in enumerate(damages)
    ]
    whole = table.encode([f"Cars: {json.dumps(cars, separators=(',', ':'))}\n"])[0]

    def program() -> Program[object]:
        yield Literal("Cars:")
        return (yield Json(json.dumps(CARS), max_tokens=400))

    asked = list(forced(program(), table, whole))
    in_string = max(
        asked, key=lambda ask: int(ask.allowed.sum()) if isinstance(ask.allowed, torch.Tensor) else 0
    )
    return timed(lambda: list(forced(program(), table, whole)), 20, device) / len(whole), in_string


def decode_step_us() -> float:
    """CPU time of one token through 28 layers behind 16,384 tokens, from two of them."""
    language, cache = full_size_layers()
    with Continuation(language, cache) as continuation:
        continuation.push([7])
        return 14 * timed(lambda: continuation.push([7]), 5, "cpu")
