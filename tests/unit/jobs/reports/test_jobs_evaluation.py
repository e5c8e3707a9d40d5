"""An index against the truth, on rows put there by hand."""

import json

import pytest

from jobs.reports.evaluation.tallies import compare
from jobs.reports.evaluation.truth import evaluate, read_truth, tally_index
from schemas.failures import UsageError
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog


@pytest.fixture
def catalog(tmp_path, make_bundle):
    """One video: scenes 0-8 and 8-20 s, a cyclist, one highlight at 15-17 s."""
    bundle = make_bundle(uri="s3://films/a.mp4", titles=("a park", "a red car"))
    first, second = bundle.scenes
    bundle = bundle.model_copy(
        update={
            "scenes": (
                first.model_copy(update={"start_ms": 0, "end_ms": 8000}),
                second.model_copy(update={"start_ms": 8000, "end_ms": 20_000}),
            ),
            "highlights": (bundle.highlights[0].model_copy(update={"start_ms": 15_000, "end_ms": 17_000}),),
        }
    )
    index = open_index(str(tmp_path / "index"), create=True)
    ids = bundle.commit.video_id, bundle.commit.analysis_key
    index.commit(*ids, encode_bundle(bundle))
    index.publish([ids])
    with open_catalog(str(tmp_path / "index")) as opened:
        yield opened


@pytest.fixture
def measure(tmp_path, catalog):
    """Evaluate what is said of the one video; measures by name."""

    def run(**true) -> dict[str, float]:
        file = tmp_path / "truth.json"
        file.write_text(json.dumps({"videos": [{"uri": "a.mp4"} | true]}))
        return {m.name: m.value for m in evaluate(catalog, read_truth(file))}

    return run


def spans(*pairs):
    return [{"start_s": start, "end_s": end} for start, end in pairs]


def test_scenes_are_judged_by_boundaries_and_overlap(measure):
    """The one boundary, at 8 s, is 1.5 s from the true one."""
    values = measure(scenes=spans((0, 9.5), (9.5, 20)))
    assert values["scene boundary F1, ±1 s"] == 0
    assert values["scene boundary F1, ±2 s"] == 1
    assert values["scene mIoU"] == pytest.approx((8 / 9.5 + 10.5 / 12) / 2)


def test_highlights_characters_and_moments(measure):
    """Right highlight, one of two characters, a moment found by its words."""
    values = measure(
        highlights=spans((16, 17)),
        characters=[{"words": ["Cyclist"]}, {"words": ["dog"]}],
        moments=[{"text": "the red car", "start_s": 8, "end_s": 14}],
    )
    assert values["highlight hit@1"] == 1
    assert values["highlight mAP, IoU 0.5"] == 1
    assert values["character F1"] == pytest.approx(2 / 3)
    assert (values["grounding R@1, IoU 0.5"], values["grounding R@1, IoU 0.7"]) == (1, 0)
    assert "scene mIoU" not in values


def test_two_indexes_are_compared(tmp_path, catalog):
    """Measure by measure; one film has differences, and no interval: it says nothing of others."""
    file = tmp_path / "truth.json"
    true = {"uri": "a.mp4", "scenes": spans((0, 8), (8, 20)), "characters": [{"words": ["Cyclist"]}]}
    file.write_text(json.dumps({"videos": [true]}))
    found = tally_index(catalog, read_truth(file))
    assert {(d.difference, d.low, d.high) for d in compare(found, found)} == {(0, None, None)}
    true["scenes"] = spans((0, 15), (15, 20))
    file.write_text(json.dumps({"videos": [true]}))
    worse = {d.name: d for d in compare(found, tally_index(catalog, read_truth(file)))}
    assert worse["scene boundary F1, ±2 s"].difference == -1
    assert worse["character F1"].difference == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "Invalid JSON"),
        ('{"videos": []}', "videos"),
        ('{"videos": [{"uri": "a", "scenes": [{"start_s": 2, "end_s": 1}]}]}', "not after its start"),
        ('{"videos": [{"uri": "a", "sceens": []}]}', "sceens"),
    ],
)
def test_a_broken_truth_is_named(tmp_path, text, complaint):
    """Before anything is measured."""
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        read_truth(tmp_path / "t.json")


def test_a_video_that_is_not_there_is_named(measure, tmp_path, catalog):
    """Judging a part of the truth in silence would be a wrong number."""
    with pytest.raises(UsageError, match=r"other\.mp4 is not in the index"):
        measure(uri="other.mp4")
