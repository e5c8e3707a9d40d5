"""What the small language model is given besides the way to a time: that to figures and the best moment.

A list of figures goes on until everybody is named: a head looks for somebody shown who is not listed, and
finds the film's start where nobody is left. What a figure wears stands in the groups that show its shape.
The best moment is the earliest event of the best kind. The columns are those of `figure_columns`.

Five heads of the first layer and three of the second begin with that, and units behind them; what becomes of
it, the model learns. Sizes are those that activations have at the start.
"""

from __future__ import annotations

import torch
from figure_columns import (
    ASKED,
    COLOUR,
    ENDS,
    FIRST_COLUMN,
    HERE,
    ITS,
    LISTED,
    NAMED,
    NOTHING,
    OPENS,
    REPEATS,
    SHOWN,
    SPOKEN,
    START,
    WORD,
    WORN,
)
from moment_wiring import find_the_best_moment, know_the_best_kind
from tokenizers import Tokenizer
from wired_parts import Head, Units
from wiring import HEARD, behind, compare, decoder_layers, hold_part, look_for_the_nearest
from words import ACCESSORIES, COLOURS, EVENTS, SHAPES

from videoxl2.network.language.tokens import END_OF_TURN
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.layers.decoder_layer import SelfAttention
from videoxl2.network.network import Network

_SHAPES, _COLOURS, _ACCESSORIES, _EVENTS = len(SHAPES), len(COLOURS), len(ACCESSORIES), len(EVENTS)
# Lines of the default prompts, each in one of them: summary, characters, scenes, highlights.
_MARKS = (
    "Write only this line:\n",
    'Write "none" if there is nobody.\n',
    "Write one block per scene, with a blank line between blocks and nothing else.\n",
    'Write "none" if nothing stands out.\n',
)
_SUMMARY, _CHARACTERS, _SCENES, _HIGHLIGHTS = range(4)
_OPENING, _STARTING = "assistant\n", "system\nYou are a helpful assistant."
_FIRST_UNIT = 480  # of the second layer's that are set


@torch.no_grad()
def wire_figures(network: Network, tokenizer: Tokenizer) -> None:
    """Set what is described above; all else stays as it was."""
    _tell_words(network.language, tokenizer)
    wire_figure_heads(network)
    _say(network.language, tokenizer)


@torch.no_grad()
def wire_figure_heads(network: Network) -> None:
    """The same but for words, which learn on."""
    first, second = decoder_layers(network.language)[:2]
    units = Units(first, 0)
    _know_what_was_named(first.self_attn, units)
    _know_what_was_asked(first.self_attn)
    _know_what_is_worn(first.self_attn, units)
    know_the_best_kind(first.self_attn, units)
    _repeat_the_last_label(first.self_attn, units)
    units = Units(second, _FIRST_UNIT)
    _find_somebody_unnamed(second.self_attn, units)
    find_the_best_moment(second.self_attn, units)
    _find_the_figures_of_a_scene(second.self_attn, units)


def hold_figures(network: Network) -> None:
    """Keep from learning: what words mean in these columns, and how the second layer finds."""
    language = network.language
    second = decoder_layers(language)[1].self_attn
    hold_part(language.embed_tokens.weight, columns=slice(FIRST_COLUMN, None))
    heads = slice(4 * second.head_dim, 7 * second.head_dim)
    for part in (second.q_proj, second.k_proj):
        hold_part(part.weight, rows=heads)
        hold_part(part.bias, rows=heads)


def hold_all_wired(network: Network) -> None:
    """Keep words, the first two layers and figures' columns from learning, where little is to be learned."""
    language = network.language
    first, second, *others = decoder_layers(language)
    for part in (language.embed_tokens, first, second):
        part.requires_grad_(False)
    for layer in others:
        for writes in (layer.self_attn.o_proj, layer.mlp.down_proj):
            hold_part(writes.weight, rows=slice(FIRST_COLUMN, None))


def _id(tokenizer: Tokenizer, text: str) -> int:
    [found] = tokenizer.encode(text, add_special_tokens=False).ids
    return int(found)


def _tell_words(language: LanguageModel, tokenizer: Tokenizer) -> None:
    """Labels speak of their shape, and are equally long; prompts' lines are marked."""
    embedding = language.embed_tokens.weight
    embedding[:, FIRST_COLUMN:] = 0
    embedding[:, WORD] = 0.5
    for shape, name in enumerate(SHAPES):
        for colour in COLOURS:
            row = embedding[_id(tokenizer, f" {colour} {name}")]
            row[:FIRST_COLUMN] *= 5.0 / row[:FIRST_COLUMN].norm()
            row[SPOKEN.start + shape] = 1
            row[HERE.start + _COLOURS * shape + COLOURS.index(colour)] = 1
    embedding[_id(tokenizer, " A"), REPEATS] = 1
    for prompt, line in enumerate(_MARKS):
        embedding[_id(tokenizer, line), ASKED.start + prompt] = 1
    embedding[_id(tokenizer, _OPENING), OPENS] = 1
    embedding[_id(tokenizer, _STARTING), START] = 1


def _know_what_was_named(attention: SelfAttention, units: Units) -> None:
    """NAMED is evenly of all labels so far; LISTED is as high as WORD from a twentieth of that on, or 0."""
    head = Head(attention, 1)
    head.look_for(4.8, SPOKEN)
    head.pass_on(0.3, _each(SPOKEN), NAMED)
    for n in range(_SHAPES):
        named, listed, word = NAMED.start + n, LISTED.start + n, WORD.start
        units.add(0.056, {named: 65}, {word: 1}, listed)
        units.add(-0.056, {named: 65, word: -6}, {word: 1}, listed)


def _know_what_was_asked(attention: SelfAttention) -> None:
    head = Head(attention, 2)
    head.look_for(4.0, ASKED)
    head.pass_on(0.3, _each(ASKED), ASKED)


def _know_what_is_worn(attention: SelfAttention, units: Units) -> None:
    """WORN of the groups that show the shape spoken of; ITS, of that shape alone."""
    head = Head(attention, 3)
    head.match(3.5, SPOKEN, SHOWN)
    head.look_for(2.4, START)
    head.pass_on(0.7, _each(WORN), WORN)
    for shape in range(_SHAPES):
        for n in range(_ACCESSORIES):
            worn = WORN.start + _ACCESSORIES * shape + n
            units.add(0.17, {SPOKEN.start + shape: 2}, {worn: 1}, ITS.start + n)


def _repeat_the_last_label(attention: SelfAttention, units: Units) -> None:
    """COLOUR of a label a few words ago, where it is said again; less of it HERE, where it is not."""
    head = Head(attention, 5)
    look_for_the_nearest(attention, SPOKEN, 6.0, head=5)
    head.look_for(10.6, START)
    head.pass_on(-0.3, _each(HERE), HERE)
    for label, column in zip(_each(HERE), _each(COLOUR), strict=True):
        units.add(1.0, {label: -2.0}, {REPEATS.start: 1}, column)


def _find_somebody_unnamed(attention: SelfAttention, units: Units) -> None:
    """COLOUR and SHOWN of groups that show somebody not LISTED; the sure ones' COLOUR once more, and those'
    that are LISTED taken away."""
    head = Head(attention, 4)
    head.match(14.0, WORD, SHOWN, unless=((LISTED, 1.3), (REPEATS, 0.7)))
    head.look_for(2.5, START)
    head.pass_on(0.7, _each(COLOUR), COLOUR)
    head.pass_on(0.7, _each(SHOWN), SHOWN)
    head.pass_on(0.3, _each(START), NOTHING)
    for shape in range(_SHAPES):
        for n in range(_COLOURS):
            column = COLOUR.start + _COLOURS * shape + n
            gate = {column: 3.0, LISTED.start + shape: -6.0, WORD.start: -0.75}
            units.add(2.0, gate, {WORD.start: 1}, column)
    lists = {
        ASKED.start + _SUMMARY: 3.0,
        ASKED.start + _CHARACTERS: 3.0,
        WORD.start: -7.2,
        REPEATS.start: -3.0,
    }
    for shape in range(_SHAPES):
        labels = slice(COLOUR.start + _COLOURS * shape, COLOUR.start + _COLOURS * (shape + 1))
        units.add(-5.0, {**lists, LISTED.start + shape: 6.0}, {WORD.start: 1}, labels)
    asked, nobody = ASKED.start + _CHARACTERS, NOTHING.start
    units.add(3.0, {asked: 3.0, nobody: 3.0, WORD.start: -7.2}, {WORD.start: 1}, ENDS.start)
    units.add(-4.0, {asked: 3.0, nobody: -3.0, WORD.start: -2.0}, {WORD.start: 1}, ENDS.start)


def _find_the_figures_of_a_scene(attention: SelfAttention, units: Units) -> None:
    """HERE, and where scenes are asked for as COLOUR."""
    head = Head(attention, 6)
    compare(attention, 6, HEARD, behind(5.5, 4.84), 18)
    head.pass_on(0.7, _each(COLOUR), HERE)
    for seen, column in zip(_each(HERE), _each(COLOUR), strict=True):
        gate = {seen: 3.0, ASKED.start + _SCENES: 3.0, WORD.start: -7.2}
        units.add(1.0, gate, {WORD.start: 1}, column)


def _say(language: LanguageModel, tokenizer: Tokenizer) -> None:
    """Labels, things worn and the end are likelier where heads found so."""
    head = language.lm_head.weight
    head[:, FIRST_COLUMN:] = 0
    for shape, name in enumerate(SHAPES):
        for n, colour in enumerate(COLOURS):
            head[_id(tokenizer, f" {colour} {name}"), COLOUR.start + _COLOURS * shape + n] = 8
    for n, thing in enumerate(ACCESSORIES):
        said = " with nothing" if not thing else f" with {'an' if thing[0] in 'aeiou' else 'a'} {thing}"
        head[_id(tokenizer, said), ITS.start + n] = 12
    head[_id(tokenizer, END_OF_TURN), ENDS] = 10
    head[_id(tokenizer, "\n\n"), ENDS] = -10


def _each(columns: slice) -> range:
    return range(columns.start, columns.stop)
