"""Bi-level decoding as a setting: part of the recipe, and rows that say how they were made."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from beside_film import FILM
from places import DATA

from jobs.answers.analysis import Analysis
from jobs.answers.rows import RowBuilder
from jobs.attempts.work import Work
from jobs.benchmarks.answers import AnswerSettings, AnswersFile
from jobs.planning.reasons.staleness import compare_recipes
from jobs.prompts.budget import check_kv
from jobs.prompts.kv import BiLevelKv, kv_of
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.weights import find_weights
from schemas.failures import UsageError
from schemas.identity import VideoObject
from schemas.plan import Reason
from videoxl2.frames import SamplingGrid
from videoxl2.random_checkpoint import write_random_checkpoint

SUMMARY, *_ = load_packs()
KV = BiLevelKv(compression=2, dense_chunks=1, chunk_groups=1)
GRID = SamplingGrid(Fraction(1), 31)
INFO = replace(FILM, duration_ms=30_400, num_frames=760)
RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, ())


def test_dense_recipes_are_what_they_were():
    """Rows of before stay current; each way of pooling is a recipe of its own, and says what is stale."""
    assert RECIPE.recipe_id == "e60b3861676cd4b4"
    bilevel = [replace(RECIPE, kv=kv) for kv in (KV, BiLevelKv(), BiLevelKv(8), BiLevelKv(dense_chunks=2))]
    assert len({one.recipe_id for one in (RECIPE, *bilevel)}) == 5
    asked = [replace(one, prompts=(SUMMARY,)).record for one in (RECIPE, *bilevel)]
    for other in asked[1:]:
        for old, new in ((asked[0], other), (other, asked[0])):
            found = compare_recipes(old, new)
            assert found is not None
            assert (found.reason, found.tasks) == (Reason.STALE_KV, None)
        assert compare_recipes(other, other) is None
    assert asked[2].settings["kv"] == "bilevel 4x, 6 chunks of 24 frames"


def test_rows_say_what_they_were_decoded_on():
    """Dense or how; what no model made says nothing."""
    work = Work(VideoObject("/a.mp4", 1, 1), "key", Reason.NEW, max_frames=2048)

    def kv(recipe):
        builder = RowBuilder(work, recipe, "run", datetime.now(UTC))
        analysis = Analysis(INFO, GRID, (0,), (), ())
        (video,) = builder.bundle(analysis, builder.answer_rows(analysis, {})).videos
        return video.kv

    assert kv(RECIPE) == "dense"
    assert kv(replace(RECIPE, kv=BiLevelKv(2, 3))) == "bilevel 2x, 3 chunks of 24 frames"
    assert kv(Recipe(None, None, "auto", Fraction(1), 2048, ())) is None


def test_nothing_is_said_of_pooling_where_nothing_is_pooled():
    """What was not said is the default."""
    assert kv_of("dense", None, None) is None
    assert kv_of("bilevel", None, None) == BiLevelKv(4, 6)
    assert kv_of("bilevel", 8, 0) == BiLevelKv(8, 0)
    for given, flag in (((4, None), "--kv-compression"), ((None, 6), "--kv-dense-chunks")):
        with pytest.raises(UsageError, match=f"{flag} without --kv bilevel"):
            kv_of("dense", *given)


def test_answers_to_a_benchmark_are_not_mixed(tmp_path):
    """A file of before is one of dense answers."""
    dense = AnswerSettings(benchmark="mlvu", model="m", revision="r", dtype="auto", fps="1", max_frames=9)
    file = tmp_path / "answers.jsonl"
    AnswersFile(file, dense)
    file.write_text(file.read_text().replace(', "kv": "dense"', ""))
    AnswersFile(file, dense)
    with pytest.raises(UsageError):
        AnswersFile(file, dense.model_copy(update={"kv": str(BiLevelKv())}))


def test_only_video_xl_2_is_decoded_so(tmp_path):
    """LLaVA-Video's context is full before pooling would pay; it is told by its weights."""
    llava = find_weights(str(DATA / "llava_video"))
    check_kv(None, llava)
    check_kv(BiLevelKv(), find_weights(str(write_random_checkpoint(tmp_path))))
    with pytest.raises(UsageError, match=r"for Video-XL-2.* LLaVA-Video"):
        check_kv(BiLevelKv(), llava)
