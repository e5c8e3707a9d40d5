"""Tables that prompt packs bring: typed, current, and known to readers without the pack."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.commit import Bundle
from schemas.failures import PreflightError
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog

MakeBundle = Callable[..., Bundle]
MakeRow = Callable[..., Any]


class Vehicle(BaseModel):
    """A part of an answer."""

    plate: str
    wheels: int | None


class EventAnswer(TimedAnswer):
    """Something that happens."""

    layout = Moments(at_most=3, longest_s=9)

    order: Annotated[str, Field(max_length=9)]  # a word of SQL
    kind: Literal["theft", "fire"]
    is_urgent: bool
    vehicles: list[Vehicle]


EVENT = row_type(EventAnswer)


def _commit(folder: Path, bundle: Bundle, own: dict[str, Any]) -> None:
    index = open_index(str(folder), create=True, own=own)
    commit = bundle.commit
    index.commit(commit.video_id, commit.analysis_key, encode_bundle(bundle))
    index.publish([(commit.video_id, commit.analysis_key)])


def _with_events(bundle: Bundle, make_row: MakeRow, **values: Any) -> Bundle:
    ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key")}
    event = make_row(EVENT, **ids, **values)
    return bundle.model_copy(update={"own": {"events": (event,)}})


def test_rows_come_back_typed(tmp_path: Path, make_bundle: MakeBundle, make_row: MakeRow) -> None:
    """Words of SQL as names, enumerations, truth values and nested records included."""
    vehicles = [Vehicle(plate="AB 12", wheels=4), Vehicle(plate="ö", wheels=None)]
    bundle = _with_events(
        make_bundle(), make_row, order="first", kind="fire", is_urgent=True, vehicles=vehicles
    )
    _commit(tmp_path / "index", bundle, {"events": EVENT})
    with open_catalog(str(tmp_path / "index")) as catalog:
        result = catalog.query('SELECT "order", kind, is_urgent, vehicles[1].wheels, vehicles FROM events')
        nested = [vehicle.model_dump() for vehicle in vehicles]
        assert result.rows == [("first", "fire", True, 4, nested)]


def test_a_table_is_there_before_its_first_row(tmp_path: Path, make_bundle: MakeBundle) -> None:
    """A video in which nothing happened leaves a table that can be asked."""
    _commit(tmp_path / "index", make_bundle(), {"events": EVENT})
    with open_catalog(str(tmp_path / "index")) as catalog:
        assert catalog.query("SELECT kind FROM events").rows == []


def test_other_writers_keep_the_table(tmp_path: Path, make_bundle: MakeBundle, make_row: MakeRow) -> None:
    """A run without the pack, and one whose schema has a column more."""
    _commit(tmp_path / "index", _with_events(make_bundle(uri="/v/a.mp4"), make_row), {"events": EVENT})
    _commit(tmp_path / "index", make_bundle(uri="/v/b.mp4"), {})

    class WiderAnswer(EventAnswer):
        """With a column more."""

        colour: str

    wider = row_type(WiderAnswer)
    bundle = make_bundle(uri="/v/c.mp4")
    ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key")}
    bundle = bundle.model_copy(update={"own": {"events": (make_row(wider, colour="red", **ids),)}})
    _commit(tmp_path / "index", bundle, {"events": wider})
    with open_catalog(str(tmp_path / "index")) as catalog:
        assert catalog.query("SELECT colour FROM events ORDER BY 1").rows == [("red",), (None,)]


def test_what_no_picture_shows_is_left_out(
    tmp_path: Path, make_bundle: MakeBundle, make_row: MakeRow
) -> None:
    """The view shows what the model saw; `_all` keeps the rest."""
    _commit(tmp_path / "index", _with_events(make_bundle(), make_row, is_grounded=False), {"events": EVENT})
    with open_catalog(str(tmp_path / "index")) as catalog:
        assert catalog.query("SELECT count(*) FROM events").rows == [(0,)]
        assert catalog.query("SELECT count(*) FROM events_all").rows == [(1,)]


def test_a_column_cannot_change_its_type(tmp_path: Path, make_bundle: MakeBundle) -> None:
    """Said before anything is spent."""
    _commit(tmp_path / "index", make_bundle(), {"events": EVENT})

    class OtherAnswer(EventAnswer):
        """With a number for a text."""

        order: int  # type: ignore[assignment]

    with pytest.raises(PreflightError, match=r"events\.order as VARCHAR, .* makes it BIGINT"):
        open_index(str(tmp_path / "index"), own={"events": row_type(OtherAnswer)})
