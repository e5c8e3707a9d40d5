"""JSON Lines and CSV: every value comes back."""

import base64
import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from jobs.exports.table_rows import to_csv, to_json_lines
from storage.query.catalog import Result

WHEN = datetime(2026, 11, 21, 8, 30, 0, 250_000, tzinfo=UTC)
COLUMNS = ("text", "number", "share", "flag", "tags", "at", "nothing")


@pytest.fixture
def batches(hostile):
    """Two batches with a row per hostile text."""
    rows = [(m.title, -m.number, 0.1, True, [m.title, 'q"'], WHEN, None) for m in hostile]
    return [Result(COLUMNS, rows[:4]), Result(COLUMNS, rows[4:])]


def test_json_lines_hold_every_value(batches, hostile):
    """One line per row, texts untouched, times ISO 8601 in UTC."""
    text = "".join(to_json_lines(batches))
    assert text.count("\n") == len(hostile)
    found = [json.loads(line) for line in text.split("\n")[:-1]]
    assert [tuple(row) for row in found] == [COLUMNS] * len(hostile)
    assert [row["text"] for row in found] == [m.title for m in hostile]
    assert [row["tags"] for row in found] == [[m.title, 'q"'] for m in hostile]
    assert {k: found[0][k] for k in COLUMNS[1:4]} == {"number": -1, "share": 0.1, "flag": True}
    assert (found[0]["at"], found[0]["nothing"]) == ("2026-11-21T08:30:00.250000Z", None)


def test_csv_holds_every_value(batches, hostile):
    """A header once, lists as JSON, null as nothing; a text that would run as a formula is quoted."""
    text = "".join(to_csv(batches))
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == COLUMNS
    assert [row[0].removeprefix("'") for row in rows] == [m.title for m in hostile]
    assert [row[0] for row in rows if row[0].startswith("'")] == ['\'=HYPERLINK("http://x","y")']
    assert [json.loads(row[4]) for row in rows] == [[m.title, 'q"'] for m in hostile]
    assert rows[0][1:4] + rows[0][5:] == ["-1", "0.1", "true", "2026-11-21T08:30:00.250000Z", ""]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_are_quoted_in_texts_only(text):
    """A number below zero is no formula."""
    (_, row) = csv.reader(io.StringIO("".join(to_csv([Result(("a", "b"), [(text, -1)])])), newline=""))
    assert row == [f"'{text}", "-1"]


def test_what_json_does_not_know_is_null_and_zones_become_utc():
    """NaN and infinity, also inside lists; 10:30 at +02:00 is 08:30."""
    when = WHEN.astimezone(timezone(timedelta(hours=2)))
    (text,) = to_json_lines([Result(("a", "b", "c"), [(math.nan, [math.inf, 1.5], when)])])
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": "2026-11-21T08:30:00.250000Z"}


def test_pictures_are_base64_in_both():
    """Whose letters are none of JSON's or CSV's own."""
    image = bytes(range(256))
    batch = Result(("image",), [(image,)])
    (line,) = to_json_lines([batch])
    _, (cell,) = csv.reader(io.StringIO("".join(to_csv([batch])), newline=""))
    assert base64.b64decode(json.loads(line)["image"], validate=True) == image
    assert base64.b64decode(cell, validate=True) == image


def test_a_table_without_rows_has_its_header():
    """Readers of an empty CSV still learn the columns."""
    assert "".join(to_csv([Result(("a", "b"), [])])) == "a,b\r\n"
    assert "".join(to_json_lines([Result(("a", "b"), [])])) == ""
