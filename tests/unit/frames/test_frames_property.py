"""Films drawn from seeds: what is read of them is what they were written to show, or is said to be in doubt.

`PYTHONPATH=tests/support python -m oddfilms SEED` repeats one film; `bench/frames_property.py` draws many.
"""

from typing import Any

import av
import pytest
from oddfilms import KINDS, draw, judge, make
from oddfilms.barcode import read_number

NUM_PER_KIND, NUM_AT_NIGHT = 10, 70


def seeds(kind):
    """Of a kind, in turn; those of `make test` come first."""
    return range(KINDS.index(kind), (NUM_PER_KIND + NUM_AT_NIGHT) * len(KINDS), len(KINDS))


@pytest.mark.parametrize(
    "which",
    [
        pytest.param(slice(NUM_PER_KIND), id="some"),
        pytest.param(slice(NUM_PER_KIND, None), id="others", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_film_is_read_wrong_without_a_word(kind, which, tmp_path):
    """Sampled whole, in spans, as keyframes, as a thumbnail, around cuts: pictures and times are true, whole
    and spans agree. Only films without a clock may be estimated, and only cut ones called damaged."""
    wrong = {}
    for seed in seeds(kind)[which]:
        film = make(tmp_path, draw(seed))
        judgement = judge(film)
        if judgement.verdict not in ("right", *film.recipe.excuses):
            wrong[seed] = f"{judgement.verdict}: {film.recipe}: {judgement.problems[:3]}"
        film.path.unlink()
    repeat = f"PYTHONPATH=tests/support python -m oddfilms {' '.join(map(str, wrong))}"
    assert not wrong, repeat


@pytest.mark.parametrize("seed", [7301943, 7304358])
def test_mpeg_4_of_another_size_takes_no_picture_away(seed, tmp_path):
    """The one that the decoder holds back, as B pictures make it do, is shown before the size changes."""
    film = make(tmp_path, draw(seed, "size"))
    assert film.recipe.codec == "mpeg4"
    assert film.recipe.num_b
    judgement = judge(film)
    assert judgement.verdict == "right", judgement.problems


@pytest.mark.parametrize("kind", ["plain", "order", "long"])
def test_the_drawn_films_hold_their_pictures(kind, tmp_path):
    """What the property is measured with: decoded in order by PyAV alone, the numbers are those written."""
    for seed in list(seeds(kind))[:5]:
        film = make(tmp_path, draw(seed))
        with av.open(str(film.path)) as container:
            video = max(container.streams.video, key=lambda stream: stream.width)
            pictures: list[Any] = [each.to_ndarray(format="rgb24") for each in container.decode(video)]
        assert sorted(map(read_number, pictures)) == list(range(film.num_pictures)), seed
