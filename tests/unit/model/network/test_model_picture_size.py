"""Which size pictures are shown in, against what the published processors of transformers 5.23 compute."""

import random

import pytest

from videoxl2.network.configs.config import ModelConfig, VisionConfig
from videoxl2.network.configs.picture_size import (
    OwnShape,
    PictureSize,
    PixelBudget,
    Squares,
    qwen2_5_pictures,
    qwen3_pictures,
)

# Width, height, frames; height and width by Qwen2.5-VL capped per frame, by Qwen3-VL as published, and by
# Qwen3-VL's class default of 786,432 pixels.
PUBLISHED = [
    (1920, 1080, 2, (560, 1008), (1088, 1920), (448, 832)),
    (1280, 720, 64, (560, 1008), (448, 832), (64, 128)),
    (1280, 720, 768, (336, 644), (128, 224), (32, 32)),
    (1080, 1920, 5, (1008, 560), (1920, 1088), (512, 288)),
    (640, 480, 7, (476, 644), (480, 640), (288, 384)),
    (3840, 2160, 13, (560, 1008), (1024, 1824), (160, 320)),
    (48, 40, 16, (308, 364), (32, 64), (32, 64)),
    (20, 400, 9, (1428, 84), (640, 32), (640, 32)),
    (400, 20, 9, (84, 1428), (32, 640), (32, 640)),
    (1366, 768, 384, (504, 896), (160, 320), (32, 32)),
    (1920, 800, 1000, (252, 644), (96, 224), (32, 32)),
    (720, 576, 10, (588, 728), (576, 704), (224, 288)),
    (17, 11, 4, (280, 420), (32, 64), (32, 64)),
    (8192, 4320, 3, (560, 1064), (2080, 3968), (352, 704)),
    (850, 480, 250, (476, 840), (224, 416), (32, 64)),
    (1440, 1080, 1714, (280, 364), (96, 128), (32, 32)),
]


@pytest.mark.parametrize(("width", "height", "num_frames", "of_2_5", "of_3", "of_3_default"), PUBLISHED)
def test_sizes_are_those_of_the_published_processors(
    width: int,
    height: int,
    num_frames: int,
    of_2_5: tuple[int, int],
    of_3: tuple[int, int],
    of_3_default: tuple[int, int],
) -> None:
    """Qwen2.5-VL's budget is a frame's, Qwen3-VL's all frames', and both round and cut as published."""
    assert qwen2_5_pictures(14).size(width, height, num_frames) == of_2_5
    assert qwen3_pictures(16).size(width, height, num_frames) == of_3
    assert qwen3_pictures(16, 4096, 786_432).size(width, height, num_frames) == of_3_default


def test_bars_longer_than_the_budget_are_shortened() -> None:
    """The published rule shows 30 frames of 2048 x 16 pixels as 1824 x 32, twice the budget."""
    size = qwen3_pictures(16, 4096, 786_432).size(2048, 16, 30)
    assert size == (32, 800)
    assert 30 * size.area <= 786_432


def test_today_s_models_take_squares_whatever_the_video() -> None:
    """A model without a shape of its own takes its square, and a group has always as many tokens."""
    rule = ModelConfig(vision=VisionConfig(image_size=112)).picture_rule
    assert isinstance(rule, Squares)
    assert rule.size(1920, 1080, 700) == (112, 112)
    assert rule.tokens(PictureSize(112, 112)) == 144
    assert not rule.keeps_shape


def test_a_config_with_a_shape_of_its_own_follows_the_video() -> None:
    """What a config says of pictures is what its rule is."""
    rule = ModelConfig(own_shape=qwen3_pictures(16)).picture_rule
    assert rule.keeps_shape
    assert rule.size(1280, 720, 64) == (448, 832)
    assert rule.tokens(PictureSize(448, 832)) == 14 * 26


@pytest.mark.parametrize("rule", [qwen2_5_pictures(14), qwen3_pictures(16)], ids=["2.5", "3"])
@pytest.mark.parametrize("num_frames", [2, 3, 5, 7, 50, 1800, 10_000])
@pytest.mark.parametrize("sides", [(1920, 1080), (1080, 1920), (640, 480), (64, 64), (1, 5000)])
def test_a_wanted_budget_is_kept(rule: OwnShape, num_frames: int, sides: tuple[int, int]) -> None:
    """Pixels of a frame, and of all frames, stay within what is wanted, below the model's own least too."""
    wanted = PixelBudget(per_frame=120_000, at_once=30_000_000)
    size = rule.within(wanted).size(*sides, num_frames)
    assert size.height % rule.unit == size.width % rule.unit == 0
    assert size.area <= 200 * rule.unit**2 if min(sides) < rule.unit else size.area <= 120_000
    assert size.area * num_frames <= 30_000_000 or min(size) == rule.unit


def test_many_frames_of_qwen2_5_fit_its_context() -> None:
    """At 2,048 frames a frame has fewer pixels than the published least, as 128,000 tokens hold no more."""
    rule = qwen2_5_pictures(14)
    size = rule.size(1920, 1080, 2048)
    assert rule.tokens(size) * 1024 <= 115_200
    assert size.area < rule.least


def test_one_budget_leaves_the_other_as_it_is() -> None:
    """Naming the pixels of a frame does not lift the bound of all frames."""
    rule = qwen3_pictures(16).within(PixelBudget(per_frame=100_000))
    assert rule.most == PixelBudget(100_000, 25_165_824)
    assert rule.size(1280, 720, 2048) == qwen3_pictures(16).size(1280, 720, 2048)
    assert rule.size(1280, 720, 4).area <= 100_000


def test_sides_read_as_people_write_them() -> None:
    """Width first, as everywhere else that a size is told."""
    assert str(PictureSize(448, 832)) == "832x448"


@pytest.mark.parametrize("rule", [qwen2_5_pictures(14), qwen3_pictures(16)], ids=["2.5", "3"])
def test_no_video_of_so_many_frames_has_more_tokens(rule: OwnShape) -> None:
    """Whatever its shape, and whichever shorter one it is; more frames never bound fewer tokens."""
    draw = random.Random(5)
    sides = [(3840, 2160), (1080, 1920), (8192, 4320), (20, 20), (90, 4000)]
    sides += [(draw.randint(16, 4096), draw.randint(16, 4096)) for _ in range(10)]
    highest = before = 0
    for num_frames in [*range(1, 40), *range(505, 530), 1715, 2048, 10_000, 40_000]:
        pairs = -(-num_frames // 2)
        highest = max(highest, *(pairs * rule.tokens(rule.size(*one, num_frames)) for one in sides))
        bound = rule.most_tokens(num_frames)
        assert max(highest, before) <= bound
        assert bound <= max(1.1 * highest, pairs)
        before = bound


def test_all_frames_of_the_published_budgets_fit_the_published_contexts() -> None:
    """Of 128,000 and 262,144 tokens, at any number of frames that a run can show."""
    assert qwen2_5_pictures(14).most_tokens(10_000) < 116_000
    assert qwen3_pictures(16).most_tokens(10_000) < 19_000


def test_a_config_within_a_budget_has_fewer_tokens() -> None:
    """Squares stay as they are."""
    config = ModelConfig(own_shape=qwen3_pictures(16))
    assert config.within(PixelBudget(at_once=2_000_000)).most_tokens(200) < config.most_tokens(200) / 5
    squares = ModelConfig()
    assert squares.within(PixelBudget(at_once=2_000_000)) == squares
    assert squares.most_tokens(9) == 3 * 144
