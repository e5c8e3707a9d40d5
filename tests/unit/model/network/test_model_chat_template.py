"""A Qwen-VL checkpoint's chat template: its text stands around the video, as transformers renders it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qwen_reference import frames_of

from videoxl2 import CheckpointError, ModelInputError, load_model
from videoxl2.generate.models.qwen_vl import QwenVL
from videoxl2.network.configs.chat import published_frame
from videoxl2.network.configs.chat_template import frame_in, read_template
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.model_options import with_options
from videoxl2.random_checkpoint import write_random_checkpoint

TURNS = """
{%- macro shown(content) %}
    {%- if content is string %}{{ content }}{% else %}
        {%- for part in content %}
            {%- if part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>
            {%- elif 'text' in part %}{{ part.text }}{% endif %}
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
{%- for message in messages %}
    {%- if loop.first and message.role != 'system' %}FIRST{% endif %}
    {{- '<|im_start|>' + message.role + '\\n' }}{{ shown(message.content) }}{{ '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}LAST{% endif %}
"""


def template(first: str = "", last: str = "") -> str:
    written = "{{- '" + first.replace("\n", "\\n") + "' }}"
    ending = "{{- '" + last.replace("\n", "\\n") + "' }}"
    return TURNS.replace("FIRST", written).replace("LAST", ending)


SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
PUBLISHED = {Family.QWEN2_5_VL: template(SYSTEM), Family.QWEN3_VL: template()}
OTHERS = {
    "another system prompt": template("<|im_start|>system\nYou index films.<|im_end|>\n"),
    "a line before the prompt": template().replace("<|vision_end|>", "<|vision_end|>{{ '\\n' }}"),
    "no thought": template(last="<think>\n\n</think>\n\n"),
}


@pytest.mark.parametrize("family", PUBLISHED)
def test_the_published_frame_is_what_a_template_of_its_shape_says(family: Family) -> None:
    """With a system turn and without, so that nothing changes where the file is missing."""
    for system in (None, "You index films."):
        assert frame_in(PUBLISHED[family], system) == published_frame(family, system)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("system", [None, "Be brief."])
def test_a_sequence_is_the_one_that_transformers_renders(
    name: str, system: str | None, tmp_path: Path
) -> None:
    """Token by token, for a video of three pairs and a prompt, with time stamps where the model has them."""
    from transformers import PreTrainedTokenizerFast

    for family in PUBLISHED:
        folder = write_random_checkpoint(tmp_path / family, family=family)
        (folder / "chat_template.jinja").write_text(OTHERS[name])
        model = load_model(folder, options={} if system is None else {"system": system})
        assert isinstance(model, QwenVL)
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
        asked: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
        asked.append({"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "Who is it?"}]})
        text = tokenizer.apply_chat_template(
            asked, chat_template=OTHERS[name], add_generation_prompt=True, tokenize=False
        )
        assert isinstance(text, str)
        times_ms = np.arange(6, dtype=np.int64) * 1000
        frames = frames_of(model, 6, 2, 3)
        session = model.prefill([SimpleNamespace(frames=frames, pts_ms=times_ms)])
        start, pads, end = "<|vision_start|>", "<|video_pad|>" * 6, "<|vision_end|>"
        if family is Family.QWEN2_5_VL:
            shown = start + pads * 3 + end
        else:
            shown = "".join(f"<{at}.5 seconds>{start}{pads}{end}" for at in (0, 2, 4))
        whole = tokenizer(text.replace("<|vision_start|><|video_pad|><|vision_end|>", shown)).input_ids
        prompt_ids = model.vocabulary.suffix_ids("Who is it?")
        assert session.num_tokens + len(prompt_ids) == len(whole)
        assert whole[session.num_tokens :] == prompt_ids
        prefix_ids = model.vocabulary.prefix_ids()
        assert whole[: len(prefix_ids)] == prefix_ids


def test_an_opened_thought_is_closed_empty() -> None:
    """A model that would think first is told that it has, and `ChatFrame` says so."""
    thinking = frame_in(template(last="<think>\n"))
    assert thinking.after_prompt == "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    assert thinking.skips_thought
    closed = "{{ '<think>\\n\\n</think>\\n\\n' }}"
    may = "{%- if enable_thinking is defined and not enable_thinking %}" + closed + "{% endif %}"
    assert frame_in(template() + may) == thinking
    assert not frame_in(template()).skips_thought


def test_the_first_file_that_has_one_counts(tmp_path: Path) -> None:
    """A template of its own, then the processor's, then a tokenizer's that knows of videos."""
    named = [{"name": "tool_use", "template": "other"}, {"name": "default", "template": "text only"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert read_template(tmp_path) is None
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "has <|video_pad|>"}))
    assert read_template(tmp_path) == "has <|video_pad|>"
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": {"default": "in JSON"}}))
    assert read_template(tmp_path) == "in JSON"
    (tmp_path / "chat_template.jinja").write_text("its own")
    assert read_template(tmp_path) == "its own"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{% for %}", "cannot be rendered"),
        ("{{ raise_exception('no videos here') }}", "cannot be rendered: no videos here"),
        ("{{ ''.__class__.__mro__ }}", "cannot be rendered"),
        ("{{ strftime_now('%d') }}", "'strftime_now' is undefined"),
        ("no video", "writes 'no video', which is no video and a prompt after it"),
        (template().replace("<|video_pad|>", "<|video_pad|><|video_pad|>"), "which is no video and a prompt"),
        (template() + template(), "which is no video and a prompt"),
    ],
)
def test_a_template_that_cannot_be_followed_is_refused(text: str, told: str, tmp_path: Path) -> None:
    """Its code sees nothing of this machine, and the hint says what would do."""
    with pytest.raises(CheckpointError, match=told) as refused:
        frame_in(text)
    assert refused.value.hint.endswith("then the prompt is as the makers published it.")


LAST_ALONE = "<|vision_start|><|video_pad|><|vision_end|>{{ messages[-1].content[1].text }}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no such role') }}{% endif %}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAST_ALONE, "the chat template leaves out what it is told as a system prompt"),
        (NO_SYSTEM + template(), "no system prompt can be told: .*no such role"),
    ],
)
def test_a_template_without_a_place_for_a_system_prompt_refuses_one(text: str, told: str) -> None:
    """An option without effect would be another recipe; without the option the template will do."""
    config = ModelConfig(family=Family.QWEN3_VL, chat=frame_in(text), chat_template=text)
    with pytest.raises(ModelInputError, match=told) as refused:
        with_options(config, {"system": "You index films."})
    assert refused.value.hint.startswith("Leave out the option system")


@pytest.mark.parametrize("said", ["", " ", "<|im_end|>"])
def test_a_system_prompt_has_words_and_no_marks(said: str, tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path, family="Qwen3-VL")
    with pytest.raises(ModelInputError, match="it is empty, or has marks of a chat"):
        load_model(folder, options={"system": said})
