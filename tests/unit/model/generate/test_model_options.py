"""Options of one family: what they change is computed, counted and refused as if the checkpoint said it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from videoxl2 import ModelInputError, VideoModel, load_model
from videoxl2.generate.models.video_xl_pro import VideoXLPro
from videoxl2.generate.session import Session
from videoxl2.network.configs.config import ModelConfig, num_kept
from videoxl2.network.configs.config_file import read_config
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.model_options import OPTIONS, changed_options, options_of, with_options
from videoxl2.network.language.context import ids_after_video, most_frames, video_tokens
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.llava_video import LlavaVideoNetwork
from videoxl2.random_checkpoint import write_random_checkpoint

PLAIN = {"pool": "bilinear", "pool-stride": "2", "newline": "grid", "tell-times": "yes"}


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("llava"), family="LLaVA-Video")


@pytest.fixture(scope="module")
def pro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("pro"), family="Video-XL-Pro")


def film(model: VideoModel, num_frames: int = 5) -> SimpleNamespace:
    side = model.image_size
    frames = np.random.default_rng(3).integers(0, 256, (num_frames, side, side, 3), dtype=np.uint8)
    return SimpleNamespace(frames=frames, pts_ms=np.arange(num_frames, dtype=np.int64) * 1300)


def answered(session: Session, prompt: str = "Who is in it?") -> torch.Tensor:
    with session.start(session.select(prompt, None)) as continuation:
        return continuation.push(session.vocabulary.suffix_ids(prompt))


def last_logits(model: VideoModel) -> torch.Tensor:
    return answered(model.prefill([film(model)]))


@pytest.mark.parametrize(
    "given",
    [{"pool": "average", "newline": "frame"}, {"newline": "one_token", "tell-times": "no"}, {"pool": "max"}],
)
def test_an_option_is_what_config_json_would_say(llava: Path, tmp_path: Path, given: dict[str, str]) -> None:
    """The same logits as of a copy whose config.json says so, and other ones than without."""
    names = {"pool": "mm_spatial_pool_mode", "newline": "mm_newline_position"}
    fields = json.loads((llava / "config.json").read_text())
    fields |= {names[key]: value for key, value in given.items() if key in names}
    fields["add_time_instruction"] = given.get("tell-times", "yes") == "yes"
    for file in llava.iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "vision_tower").symlink_to(llava / "vision_tower")
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_text(json.dumps(fields))
    chosen = last_logits(load_model(llava, options=given))
    assert torch.equal(chosen, last_logits(load_model(tmp_path)))
    assert not torch.allclose(chosen, last_logits(load_model(llava)), atol=1e-3)
    assert changed_options(read_config(llava), read_config(tmp_path)) == given


@pytest.mark.parametrize("pool", ["bilinear", "average", "max"])
@pytest.mark.parametrize("stride", [1, 3, 8])
@torch.inference_mode()
def test_a_stride_makes_one_token_of_so_many_patches(llava: Path, pool: str, stride: int) -> None:
    """As pooled after both layers of the projector, row by row with newlines; the plan counts the same."""
    model = load_model(llava, options={"pool": pool, "pool-stride": str(stride)})
    network, side = model.network, model.config.vision.patches_per_side
    assert isinstance(network, LlavaVideoNetwork)
    features = torch.rand(2, side * side, model.config.vision.hidden_size)
    projected = network.projector[2](network.projector[1](network.projector[0](features)))
    grid = projected.transpose(1, 2).unflatten(2, (side, side))
    if pool == "bilinear":
        fewer = -(-side // stride)
        want = functional.interpolate(grid, size=(fewer, fewer), mode="bilinear")
    else:
        shrink = functional.avg_pool2d if pool == "average" else functional.max_pool2d
        want = shrink(grid, stride)
    found = network.projector(features)
    assert torch.allclose(found, want.flatten(2).transpose(1, 2), atol=1e-5)
    rows = want.shape[-1]
    session = model.prefill([film(model)])
    assert session.layout.tokens_per_group == rows * rows + rows == model.config.tokens_per_group
    before = session.num_tokens - len(model.vocabulary.prefix_ids())
    after = ids_after_video(model.config, model.vocabulary, session.frame_times_ms, 5200)
    assert video_tokens(model.config, 5, len(after)) == before


def test_fewer_tokens_leave_room_for_more_frames(llava: Path) -> None:
    """A context holds as many frames as the options leave room for."""
    own = replace(read_config(llava), context_tokens=2000)
    vocabulary = Vocabulary.from_folder(llava, own.chat_frame)

    def frames(**given: str) -> int:
        config = with_options(own, {key.replace("_", "-"): value for key, value in given.items()})
        found = most_frames(config, vocabulary, 500)
        assert found is not None
        return found

    assert frames(pool_stride="1") < frames() < frames(newline="no_token") < frames(pool_stride="4")


def test_a_keep_ratio_is_that_of_every_prompt(pro: Path) -> None:
    """Rows that a prompt is shown, logits, and the tokens that a plan counts follow it."""
    model, fewer = load_model(pro), load_model(pro, options={"keep-ratio": "0.71"})
    assert isinstance(model, VideoXLPro)
    num_frames = 60
    session = fewer.prefill([film(fewer, num_frames)])
    direct = model.prefill([film(model, num_frames)], keep_ratio=0.71)
    visual = session.layout.num_groups * session.layout.tokens_per_group
    assert (
        fewer.config.most_tokens(num_frames) == num_kept(visual, 0.71) < model.config.most_tokens(num_frames)
    )
    assert session.num_tokens == direct.num_tokens
    assert torch.equal(*(answered(one) for one in (session, direct)))


@pytest.mark.parametrize(("num_tokens", "ratio", "kept"), [(16, 0.99, 16), (9, 0.1, 9), (160, 1e-9, 16)])
def test_a_prompt_is_always_shown_something(num_tokens: int, ratio: float, kept: int) -> None:
    """A film of a few small tokens, or a tiny ratio, leaves a step of 16, or all that there are."""
    assert num_kept(num_tokens, ratio) == kept
    assert num_kept(0, ratio) == 0
    assert num_kept(1600, 0.71) == 1136


def test_two_short_films_are_told_apart(pro: Path) -> None:
    """Also where a step of 16 is more than the ratio leaves, with as many rows as a plan counts."""
    model = load_model(pro, options={"keep-ratio": "0.001"})
    one = film(model, 4)
    other = SimpleNamespace(frames=255 - one.frames, pts_ms=one.pts_ms)
    sessions = [model.prefill([each]) for each in (one, other)]
    first, second = map(answered, sessions)
    assert not torch.allclose(first, second, atol=1e-4)
    layout = sessions[0].layout
    visual = layout.num_groups * layout.tokens_per_group
    assert sessions[0].num_tokens == layout.end - visual + model.config.most_tokens(4)


@pytest.mark.parametrize("ratio", [0.99, 0.7, 0.3, 0.01])
def test_as_many_frames_as_fit_are_allowed(pro: Path, ratio: float) -> None:
    """The limit fits, and a group more does not, whatever share of the tokens is kept."""
    config = replace(ModelConfig(family=Family.VIDEO_XL_PRO), keep_ratio=ratio, context_tokens=32_768)
    vocabulary = Vocabulary.from_folder(pro, config.chat_frame)
    room = 32_768 - len(vocabulary.prefix_ids()) - 1500
    limit = most_frames(config, vocabulary, 1500)
    assert limit is not None
    assert video_tokens(config, limit, 0) <= room < video_tokens(config, limit + 1, 0)
    assert most_frames(config, vocabulary, 32_768) == -1


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"keep-ratio": "0.9"}, "LLaVA-Video has no option keep-ratio", "It has pool, pool-stride, newline"),
        ({"pool": "mean"}, "does not take pool=mean: it is none of bilinear, average, max", "Give one of"),
        ({"pool-stride": "two"}, "does not take pool-stride=two", "Give a whole number"),
        ({"pool-stride": "9"}, "a frame has 8 rows of patches", "Give a whole number"),
        ({"tell-times": "maybe"}, "none of yes, no", "Give yes or no."),
    ],
)
def test_what_a_model_has_not_is_refused(llava: Path, given: dict[str, str], message: str, hint: str) -> None:
    """Before weights are read, naming what there is."""
    with pytest.raises(ModelInputError, match=message) as refused:
        load_model(llava, options=given)
    assert refused.value.hint.startswith(hint)
    assert options_of(read_config(llava)) == PLAIN


@pytest.mark.parametrize("ratio", ["0", "1.01", "nan", "many"])
def test_a_keep_ratio_is_a_share(pro: Path, ratio: str) -> None:
    with pytest.raises(ModelInputError, match=f"Video-XL-Pro does not take keep-ratio={ratio}"):
        with_options(read_config(pro), {"keep-ratio": ratio})


def test_a_model_without_options_says_so() -> None:
    with pytest.raises(ModelInputError, match="Video-XL-2 has no option pool") as refused:
        with_options(ModelConfig(), {"pool": "average"})
    assert refused.value.hint == "It has none: leave it out."


def test_every_option_says_what_it_does_and_keeps_its_own_value(llava: Path, pro: Path) -> None:
    """Setting an option to what it is changes nothing, and whoever reads the page learns what it takes."""
    for folder in (llava, pro):
        config = read_config(folder)
        assert changed_options(config, with_options(config, options_of(config))) == {}
    assert all(one.said.endswith(".") and one.takes and one.families for one in OPTIONS)
    changed = with_options(read_config(pro), {"keep-ratio": "0.990"})
    assert replace(changed, raw={}) == replace(read_config(pro), raw={})
