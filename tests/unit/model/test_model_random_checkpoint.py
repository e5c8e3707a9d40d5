"""The small random checkpoint: same format as the real one, repeatable, readable nonsense."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from videoxl2 import VideoXL2
from videoxl2.random_checkpoint import write_random_checkpoint


def test_the_same_seed_writes_the_same_files(small_folder: Path, tmp_path: Path) -> None:
    """Bytes repeat, another seed differs."""
    again = write_random_checkpoint(tmp_path / "again")
    other = write_random_checkpoint(tmp_path / "other", seed=1)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "vision_tower/config.json"):
        assert (again / name).read_bytes() == (small_folder / name).read_bytes(), name
    weights = "model.safetensors"
    assert (other / weights).read_bytes() != (small_folder / weights).read_bytes()


def test_it_is_small(small_model: VideoXL2) -> None:
    """Half a million to two million parameters, small frames."""
    assert 5e5 < sum(p.numel() for p in small_model.network.parameters()) < 2e6
    assert small_model.image_size == 112


@pytest.mark.parametrize("text", ["", "A man, 12.5 s – Ünïcode 🎬\n\t", "Time 4.0s:", "x" * 300])
def test_any_text_round_trips(small_model: VideoXL2, text: str) -> None:
    """Byte-level: nothing is unknown."""
    vocabulary = small_model.vocabulary
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_digits_are_single_tokens(small_model: VideoXL2) -> None:
    """As in the real vocabulary, so that times cost what they cost there."""
    assert len(small_model.vocabulary.encode("12345")) == 5


def test_chat_frame_is_single_tokens(small_model: VideoXL2) -> None:
    """The prefix opens with one control token and the suffix closes the user's turn with one."""
    vocabulary = small_model.vocabulary
    assert vocabulary.tokenizer is not None
    start, end = (vocabulary.tokenizer.token_to_id(t) for t in ("<|im_start|>", "<|im_end|>"))
    assert vocabulary.prefix_ids().count(start) == 2
    assert vocabulary.suffix_ids("Hi").count(end) == 1


def test_answers_are_text(small_model: VideoXL2, noise: Any) -> None:
    """Valid UTF-8, mostly words, different for different videos."""
    texts = set()
    for seed in range(3):
        answer = small_model.prefill(noise(24, seed=seed)).generate("Describe it.", max_new_tokens=40)
        answer.text.encode("utf-8")
        texts.add(answer.text)
        assert sum(c.isalpha() or c.isspace() for c in answer.text) > 0.8 * len(answer.text)
    assert len(texts) > 1


def test_broken_characters_are_replaced(small_model: VideoXL2) -> None:
    """Half a character decodes to U+FFFD instead of failing."""
    ids = small_model.vocabulary.encode("é")
    assert small_model.vocabulary.decode(ids[:1]) == "\ufffd"


def test_command_line_writes_a_checkpoint(tmp_path: Path) -> None:
    """`python -m videoxl2.random_checkpoint FOLDER` prints the folder it wrote."""
    command = [sys.executable, "-m", "videoxl2.random_checkpoint", str(tmp_path / "c"), "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "c")
    assert VideoXL2.from_pretrained(tmp_path / "c").revision
