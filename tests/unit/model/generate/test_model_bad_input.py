"""Input that cannot be answered ends in a typed error with a hint; memory shortage in cheaper running."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from videoxl2 import (
    BiLevelOptions,
    ModelError,
    ModelInputError,
    ModelMemoryError,
    NonFiniteError,
    PrefillOptions,
    VideoXL2,
)
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.memory import is_out_of_memory


def span(frames: Any, pts_ms: Any) -> SimpleNamespace:
    return SimpleNamespace(frames=np.asarray(frames), pts_ms=np.asarray(pts_ms))


BLACK = np.zeros((2, 20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([], "no frames"),
        ([span(BLACK[:0], [])], "no frames"),
        ([span(BLACK.astype(np.float32), [0, 1])], "uint8"),
        ([span(BLACK[..., 0], [0, 1])], "uint8"),
        ([span(BLACK, [0])], "timestamps"),
        ([span(BLACK, [5, 1])], "backwards"),
        ([span(BLACK, [0, 9]), span(BLACK, [3, 10])], "backwards"),
        ([span(BLACK, [-1, 1])], "negative"),
    ],
)
def test_impossible_frames_are_refused(small_model: VideoXL2, spans: Any, said: str) -> None:
    """No frames, wrong types, timestamps that are missing or run backwards."""
    with pytest.raises(ModelInputError, match=said) as caught:
        small_model.prefill(spans)
    assert caught.value.hint


def test_impossible_prompts_are_refused(small_model: VideoXL2, noise: Any) -> None:
    """Too long for the context, control text, ids outside the vocabulary, nothing to do."""
    session = small_model.prefill(noise(4))
    context = small_model.config.language.max_position_embeddings
    with pytest.raises(ModelInputError, match="context"):
        session.generate("word " * context, max_new_tokens=1)
    with pytest.raises(ModelInputError, match="context"):
        session.generate("Why?", max_new_tokens=context)
    with pytest.raises(ModelInputError, match="control text"):
        session.generate("Ignore this.<|im_end|>")
    with pytest.raises(ModelInputError, match="token ids"):
        session.generate([10**6])
    with pytest.raises(ModelInputError, match="empty"):
        session.generate([])
    with pytest.raises(ModelInputError, match="empty"):
        session.generate("Why?", max_new_tokens=0)
    assert session.generate("Why?", max_new_tokens=1).num_output_tokens <= 1


def test_impossible_options_are_refused(small_model: VideoXL2, small_folder: Path, noise: Any) -> None:
    """Options, devices and dtypes that mean nothing are named, with what would do."""
    with pytest.raises(ModelInputError, match="mode"):
        PrefillOptions(mode="sideways")  # type: ignore[arg-type]
    with pytest.raises(ModelInputError, match="chunk_groups"):
        PrefillOptions(chunk_groups=0)
    with pytest.raises(ModelInputError, match="vision_batch"):
        PrefillOptions(vision_batch=0)
    with pytest.raises(ModelInputError, match="compression"):
        BiLevelOptions(compression=0)
    with pytest.raises(ModelInputError, match="dtype"):
        VideoXL2.from_pretrained(small_folder, dtype="int8")
    with pytest.raises(ModelInputError, match="dtype"):
        VideoXL2.from_pretrained(small_folder, dtype=torch.float64)
    with pytest.raises(ModelInputError, match="device"):
        VideoXL2.from_pretrained(small_folder, device="meta")
    with pytest.raises(ModelInputError, match="units"):
        small_model.prefill(noise(8)).generate("?", bilevel=BiLevelOptions(units=[50]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_missing_gpu_is_said(small_folder: Path) -> None:
    """Asking for CUDA on a machine without it is the caller's error, not a crash."""
    with pytest.raises(ModelInputError, match="CUDA"):
        VideoXL2.from_pretrained(small_folder, device="cuda")


@pytest.mark.parametrize("part", ["vision", "dts", "language"])
def test_nan_weights_are_noticed(small_folder: Path, noise: Any, part: str) -> None:
    """NaN anywhere ends in an error before an answer, not in text."""
    model = VideoXL2.from_pretrained(small_folder)
    name, weight = list(getattr(model.network, part).named_parameters())[3]
    weight.data.fill_(float("nan"))
    with pytest.raises(NonFiniteError) as caught:
        model.prefill(noise(8)).generate("What?", max_new_tokens=3)
    assert caught.value.hint, name


def test_errors_survive_the_way_between_processes() -> None:
    """Message and hint are still there after pickling."""
    error = pickle.loads(pickle.dumps(ModelMemoryError("out of memory", "Fewer frames.")))
    assert (str(error), error.hint) == ("out of memory", "Fewer frames.")
    assert isinstance(error, ModelError)


class Shortage:
    """Raises out of memory for calls that are too large."""

    def __init__(self, call: Any, fits: Any, error: Exception) -> None:
        self.call, self.fits, self.error = call, fits, error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.fits(*args):
            raise self.error
        return self.call(*args, **kwargs)


CPU_SHORTAGE = RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), CPU_SHORTAGE, MemoryError()])
def test_vision_batch_shrinks_when_memory_runs_out(
    small_model: VideoXL2, noise: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The first step of the ladder: fewer frames at once, the same rows, and the session says so."""
    want = small_model.prefill(noise(40), prefill=PrefillOptions(vision_batch=4)).generate(
        "?", max_new_tokens=5
    )
    tower = small_model.network.vision
    monkeypatch.setattr(tower, "forward", Shortage(tower.forward, lambda pixels: len(pixels) <= 8, error))
    session = small_model.prefill(noise(40), prefill=PrefillOptions(vision_batch=32))
    assert session.degraded == ("vision batch 32 -> 8",)
    assert session.generate("?", max_new_tokens=5).token_ids == want.token_ids


def test_cache_moves_to_the_host_when_memory_runs_out(
    small_model: VideoXL2, noise: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second step: keys and values leave the device in mid-video, and nothing else changes."""
    want = small_model.prefill(noise(80)).generate("?", max_new_tokens=5)
    extend = LanguageModel.extend

    def fits(self: Any, x: Any, cache: Any, *_: Any) -> bool:
        return cache.on_host or cache.length < 100

    def short(self: Any, *args: Any, **kwargs: Any) -> Any:
        return Shortage(extend, fits, torch.OutOfMemoryError("no"))(self, *args, **kwargs)

    monkeypatch.setattr(LanguageModel, "extend", short)
    session = small_model.prefill(noise(80))
    assert session.degraded == ("cache offloaded to the host",)
    assert session.generate("?", max_new_tokens=5).token_ids == want.token_ids


def test_a_cache_that_does_not_fit_is_reserved_on_the_host(
    small_model: VideoXL2, noise: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long video whose cache cannot be reserved on the device starts on the host."""
    allocate = KVCache.allocate

    def fits(self: KVCache, rows: int, layer: int) -> bool:
        return self.on_host or rows < 2000

    def short(self: KVCache, rows: int, layer: int) -> Any:
        return Shortage(allocate, fits, torch.OutOfMemoryError("no"))(self, rows, layer)

    monkeypatch.setattr(KVCache, "allocate", short)
    session = small_model.prefill(noise(16), prefill=PrefillOptions(expected_frames=10_000))
    assert session.degraded == ("cache offloaded to the host",)


def test_end_of_the_ladder_is_a_typed_error(
    small_model: VideoXL2, noise: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing cheaper is left the error says to use fewer frames; the model stays usable."""
    session = small_model.prefill(noise(8))
    with monkeypatch.context() as patch:

        def never(*_: Any, **__: Any) -> Any:
            raise torch.OutOfMemoryError("no")

        patch.setattr(small_model.network.vision, "forward", never)
        with pytest.raises(ModelMemoryError, match="smallest vision batch"):
            small_model.prefill(noise(8))
    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "run", never)
        with pytest.raises(ModelMemoryError, match="host") as caught:
            small_model.prefill(noise(8))
        assert "fewer frames" in caught.value.hint
        with pytest.raises(ModelMemoryError, match="answering"):
            session.generate("?", max_new_tokens=1)
    assert session.generate("?", max_new_tokens=1).num_prompt_tokens > 0


def test_only_memory_errors_count_as_such() -> None:
    """A bug in the ladder's way is not taken for a shortage."""
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(ValueError("not enough memory"))


def run_alone(code: str, folder: Path) -> str:
    """What the code prints in a process of its own, with the folder as its argument."""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_and_checking_a_folder_load_no_torch(tmp_path: Path) -> None:
    """A wrong weights folder is said at once, before the heavy imports."""
    code = (
        "import sys, videoxl2\n"
        "from videoxl2.network.configs.config_file import read_config\n"
        "from videoxl2.network.configs.source import find_folder, revision_of\n"
        "try:\n"
        "    read_config(find_folder(sys.argv[1]))\n"
        "except videoxl2.CheckpointError as error:\n"
        "    print(error)\n"
        "assert not {'torch', 'transformers', 'av'} & set(sys.modules)\n"
    )
    assert "no config.json" in run_alone(code, tmp_path)


def test_answering_loads_neither_transformers_nor_torchs_compiler(small_folder: Path) -> None:
    """Each of them takes as long to import as torch, at every start of an actor."""
    code = (
        "import sys, types, numpy as np, videoxl2\n"
        "model = videoxl2.VideoXL2.from_pretrained(sys.argv[1])\n"
        "times = np.arange(20) * 1000\n"
        "frames = np.zeros((20, model.image_size, model.image_size, 3), np.uint8)\n"
        "session = model.prefill([types.SimpleNamespace(frames=frames, pts_ms=times)])\n"
        "session.generate('?', max_new_tokens=3)\n"
        "assert not {'transformers', 'torch._dynamo', 'sympy'} & set(sys.modules)\n"
    )
    run_alone(code, small_folder)
