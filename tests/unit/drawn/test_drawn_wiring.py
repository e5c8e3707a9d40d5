"""Wiring: before it has learned anything, the language model finds the pictures of a time."""

import random
import re

import pytest
import torch
from answers_stage import Code, run_batch
from lessons import Lessons, imagine
from recipe import small_network
from wiring import HEARD, number_features

from jobs.prompts.pack import load_packs
from videoxl2.constrained.masks import TokenTable
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.language.tokens import Vocabulary


@pytest.fixture
def wired():
    """Network, perfect eyes, lessons and their tokens, as training begins."""
    torch.manual_seed(0)
    network, tokenizer = small_network()
    table = TokenTable(tokenizer, network.config.language.vocab_size, network.config.eos_ids[0], "cpu")
    lessons = Lessons(Vocabulary(tokenizer), table, load_packs()).of_lookups("titles")
    return network, Code(network.config), lessons, table


def test_a_title_is_looked_up_in_the_pictures_before_its_end(wired):
    """Behind "13.0 - 22.0 seconds, Title:", a head of the second layer looks back 5.5 s from the last number:
    most of what it sees are groups that begin 4 to 8 s before 22 s, all of which the scene has begun by."""
    network, code, lessons, table = wired
    film = next(f for f in (imagine("train", n) for n in range(50)) if len(f.film.scenes) >= 4)
    taught = lessons.of(film, random.Random(0))
    groups, end = groups_of(taught)
    scores = scores_of(network, code, taught, layer=1)[0]
    [lesson] = taught.lessons
    titles = [p for p, s in zip(lesson.decided, lesson.slots, strict=True) if s == "lookups.title"][::3]
    ends = [float(found) for found in re.findall(r"- ([\d.]+) seconds", table.decode(list(lesson.ids)))]
    assert len(ends) == len(film.film.scenes)
    for place, end_s in zip(titles, ends, strict=True):
        weights = scores[end + place - 1, : end + place].softmax(0)
        inside = [p for p, group in groups.items() if end_s - 8 <= 4 * group <= end_s - 4]
        assert weights[inside].sum() > 0.75


def groups_of(taught):
    """The group of each visual token by its place, and where the video ends."""
    groups: dict[int, int] = {}
    place = len(taught.prefix)
    for number, stamp in enumerate(taught.stamps):
        place += len(stamp)
        groups |= dict.fromkeys(range(place, place + 4), number)
        place += 4
    return groups, place


def scores_of(network, code, taught, layer):
    """What a layer's heads compare, `[H, T, T]`, before anything is masked."""
    seen = []
    attention = network.language.layers[layer].self_attn
    project = attention.project

    def keep(*arguments):
        q, k, v = project(*arguments)
        seen.append((q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).detach())
        return q, k, v

    attention.project = keep
    run_batch(network, code, [taught], PrefillOptions())
    return seen[0]


def test_learning_leaves_the_time_alone(wired):
    """After two steps, a number is still its features, the layer that hears it and the heads that compare it
    are what they were, and the rest is not."""
    network, code, lessons, _ = wired
    language = network.language
    before = {name: p.detach().clone() for name, p in language.named_parameters()}
    learned = [p for p in language.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-2, weight_decay=0.0)
    taught = lessons.of(imagine("train", 1), random.Random(0))
    for _ in range(2):
        optimizer.zero_grad()
        run_batch(network, code, [taught], PrefillOptions()).losses.mean().backward()
        optimizer.step()
    kept = {name for name, p in language.named_parameters() if torch.equal(p, before[name])}
    first = {name for name in before if name.startswith("layers.0.")}
    assert kept == first | {"layers.1.input_layernorm.weight"}
    after = dict(language.named_parameters())
    heads = slice(0, 3 * language.config.head_dim)
    for name in ("layers.1.self_attn.q_proj.weight", "layers.1.self_attn.k_proj.weight"):
        assert torch.equal(after[name][heads], before[name][heads])
    numbers = after["embed_tokens.weight"][:, HEARD]
    assert torch.equal(numbers, before["embed_tokens.weight"][:, HEARD])


def test_numbers_differ_by_their_features():
    """No two of the numbers with a token of their own are nearer than neighbours are."""
    features = number_features(1000)
    nearest = torch.cdist(features, features).fill_diagonal_(torch.inf).min(1).values
    assert nearest.min() > 0.9 * (features[1] - features[0]).norm()
