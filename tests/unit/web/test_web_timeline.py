"""Bars and ticks lie where their times say."""

from typing import Any

from jobs.web.timeline import lay_out
from jobs.web.videos import VideoRows


def _rows(duration_ms: int, scenes: list[dict[str, Any]]) -> VideoRows:
    tables: dict[str, list[dict[str, Any]]] = {"scenes": scenes, "highlights": [], "characters": []}
    return VideoRows({"duration_ms": duration_ms}, tables | {"appearances": []}, None)


def test_bars_are_shares_of_the_duration() -> None:
    """A quarter in, half as long as the video."""
    (lane,) = lay_out(_rows(8000, [{"start_ms": 2000, "end_ms": 6000, "title": "T"}])).lanes
    assert [(bar.x, bar.width) for bar in lane.bars] == [(25.0, 50.0)]
    assert lane.bars[0].label == "0:02–0:06  T"


def test_bars_stay_inside_and_can_be_seen() -> None:
    """Moments of no length, at the end, beyond it and before the start."""
    times = [(0, 0), (7999, 8000), (8000, 9000), (-5, 3)]
    scenes = [{"start_ms": start, "end_ms": end, "title": ""} for start, end in times]
    (lane,) = lay_out(_rows(8000, scenes)).lanes
    for bar in lane.bars:
        assert bar.x >= 0
        assert bar.width > 0.2
        assert bar.x + bar.width <= 100.001


def test_ticks_are_few_and_round() -> None:
    """From seconds to a day, also for a video of no length."""
    assert [text for _, text in lay_out(_rows(8000, [])).ticks] == [f"0:0{n}" for n in range(9)]
    assert [text for _, text in lay_out(_rows(7_200_000, [])).ticks] == [
        "0:00", "15:00", "30:00", "45:00", "1:00:00", "1:15:00", "1:30:00", "1:45:00", "2:00:00",
    ]  # fmt: skip
    assert len(lay_out(_rows(86_400_000, [])).ticks) <= 9
    assert lay_out(_rows(0, [])).ticks == ((0.0, "0:00"),)
