"""Lessons: the tokens that are learned are those that the model decides at inference."""

import random

import lessons
import pytest
from checkpoint import build_tokenizer, frame_phrases
from lessons import Lessons, fewer, imagine
from narration import character_answers, every_phrase, roster, summary_answer
from storyboard import draw_film
from teacher import UntellableError, lesson

from jobs.prompts.answer_text import write_records
from jobs.prompts.pack import load_packs
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from videoxl2.constrained.fill import Picked, asks
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.language.tokens import Vocabulary

PROMPTS = {prompt.name: prompt for prompt in load_packs()}


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer(every_phrase() | frame_phrases())


@pytest.fixture(scope="module")
def table(tokenizer):
    return TokenTable(tokenizer, tokenizer.get_vocab_size(), tokenizer.token_to_id("<|im_end|>"), "cpu")


def test_the_default_prompts_cost_few_tokens(tokenizer):
    """Their lines are in the vocabulary. Fails when a default prompt changes: the small checkpoint, which has
    read no other, has to be trained anew then."""
    context = AnswerContext(20_000, (), ("red cat", "blue man"))
    for prompt in PROMPTS.values():
        assert len(tokenizer.encode(prompt.fill(context)).ids) < 40


def test_any_text_round_trips(tokenizer):
    """What is no phrase of the drawn world falls into bytes, not away."""
    text = "Zwölf Boxkämpfer jagen <|> Viktor 12345.678 s: ☀\n\n\tin the park; red cat"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


@pytest.mark.parametrize("number", range(12))
def test_inference_that_decides_as_taught_writes_the_same_tokens(tokenizer, table, number, monkeypatch):
    """Driving the answer's program with the learned tokens as picks gives the lesson, token by token."""
    monkeypatch.setattr(lessons, "_SHUFFLED_SHARE", 0)
    watched = imagine("train", number)
    vocabulary = Vocabulary(tokenizer)
    taught = Lessons(vocabulary, table, list(PROMPTS.values())).of(watched, random.Random(number))
    assert len(taught.lessons) == 4
    for prompt, one in zip(PROMPTS.values(), taught.lessons, strict=True):
        prompt_ids, context = _asked_again(vocabulary, prompt, watched, number)
        num_prompt = len(prompt_ids)
        assert one.ids[:num_prompt] == tuple(prompt_ids)
        decided = iter(one.decided)
        questions = asks(program_for(prompt.answer, context, table.count).slots(), table, prompt_ids)
        ask = next(questions)
        try:
            while True:
                token = one.ids[next(decided)]
                assert token in (ask.allowed if isinstance(ask.allowed, tuple) else ask.allowed.nonzero())
                ask = questions.send(Picked(token, 0.0, 0.0, 1.0))
        except StopIteration as end:
            filling = end.value
        assert next(decided, None) is None
        assert filling.token_ids == tuple(i for i in one.ids[num_prompt:] if i != table.stop_id)


def test_a_film_at_another_rate_is_taught_as_a_faster_one(tokenizer, table, monkeypatch):
    """Stamps, beginnings, prompts and answers count its pictures; looked at less often it has fewer."""
    monkeypatch.setattr(lessons, "_WINDOW_SHARE", 0)
    monkeypatch.setattr(
        lessons,
        "sample_times",
        lambda film, draw, every_ms: tuple(range(0, int(1000 * film.duration_s), every_ms)),
    )
    often = imagine("train", 3, every_ms=500)
    teach = Lessons(Vocabulary(tokenizer), table, list(PROMPTS.values()))

    def said(taught):
        stamps = [table.decode(stamp) for stamp in taught.stamps]
        return stamps, [table.decode([i for i in one.ids if i != table.stop_id]) for one in taught.lessons]

    stamps, answers = said(teach.of(often, random.Random(1)))
    assert stamps[:3] == ["Time 0.0s:", "Time 4.0s:", "Time 8.0s:"]
    cut_s = often.film.scenes[1].start_s
    first_end_s = -(-2 * cut_s // 1)  # the first picture of the second scene, of two a second
    scenes = answers[list(PROMPTS).index("scenes")]
    assert f"0.0 - {first_end_s:.1f} seconds\nTitle" in scenes
    once = fewer(often, 2)
    assert once.times_ms == often.times_ms[::2]
    assert said(teach.of(once, random.Random(1)))[0] == stamps[: len(once.times_ms) // 4 + 1]
    assert f"0.0 - {-(-cut_s // 1):.1f} seconds\nTitle" in said(teach.of(once, random.Random(1)))[1][2]


def test_a_list_in_any_order_teaches_when_it_ends(tokenizer, table, monkeypatch):
    """Whom it names next is learned for the last alone, and for each record whether another follows."""
    monkeypatch.setattr(lessons, "_SHUFFLED_SHARE", 1)
    film = next(one for one in (imagine("train", n) for n in range(50)) if len(one.film.cast) == 4)
    taught = Lessons(Vocabulary(tokenizer), table, [PROMPTS["characters"]]).of(film, random.Random(1))
    [told] = taught.lessons
    decided = [told.ids[place] for place in told.decided]
    words = [table.decode([token]) for token in decided]
    named = [
        w.strip() for w, s in zip(words, told.slots, strict=True) if s == "characters.label" and w.strip()
    ]
    said = [table.decode([token]).strip() for token in told.ids]
    assert named == [[word for word in said if word in {who.label for who in film.film.cast}][-1]]
    assert words.count("\n\n") == 3
    assert decided[-1] == table.stop_id


def _asked_again(vocabulary, prompt, watched, number):
    """The prompt and context of the lesson, drawn with the same luck."""
    draw = random.Random(number)
    asker = Lessons(vocabulary, None, [])
    for before in PROMPTS.values():
        context, _ = asker._asked(before, watched, draw)
        if before is prompt:
            return vocabulary.suffix_ids(prompt.fill(context)), context
    raise AssertionError(prompt)


def test_a_truth_that_no_answer_could_tell_is_no_lesson(table):
    """A scene answer about a time that was not sampled is refused, not bent."""
    film = draw_film("train", 3, 30)
    context = AnswerContext(30_000, (0, 15_000), tuple(c.label for c in roster(film)))
    with pytest.raises(UntellableError):
        lesson(PROMPTS["summary"], context, character_answers(film), (1, 2), table)
    told = lesson(PROMPTS["summary"], context, [summary_answer(film)], (1, 2), table)
    assert table.decode([i for i in told.ids[2:] if i != table.stop_id]) == write_records(
        [summary_answer(film)]
    )
