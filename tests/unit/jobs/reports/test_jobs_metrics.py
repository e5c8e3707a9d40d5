"""Metrics against cases worked out by hand."""

import pytest

from jobs.answers.overlap import iou
from jobs.reports.evaluation.metrics import (
    Matches,
    average_precision,
    inner_boundaries,
    match_boundaries,
    match_pairs,
    mean_best_iou,
    ndcg,
)


@pytest.mark.parametrize(
    ("predicted", "true", "tolerance_s", "matched"),
    [
        ([10, 20], [10.5, 19], 1, 2),
        ([10, 20], [10.5, 19], 0.5, 1),
        ([10, 10.4], [10.2], 1, 1),  # one truth is not found twice
        ([1, 2], [2, 3], 1, 2),  # 1-2 and 2-3, though 2-2 is nearer
        ([], [5], 1, 0),
        ([5], [], 1, 0),
    ],
)
def test_boundaries_pair_one_to_one(predicted, true, tolerance_s, matched):
    """As many pairs within the tolerance as can be made."""
    assert match_boundaries(predicted, true, tolerance_s) == Matches(matched, len(predicted), len(true))


def test_f1_by_hand():
    """3 of 4 said are true, 3 of 6 true are said: 2·3/(4+6); nothing against nothing is right."""
    assert Matches(3, 4, 6).f1 == pytest.approx(0.6)
    assert (Matches(3, 4, 6).precision, Matches(3, 4, 6).recall) == (0.75, 0.5)
    assert (Matches() + Matches(0, 0, 0)).f1 == 1
    assert Matches(0, 0, 2).f1 == 0


def test_the_first_start_is_no_boundary():
    """A video's beginning is not a decision."""
    assert inner_boundaries([(5, 9), (0, 5), (9, 12)]) == [5, 9]
    assert inner_boundaries([]) == []


def test_iou_by_hand():
    """2 of 6 seconds shared; touching spans share none; gaps are not negative."""
    assert iou((0, 4), (2, 6)) == pytest.approx(1 / 3)
    assert iou((0, 2), (2, 4)) == 0
    assert iou((0, 1), (5, 6)) == 0
    assert iou((1, 1), (1, 1)) == 0


def test_mean_best_iou_by_hand():
    """One scene (0-10) against (0-5), (5-10): 0.5 from our side, 0.5 from theirs."""
    assert mean_best_iou([(0, 10)], [(0, 5), (5, 10)]) == 0.5
    assert mean_best_iou([(0, 5), (5, 10)], [(0, 5), (5, 10)]) == 1
    assert mean_best_iou([], [(0, 1)]) == 0
    assert mean_best_iou([], []) == 1


def test_average_precision_by_hand():
    """Hits at ranks 1 and 3 of two truths: (1/1 + 2/3) / 2; a second hit on one truth counts as a miss."""
    ranked = [(0, 10), (50, 60), (20, 30)]
    assert average_precision(ranked, [(0, 10), (20, 30)], 0.5) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([(0, 10), (0, 10)], [(0, 10)], 0.5) == 1
    assert average_precision([(0, 10), (0, 10)], [(0, 10), (40, 50)], 0.5) == 0.5
    assert average_precision([], [(0, 1)], 0.5) == 0
    assert average_precision([], [], 0.5) == 1


def test_ndcg_by_hand():
    """Discounts are 1, 1/log2(3) = 0.6309, 1/2: gains 0, 7, 3 of 7, 7, 3, 1 give (4.4165 + 1.5) / 12.9165."""
    assert ndcg([0, 7, 3], [3, 7, 1, 7], 3) == pytest.approx(0.45806, abs=1e-5)
    assert ndcg([3, 1], [1, 3], 2) == 1
    assert ndcg([1, 3], [1, 3], 2) == pytest.approx((1 + 3 * 0.63093) / (3 + 0.63093), abs=1e-5)


def test_ndcg_sees_the_first_k_alone():
    """A gain behind them counts for nothing, in what is shown and in the best order alike."""
    assert ndcg([0, 7], [7], 1) == 0
    assert ndcg([7], [7, 7, 7], 1) == 1
    assert ndcg([7], [7, 7, 7], 2) == pytest.approx(1 / 1.63093, abs=1e-5)


def test_ndcg_where_nothing_can_be_found():
    """Showing nothing is right then."""
    assert ndcg([], [0, 0], 10) == 1
    assert ndcg([0], [0, 0], 10) == 0
    assert ndcg([], [1], 10) == 0


def test_pairs_are_rearranged_for_a_larger_matching():
    """The first could take either truth, the second only the first one: both find a partner."""
    fits = {(0, 0), (0, 1), (1, 0)}
    assert match_pairs(lambda p, t: (p, t) in fits, 2, 2).num_matched == 2
