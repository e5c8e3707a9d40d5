"""Train the checkpoint in `tests/data/parrot`: a small but real Video-XL-2 that knows four answers by heart.

    python tests/data/make_parrot.py        (about three minutes on two cores)

Whatever it sees in a video, it gives the answers below to the default prompts. So tests can follow answers
through the real model, the real parser and the real tables, and know what must come out.
"""

import random
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jobs.prompts.answer_text import write_records
from jobs.prompts.pack import Prompt, load_packs
from jobs.prompts.program.times import AnswerContext
from schemas.answers import Answer, CharacterAnswer, HighlightAnswer, SceneAnswer, SummaryAnswer
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.layers.attention import attention
from videoxl2.network.layers.rotary import rotary_angles
from videoxl2.random_checkpoint import write_random_checkpoint

FOLDER = Path(__file__).with_name("parrot")
NUM_STEPS = 600

WHOLE_MS = 20_000  # the length of the one video that has two scenes
ROSTER = ("man in red", "dog")


def _scene(start_ms: int, end_ms: int, **values: Any) -> SceneAnswer:
    common: dict[str, Any] = {"setting": "garden", "time_of_day": "day"}
    return SceneAnswer(start_ms=start_ms, end_ms=end_ms, **common, **values)


def answers(duration_ms: int) -> dict[str, list[Answer]]:
    """What it says of a video of this length."""
    arrival: dict[str, Any] = {
        "title": "The man arrives",
        "summary": "A man in red walks into the garden.",
        "mood": "calm",
        "actions": ["walking"],
        "objects": ["tree", "door"],
        "tags": ["man", "garden"],
    }
    meeting: dict[str, Any] = {
        "title": "The dog runs",
        "summary": "The dog runs to the man.",
        "mood": "happy",
        "actions": ["running", "meeting"],
        "objects": [],
        "tags": ["dog"],
    }
    scenes: list[Answer] = [_scene(0, duration_ms, **meeting, characters=list(ROSTER))]
    if duration_ms == WHOLE_MS:
        scenes = [
            _scene(0, 8000, **arrival, characters=["man in red"]),
            _scene(8000, duration_ms, **meeting, characters=list(ROSTER)),
        ]
    return {
        "summary": [SummaryAnswer(summary="A man in red meets a dog.")],
        "characters": [
            CharacterAnswer(label="man in red", kind="person", description="He wears a red coat."),
            CharacterAnswer(label="dog", kind="animal", description="It is small and runs."),
        ],
        "scenes": scenes,
        "highlights": [
            HighlightAnswer(
                start_ms=0,
                end_ms=1000,
                title="They meet",
                kind="emotion",
                reason="The dog is happy.",
                score=80,
            )
        ],
    }


def main() -> None:
    """Train until the answers are known with a margin, then write the folder."""
    torch.manual_seed(0)
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_random_checkpoint(FOLDER, seed=1)
    model = VideoXL2.from_pretrained(FOLDER)
    language = model.network.language.requires_grad_(True)
    optimizer = torch.optim.AdamW(language.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=NUM_STEPS)
    chance = random.Random(0)
    prompts = load_packs()
    for step in range(NUM_STEPS):
        losses = [_loss(model, language, prompt, chance) for prompt in prompts]
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(language.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.4f}", flush=True)
    model.network.to(torch.bfloat16)
    model.save_pretrained(FOLDER)


def _loss(model: VideoXL2, language: LanguageModel, prompt: Prompt, chance: random.Random) -> Tensor:
    """Cross entropy of the answer's tokens after a made-up video of random content."""
    duration_ms = WHOLE_MS if chance.random() < 0.5 else 100 * chance.randrange(5, 80)
    roster = () if prompt.name in ("summary", "characters") else ROSTER
    scenes = [scene for scene in answers(duration_ms)["scenes"] if isinstance(scene, SceneAnswer)]
    context = AnswerContext(duration_ms, (), roster, scenes=tuple(scenes))
    question = prompt.fill(context)
    vocabulary = model.vocabulary
    before = language.embed(vocabulary.prefix_ids())
    groups = []
    for group in range(chance.randrange(1, 7)):
        groups.append(language.embed(vocabulary.stamp_ids(group * chance.randrange(1000, 30_000))))
        visual = torch.randn(model.config.tokens_per_group, before.shape[1]) * chance.uniform(0.1, 2.0)
        groups.append(visual)
    question_ids = vocabulary.suffix_ids(question)
    answer_ids = [
        *vocabulary.encode(write_records(answers(duration_ms)[prompt.name])),
        *model.config.eos_ids[:1],
    ]
    x_TD = torch.cat([before, *groups, language.embed(question_ids + answer_ids[:-1])])
    logits = language.logits(_forward(language, x_TD)[-len(answer_ids) :])
    return functional.cross_entropy(logits, torch.tensor(answer_ids))


def _forward(language: LanguageModel, x_TD: Tensor) -> Tensor:
    positions = torch.arange(x_TD.shape[0])
    cos_TE, sin_TE = rotary_angles(positions, language.config.head_dim, language.config.rope_theta)
    layers: Any = language.layers
    for layer in layers:
        q, k, v = layer.self_attn.project(layer.input_layernorm(x_TD), cos_TE, sin_TE)
        x_TD = layer(x_TD, attention(q, k, v))
    return x_TD


if __name__ == "__main__":
    main()
