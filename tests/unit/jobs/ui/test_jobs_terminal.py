"""What goes to stdout: valid JSON for machines, and nothing lost on the way."""

import base64
import json

import pytest

from jobs.cluster.joining import join_cluster
from jobs.ui.tables import show_rows
from jobs.ui.terminal import show_json
from jobs.ui.words import timecode
from schemas.failures import PreflightError
from storage.query.catalog import Result


def test_columns_of_one_name_are_all_kept():
    """A join's second `start_ms` is not overwritten by the first."""
    (record,) = Result(("a", "b", "a"), [(1, 2, 3)]).records
    assert list(record.values()) == [1, 2, 3]
    assert list(record)[:2] == ["a", "b"]


def test_json_has_no_nan(capsys):
    """NaN and infinity are null: bare `NaN` is not JSON."""
    show_json([{"x": float("nan"), "y": [float("inf"), 1.5]}])
    text = capsys.readouterr().out
    assert json.loads(text, parse_constant=pytest.fail) == [{"x": None, "y": [None, 1.5]}]


def test_pictures_are_base64_for_machines_and_a_size_for_people(capsys):
    """Inside lists and structs as well; nobody's terminal is filled with bytes."""
    image = bytes(range(256)) * 5
    show_json([{"image": image, "all": [image]}])
    (record,) = json.loads(capsys.readouterr().out)
    assert [base64.b64decode(text, validate=True) for text in (record["image"], *record["all"])] == [
        image
    ] * 2
    show_rows(("image", "all", "row"), [(image, [image, b""], {"image": image})])
    shown = capsys.readouterr().out
    assert shown.split("\n")[1].split("  ") == [
        "1,280 bytes",
        "1,280 bytes, 0 bytes",
        "{'image': '1,280 bytes'}",
    ]


@pytest.mark.parametrize(("ms", "shown"), [(0, "0:00.0"), (59_990, "0:59.9"), (3_723_400, "1:02:03.4")])
def test_timecodes_read_as_players_show_them(ms, shown):
    """Hours only where there are some."""
    assert timecode(ms) == shown


def test_a_cluster_that_is_not_there_is_said_at_once():
    """Ray itself would try for minutes."""
    with (
        pytest.raises(PreflightError, match=r"no Ray cluster at 127\.0\.0\.1:1"),
        join_cluster("127.0.0.1:1"),
    ):
        pass
