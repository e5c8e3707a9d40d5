"""What the small language model is given before it learns: the way from a time to the pictures of that time.

An answer's title stands after "13.0 - 22.0 seconds", and the pictures it tells of after stamps "Time 16.0s:".
To find them, a token has to know the last number it read and to compare it with those that others read. Six
heads begin with that; what they pass on, the model learns. Without them, a model of this size did not learn
to look up by time in five times as many steps.

Some columns of the residual stream have a meaning, which learning does not touch (`hold`):

    OWN      a number's own features; at the end, of the number to be written
    NUMBER   whether this is a number
    PICTURE  whether this is a visual token
    HEARD    features of the last number read: of a visual token, its group's time
    CHANGE   whether the setting changes at the first, second, third and fourth picture of this group
    LAST     the setting of the last picture, a column each
    FIRST    the setting of the first picture, from which that of the group before is taken away

Features of a number are its cosines and sines at several periods (`number_features`), so heads compare two
numbers by their difference: a logit is a sum of cosines of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from attributes import HEADS, is_nothing
from figure_columns import FIRST_COLUMN
from tokenizers import Tokenizer
from torch import Tensor, nn
from words import SETTINGS

from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.layers.decoder_layer import DecoderLayer, SelfAttention
from videoxl2.network.network import Network

LARGEST_NUMBER = 999  # with a token of its own
# Of a number's features.
PERIODS = (2, 3, 4, 5, 6, 8, 10, 14, 20, 28, 40, 60, 90, 140, 220, 350, 600, 1000)
COMPARED = tuple(n for n, period in enumerate(PERIODS) if period >= 6)
_WIDTH = 2 * len(PERIODS)
_SIZE = 0.5  # of activations where wired heads read, about

OWN = slice(0, _WIDTH)
NUMBER, PICTURE = _WIDTH, _WIDTH + 1
HEARD = slice(_WIDTH + 4, 2 * _WIDTH + 4)  # two columns are spare
CHANGE = slice(HEARD.stop, HEARD.stop + 4)
LAST = slice(CHANGE.stop, CHANGE.stop + len(SETTINGS))
FIRST = slice(LAST.stop, LAST.stop + len(SETTINGS))
PICTURE_AT = slice(FIRST.stop, FIRST.stop + GROUP_FRAMES)

Wave = tuple[float, float]  # how high, and its phase


@torch.no_grad()
def wire(network: Network, tokenizer: Tokenizer) -> None:
    """Set what is described above; all else stays as it was drawn."""
    language = network.language
    layers = decoder_layers(language)
    _tell_numbers(language, tokenizer)
    _hear_the_last_number(layers[0].self_attn)
    wire_comparisons(network)
    _notice_a_change_between_groups(layers[1])
    _find_the_latest_change(layers[2].self_attn)
    _find_the_next_beginning(layers[3].self_attn)


@torch.no_grad()
def wire_comparisons(network: Network) -> None:
    """Three heads of the second layer find groups by how many seconds they are before the number heard."""
    second = decoder_layers(network.language)[1].self_attn
    compare(second, 0, HEARD, behind(5.5, 4.84), 18)
    compare(second, 1, HEARD, behind(4.0, 4.0), 12)
    compare(second, 2, HEARD, behind(8.5, 4.84), 18)


def hold(network: Network) -> None:
    """Keep from learning: the first layer whole, and how the second finds groups by their time."""
    language = network.language
    first, second, third = decoder_layers(language)[:3]
    first.requires_grad_(False)
    hold_part(language.embed_tokens.weight, columns=slice(0, CHANGE.stop))
    heads = slice(0, 3 * language.config.head_dim)
    for part in (second.self_attn.q_proj, second.self_attn.k_proj):
        hold_part(part.weight, rows=heads)
        hold_part(part.bias, rows=heads)
    hold_part(second.input_layernorm.weight)
    for layer in (second, third):
        hold_part(layer.self_attn.o_proj.weight, rows=slice(NUMBER, HEARD.stop))
        hold_part(layer.mlp.down_proj.weight, rows=slice(NUMBER, HEARD.stop))


@torch.no_grad()
def wire_code(linear: nn.Linear) -> None:
    """Give what pictures show their columns (see `attributes.one_hot`), and hold those that are named above.

    An answer is a direction of its own, whichever picture of the group gives it, with a little that tells the
    pictures apart; that there is nothing to see is none.
    """
    linear.weight.normal_().mul_(0.03)
    linear.bias.zero_()
    linear.bias[PICTURE] = 0.5
    directions = iter(torch.nn.init.orthogonal_(torch.empty(2 * [FIRST_COLUMN - FIRST.stop])))
    first = 0
    for name, size, asked in HEADS:
        for answer in range(size):
            if name != "setting" and not is_nothing(name, answer):
                outputs = [first + size * place + answer for place in range(len(asked))]
                linear.weight[FIRST.stop : FIRST_COLUMN, outputs] += next(directions)[:, None] / len(asked)
        first += size * len(asked)
    settings = torch.eye(len(SETTINGS))
    linear.weight[: FIRST.stop] = 0
    linear.weight[FIRST, : len(SETTINGS)] = settings
    linear.weight[LAST, (GROUP_FRAMES - 1) * len(SETTINGS) : GROUP_FRAMES * len(SETTINGS)] = settings
    linear.weight[CHANGE, first:] = torch.eye(GROUP_FRAMES)[:, 1:]
    hold_part(linear.weight, rows=slice(0, FIRST.stop))
    hold_part(linear.bias, rows=slice(0, FIRST.stop))


def hold_time(linear: nn.Linear) -> None:
    """Keep visual tokens from writing where the language model keeps the time."""
    hold_part(linear.weight, rows=slice(0, HEARD.stop))
    hold_part(linear.bias, rows=slice(0, HEARD.stop))


def number_features(count: int) -> Tensor:
    """Cosines and sines `[count, W]` of the numbers from 0."""
    angles = torch.arange(count)[:, None] * (2 * math.pi / torch.tensor(PERIODS, dtype=torch.float32))
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def decoder_layers(language: LanguageModel) -> list[DecoderLayer]:
    return [layer for layer in language.layers if isinstance(layer, DecoderLayer)]


def hold_part(parameter: Tensor, rows: slice = slice(None), columns: slice = slice(None)) -> None:
    mask = torch.ones_like(parameter)
    mask[(rows, columns)[: parameter.ndim]] = 0
    parameter.register_hook(lambda gradient: gradient * mask)


def _tell_numbers(language: LanguageModel, tokenizer: Tokenizer) -> None:
    """Numbers are their features, read and written; other tokens leave the columns alone."""
    embedding, head = language.embed_tokens.weight, language.lm_head.weight
    ids = torch.tensor([tokenizer.token_to_id(str(number)) for number in range(LARGEST_NUMBER + 1)])
    embedding.mul_(0.6 / embedding.std())
    embedding[:, : FIRST.stop] = 0
    embedding[ids] = 0
    head[ids] = 0
    embedding[ids, OWN] = number_features(len(ids))
    head[ids, OWN] = 0.1 * number_features(len(ids))
    embedding[ids, NUMBER] = 1


def _hear_the_last_number(attention: SelfAttention) -> None:
    """HEARD of the nearest token that is a number."""
    clear_head(attention, 0)
    look_for_the_nearest(attention, slice(NUMBER, NUMBER + 1), 6.8)
    size = math.sqrt((len(PERIODS) + 1) / FIRST_COLUMN)
    attention.v_proj.weight[:_WIDTH, OWN] = torch.eye(_WIDTH)
    attention.o_proj.weight[HEARD, :_WIDTH] = size * torch.eye(_WIDTH)


def _notice_a_change_between_groups(layer: DecoderLayer) -> None:
    """CHANGE at the first picture: FIRST is not LAST of the group that head 1 finds four seconds before."""
    count, attention, mlp = len(SETTINGS), layer.self_attn, layer.mlp
    head = slice(attention.head_dim, 2 * attention.head_dim)
    attention.v_proj.weight[head] = 0
    attention.v_proj.bias[head] = 0
    attention.v_proj.weight[head, LAST][:count] = torch.eye(count)
    attention.o_proj.weight[FIRST, head][:, :count] = -_SIZE * torch.eye(count)
    mlp.gate_proj.weight[:count] = 0
    mlp.up_proj.weight[:count] = 0
    mlp.gate_proj.weight[:count, FIRST] = 3 * torch.eye(count)
    mlp.up_proj.weight[:count, FIRST] = torch.eye(count)
    mlp.down_proj.weight[CHANGE.start, :count] = 1 / count


def _find_the_latest_change(attention: SelfAttention) -> None:
    """OWN of the group's time in which the scene in view began, and in four more columns at which picture."""
    clear_head(attention, 0)
    look_for_the_nearest(attention, CHANGE, 5)
    ats = slice(_WIDTH, _WIDTH + 4)
    attention.v_proj.weight[:_WIDTH, HEARD] = torch.eye(_WIDTH)
    attention.o_proj.weight[OWN, :_WIDTH] = _SIZE / 2 * torch.eye(_WIDTH)
    attention.v_proj.weight[ats, CHANGE] = torch.eye(4)
    attention.o_proj.weight[PICTURE_AT, ats] = _SIZE * torch.eye(4)


def _find_the_next_beginning(attention: SelfAttention) -> None:
    """OWN of the earliest beginning after the time heard: where the scene that begins there ends."""
    clear_head(attention, 0)
    attention.v_proj.weight[:_WIDTH, OWN] = torch.eye(_WIDTH)
    attention.o_proj.weight[OWN, :_WIDTH] = _SIZE * torch.eye(_WIDTH)
    compare(attention, 0, OWN, _falling(), 4)


def clear_head(attention: SelfAttention, head: int) -> None:
    """Queries, keys and values of nothing."""
    rows = slice(head * attention.head_dim, (head + 1) * attention.head_dim)
    for part in (attention.q_proj, attention.k_proj, attention.v_proj):
        part.weight[rows] = 0
        part.bias[rows] = 0


def look_for_the_nearest(attention: SelfAttention, marks: slice, strength: float, head: int = 0) -> None:
    """A head attends to what is marked, the nearer the more: by dimensions that positions turn slowly."""
    first = head * attention.head_dim
    for dimension in (first + 5, first + 9, first + 12):
        attention.q_proj.bias[dimension] = strength
        attention.k_proj.weight[dimension, marks] = strength


def compare(attention: SelfAttention, head: int, keys: slice, waves: Sequence[Wave], picture: float) -> None:
    """Attend to pictures whose number (at `keys`) lies where the waves, a sum of cosines of its distance from
    HEARD, are high; in dimensions that positions hardly turn."""
    half = attention.head_dim // 2
    first = head * attention.head_dim
    for part in (attention.q_proj, attention.k_proj):
        part.weight[first : first + 2 * half] = 0
        part.bias[first : first + 2 * half] = 0
    last = first + half - 1  # turned least, however long the film
    attention.q_proj.bias[last] = 8
    attention.k_proj.weight[last, PICTURE] = picture
    for dimension, (height, phase), n in zip(range(last - len(COMPARED), last), waves, COMPARED, strict=True):
        cosine, sine = HEARD.start + n, HEARD.start + len(PERIODS) + n
        size = math.sqrt(height)
        turned, across = size * math.cos(phase), size * math.sin(phase)
        query, key = attention.q_proj.weight, attention.k_proj.weight
        query[dimension, cosine], query[dimension, sine] = turned, -across
        query[dimension + half, sine], query[dimension + half, cosine] = turned, across
        key[dimension, keys.start + n] = size
        key[dimension + half, keys.start + len(PERIODS) + n] = size


def behind(seconds: float, height: float) -> list[Wave]:
    """A peak that many seconds before the number."""
    return [(height, -2 * math.pi * seconds / PERIODS[n]) for n in COMPARED]


def _falling() -> list[Wave]:
    """A step up just behind the number, from there a slope down: least squares."""
    distance = torch.arange(-300, 300, dtype=torch.float64)
    meant = torch.where(distance > 0.5, (-distance / 6).clamp(min=-14), -12.0)
    angles = distance * (2 * math.pi / torch.tensor([PERIODS[n] for n in COMPARED]))[:, None]
    basis = torch.cat([angles.cos(), angles.sin(), torch.ones(1, len(distance))]).T
    weights = torch.where(distance.abs() < 60, 1.0, 0.15)
    found = torch.linalg.lstsq(basis * weights[:, None], (meant * weights)[:, None]).solution[:, 0]
    cosines, sines = found[: len(COMPARED)].tolist(), found[len(COMPARED) : -1].tolist()
    return [(math.hypot(c, s), math.atan2(s, c)) for c, s in zip(cosines, sines, strict=True)]
