"""A model whose layers lie on several devices: the same answers, and every tensor where its layer is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from named_devices import NamedDevices, OtherDeviceError

from videoxl2 import (
    BiLevelOptions,
    ModelInputError,
    ModelMemoryError,
    PrefillOptions,
    VideoModel,
    load_model,
)
from videoxl2.generate.blind import blind_logprobs
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.decode_step import ALL_PLAIN, StepRecorder
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.network.checkpoint import empty_network, load_network
from videoxl2.network.configs.config import LanguageConfig, ModelConfig
from videoxl2.network.configs.config_file import read_config
from videoxl2.network.configs.families import Family
from videoxl2.network.footprint import GB, Share, fewest_devices, num_parameters, share_parameters, shares
from videoxl2.network.language.cache import KVCache
from videoxl2.network.spread import Spread, check_room
from videoxl2.random_checkpoint import write_random_checkpoint

THREE = tuple(torch.device(f"xla:{n}") for n in range(3))
QWEN_72B = ModelConfig(language=LanguageConfig(8192, 29_568, num_layers=80, num_heads=64, num_kv_heads=8))


@pytest.fixture(scope="module", params=list(Family))
def folder(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("spread"), family=request.param)


def spread_evenly(config: ModelConfig, devices: Sequence[torch.device]) -> Spread:
    """With layers on every device, however large the tower beside a small model's layers."""
    ends = (Share(0, True, False), Share(0, False, True))
    before, after = (share_parameters(config, share) * 4 for share in ends)
    free = [before, *[0] * (len(devices) - 2), after]
    return Spread.over(config, devices, itemsize=4, free_bytes=free)


@contextmanager
def spread_out(model: VideoModel, devices: tuple[torch.device, ...] = THREE) -> Iterator[NamedDevices]:
    """Let a model that lies on the CPU lie on devices of these names."""
    spread = spread_evenly(model.config, devices)
    named = NamedDevices()
    for name, parameter in model.network.named_parameters():
        named.put(parameter, spread.device_of(name))
    for name, buffer in model.network.named_buffers():
        named.put(buffer, spread.device_of(name))
    with named:
        model.network.language.join_weights()
        yield named


def everything(model: VideoModel, video: Any, **options: Any) -> list[Any]:
    """What a session can be asked, in numbers that are compared bit by bit."""
    prompts = ["What?", "Who is in the room, and when?", "Why?"]
    session = model.prefill(video, prefill=PrefillOptions(**options))
    found: list[Any] = [session.generate_many(prompts, max_new_tokens=6, max_rows=2)]
    selections = [session.select(prompt, None) for prompt in prompts]
    with session.start_rows(3, selections) as rows:
        found += [rows.push([[1, 2], [3], [4, 5, 6]]).tolist(), rows.push([[7], [], [8]]).tolist()]
    with session.start(selections[0]) as continuation:
        found += [continuation.push([5, 6, 7]).tolist(), continuation.push_all([8, 9]).tolist()]
    found.append(blind_logprobs(model, [1, 2, 3], [4, 5]))
    return found


def pooled(model: VideoModel, video: Any) -> list[Any]:
    """The same with chunks that are pooled, chosen by attention and by windows."""
    options = BiLevelOptions(chunk_groups=1, top_chunks=2)
    session = model.prefill(video)
    chosen = [session.generate("Who?", max_new_tokens=4, bilevel=options)]
    windows = [session.select("?", options, window_ms=(at, at + 8000)) for at in (8000, 24_000)]
    with session.start_rows(2, windows) as rows:
        return [chosen, rows.push([[1, 2], [3]]).tolist(), rows.push([[4], [5]]).tolist()]


def padded(model: VideoModel, video: Any, recorder: StepRecorder) -> list[Any]:
    """Answers in steps that are padded to few kinds, by twos and by three, of which one ends first."""
    session = replace(model.prefill(video), recorder=recorder)
    answers = session.generate_many(["What?", "Who?", "Why?"], max_new_tokens=6, max_rows=2)
    with session.start_rows(3) as rows:
        pushes = [[[1, 2], [3], [4, 5, 6]], [[7], [8], [9]], [[7], [8], [9]], [[1], [], [2]], [[], [3], []]]
        return [answers, *(rows.push(push).tolist() for push in pushes)]


def test_a_spread_model_computes_what_an_unspread_one_does(folder: Path, noise: Any) -> None:
    """Bit by bit, for rows, continuations and reading without the video, in every family; and no operation
    was given tensors of two devices. Hidden states cross each border once a pass."""
    model = load_model(folder)
    height, _ = model.config.picture_rule.size(112, 112, 20)
    video = noise(20, size=height)
    want = everything(model, video)
    with spread_out(model) as named:
        assert model.devices == THREE
        assert everything(model, video) == want
    crossed = {pair for pair in named.crossed if "cpu" not in pair}
    assert crossed >= {("xla:0", "xla:1"), ("xla:1", "xla:2"), ("xla:2", "xla:0")}


@pytest.mark.parametrize("options", [{"mode": "mask"}, {"offload": True}, {"chunk_groups": 2}])
def test_however_it_is_prefilled(small_folder: Path, noise: Any, options: dict[str, Any]) -> None:
    """With masks, with keys and values in host memory, and with rows listed."""
    model, video = load_model(small_folder), noise(40)
    want = everything(model, video, **options)
    with spread_out(model):
        assert everything(model, video, **options) == want


def test_bilevel_decoding_is_spread_too(small_folder: Path, noise: Any) -> None:
    """Pooled caches lie where the dense ones do, and attention that scores chunks is summed up across."""
    model, video = load_model(small_folder), noise(48)
    with spread_out(model, THREE[:1]):  # on a plain CPU a single answer is computed otherwise
        want = pooled(model, video)
    with spread_out(model):
        assert pooled(model, video) == want


@pytest.mark.parametrize("num_devices", [1, 3])
def test_a_single_answer_takes_one_way_on_any_number_of_devices(
    small_folder: Path, noise: Any, num_devices: int
) -> None:
    """Rounding is then the same in 16 bits, too; on a CPU alone the row is in the cache itself."""
    model, video = load_model(small_folder), noise(8)
    with model.prefill(video).start_rows(1) as row:
        assert isinstance(row, OneRow)
    with spread_out(model, THREE[:num_devices]), model.prefill(video).start_rows(1) as row:
        assert isinstance(row, Rows)


def test_steps_are_padded_alike_on_any_number_of_devices(small_folder: Path, noise: Any) -> None:
    """Those that a GPU replays, and those of several GPUs, which are never recorded: bit by bit."""
    model, video = load_model(small_folder), noise(20)
    replayed = padded(model, video, StepRecorder(torch.device("cpu"), plain_first=0))
    with spread_out(model):
        assert padded(model, video, StepRecorder(THREE[0], ALL_PLAIN)) == replayed


@pytest.mark.parametrize("num_devices", [1, 2])
def test_only_a_gpu_alone_records(
    small_folder: Path, monkeypatch: pytest.MonkeyPatch, num_devices: int
) -> None:
    """Steps are of one kind on one GPU and on several; graphs are of one."""
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: None)
    model = load_model(small_folder)
    assert model._step_recorder() is None
    with spread_out(model, (torch.device("cuda:0"), torch.device("cuda:1"))[:num_devices]):
        recorder = model._step_recorder()
    assert recorder is not None
    assert (recorder.plain_first == ALL_PLAIN) == (num_devices == 2)


def test_a_step_crosses_each_border_with_a_fixed_number_of_tensors(small_folder: Path, noise: Any) -> None:
    """Tokens and their angles, and the plan of the pass; not something for every layer."""
    model = load_model(small_folder)
    with spread_out(model, THREE[:2]) as named:
        session = model.prefill(noise(8))
        with session.start_rows(2) as rows:
            rows.push([[1], [2]])
            named.crossed.clear()
            rows.push([[3], [4]])
    assert named.crossed["xla:1", "xla:0"] == 1, "the logits"
    assert named.crossed["xla:0", "xla:1"] <= 12


def test_a_tensor_on_the_wrong_device_is_noticed(
    small_folder: Path, noise: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail."""
    model = load_model(small_folder)
    monkeypatch.setattr(KVCache, "device_of", lambda self, layer: self.device)
    with spread_out(model), pytest.raises(OtherDeviceError, match="xla:1"):
        model.prefill(noise(8))


def test_weights_are_read_to_their_own_devices(folder: Path) -> None:
    """What comes before the layers to the first, norm and head to the last, layers in turn."""
    config = read_config(folder)
    devices = [torch.device("cpu"), torch.device("meta")]
    network = load_network(folder, config, spread_evenly(config, devices), torch.float32)
    layers = [next(layer.parameters()).device.type for layer in network.language.layers]
    assert layers == ["cpu", "cpu", "meta", "meta"]
    on_meta = {name for name, x in network.named_parameters() if x.is_meta}
    last = ("language.layers.2.", "language.layers.3.", "language.norm.", "language.lm_head.")
    assert on_meta == {name for name, _ in network.named_parameters() if name.startswith(last)}
    assert [place.type for place in network.language.cache_shape.devices] == layers


@pytest.mark.parametrize("bits", [8, 4])
def test_quantised_weights_are_spread_too(small_folder: Path, noise: Any, bits: int) -> None:
    """Each layer is quantised where it is to lie, and computes what it does on one device."""
    model, video = load_model(small_folder, weight_bits=bits), noise(20)
    want = everything(model, video)
    with spread_out(model):
        assert model.devices == THREE
        assert everything(model, video) == want
    config = model.config
    spread = spread_evenly(config, [torch.device("cpu"), torch.device("meta")])
    language = load_network(small_folder, config, spread, torch.float32).language
    places = {name.split(".")[1]: x.device.type for name, x in language.named_buffers()}
    assert places == {"0": "cpu", "1": "cpu", "2": "meta", "3": "meta"}


@pytest.mark.parametrize("num_devices", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("is_tied", [False, True])
def test_shares_are_even_and_nothing_is_left_out(num_devices: int, is_tied: bool) -> None:
    """No device has a layer more than it must; a head that is the embedding is where that is."""
    config = replace(QWEN_72B, language=replace(QWEN_72B.language, tie_word_embeddings=is_tied))
    parts = shares(config, num_devices)
    held = [share_parameters(config, share) for share in parts]
    layer = share_parameters(config, Share(1, False, False))
    assert sum(held) == num_parameters(config)
    assert max(held) - min(held) <= layer
    assert sum(share.num_layers for share in parts) == 80
    assert [share.has_input for share in parts] == [True] + [False] * (num_devices - 1)
    assert parts[0 if is_tied else -1].has_output


def test_a_fuller_gpu_gets_fewer_layers() -> None:
    """Others may be at work on it."""
    free = [GB * 60, GB * 30, GB * 75]
    first, second, third = shares(QWEN_72B, 3, free_bytes=free)
    assert second.num_layers < first.num_layers < third.num_layers
    check_room(QWEN_72B, 2, free)


def test_72b_takes_four_cards_of_48_gb() -> None:
    """Counted on meta tensors; and what cannot fit is refused with the calculation, and what would do."""
    network = empty_network(QWEN_72B)
    assert num_parameters(QWEN_72B) == sum(x.numel() for x in network.parameters())
    assert [fewest_devices(size * GB, QWEN_72B) for size in (24, 48, 80, 141)] == [8, 4, 3, 2]
    assert fewest_devices(8 * GB, QWEN_72B) is None
    check_room(QWEN_72B, 2, [48 * GB] * 4)
    with pytest.raises(ModelMemoryError) as refused:
        check_room(QWEN_72B, 2, [48 * GB] * 2)
    assert str(refused.value) == "the weights are 146.5 GB; 2 GPUs have 48.0 + 48.0 GB free"
    assert "--gpus-per-model 4" in refused.value.hint
    with pytest.raises(ModelMemoryError) as refused:
        check_room(QWEN_72B, 2, [8 * GB])
    assert "16 of these do not hold it" in refused.value.hint


def test_more_devices_than_layers_are_refused(small_folder: Path) -> None:
    """Before anything is read."""
    with pytest.raises(ModelInputError, match="5 devices for a model of 4 layers"):
        load_model(small_folder, devices=["cpu"] * 5)
    assert load_model(small_folder, devices=["cpu"] * 2).devices == (torch.device("cpu"),)
