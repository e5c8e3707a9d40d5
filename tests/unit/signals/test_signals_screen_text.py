"""The signal `text`: what makes its rows stale, how it is asked for, and that its rows are found."""

from collections.abc import Callable
from dataclasses import replace
from importlib import util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from drawn_looks import draw_text, write_pictures

from jobs.checks.check import Health
from jobs.checks.doctor import _LOOKS
from jobs.checks.weights_once import WeightsOnce
from jobs.settings.config import Settings
from jobs.signals.cues import Cues
from jobs.signals.known import signals_named
from jobs.signals.reading import read_signals
from jobs.signals.screen_text import TextSignal, find_text
from jobs.signals.signal import VideoFile, identity_of
from schemas.commit import Bundle
from schemas.failures import PreflightError, UsageError
from schemas.measured import ScreenText
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog
from storage.query.filters import Filters
from storage.query.search import search
from videoxl2.frames import DEFAULT_LIMITS, probe
from videoxl2.screen_text import weights

TEXT = TextSignal("abc", (("onnxruntime", "1.32.0"),))


@pytest.mark.parametrize("changes", [{"revision": "abd"}, {"engines": (("onnxruntime", "2.0.0"),)}])
def test_other_rows_have_another_identity(changes: dict[str, Any]) -> None:
    """Whatever changes what would be read."""
    assert identity_of(replace(TEXT, **changes)) != identity_of(TEXT)


def test_text_is_asked_for_by_a_flag_of_its_own() -> None:
    """The hint says by which."""
    with pytest.raises(UsageError, match="not chosen by --signal") as raised:
        signals_named(("captions", "text"))
    assert "--text" in raised.value.hint


def test_a_machine_without_the_extra_ends_a_run_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error with a hint."""
    monkeypatch.setattr(weights, "NEEDED_MODULES", ("a package that nobody has",))
    weights.find_text_weights.cache_clear()
    with pytest.raises(PreflightError, match="text on screen needs a package that nobody has") as raised:
        find_text()
    assert "media-index[text]" in raised.value.hint


@pytest.mark.skipif(util.find_spec("rapidocr") is None, reason="the extra text is not installed")
def test_a_machine_with_other_weights_reads_nothing(tmp_path: Path) -> None:
    """Its rows would not be what they say."""
    picture = draw_text(np.full((96, 96, 3), 60, np.uint8), "Prague", (5, 40), 20)
    film = write_pictures(tmp_path / "film.mp4", [picture], 1)
    file = VideoFile(SimpleNamespace(), film, probe(film), DEFAULT_LIMITS, lambda _: b"")  # type: ignore[arg-type]
    for signals in ((TEXT,), (Cues(), TEXT)):
        read = read_signals(file, signals, lambda _: {})
        assert "not abc" in next(one.failure.message for one in read.failures if one.signal_id == "text@2")


def test_doctor_says_whether_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of it where it is not asked for."""
    look = dict(_LOOKS)["text"]
    settings = Settings(library="films", index="catalog")
    once = WeightsOnce(settings)
    assert (look(settings, once).health, look(settings, once).detail) == (Health.OK, "not read")
    monkeypatch.setattr(weights, "NEEDED_MODULES", ("a package that nobody has",))
    weights.find_text_weights.cache_clear()
    check = look(settings.model_copy(update={"text": True}), once)
    assert (check.health, "media-index[text]" in check.hint) == (Health.FAILED, True)


@pytest.mark.skipif(util.find_spec("rapidocr") is None, reason="the extra text is not installed")
def test_what_is_written_is_found(
    tmp_path: Path, make_bundle: Callable[..., Bundle], make_row: Callable[..., ScreenText]
) -> None:
    """From the pictures to a hit: its rows say which weights read them, and when, and where."""
    picture = draw_text(np.full((192, 320, 3), 60, np.uint8), "Bridges of Prague", (20, 150), 22)
    film = write_pictures(tmp_path / "film.mp4", [picture] * 3, 1)
    bundle = make_bundle()
    same = set(ScreenText.model_fields) & set(type(bundle.commit).model_fields)
    lineage = make_row(ScreenText, **{name: getattr(bundle.commit, name) for name in same}).model_dump()
    own = {"line", "start_ms", "end_ms", "confidence", "language", "text"}
    lineage = {k: v for k, v in lineage.items() if k not in own and not k.startswith("box_")}
    file = VideoFile(SimpleNamespace(), film, probe(film), DEFAULT_LIMITS, lambda _: b"")  # type: ignore[arg-type]
    (row,) = find_text().read(file, lineage)
    assert isinstance(row, ScreenText)
    assert (row.line, row.start_ms, row.end_ms, row.text) == (0, 0, 3000, "Bridges of Prague")
    assert (row.model_id, row.language) == ("PP-OCRv6-small", None)
    assert 0 < row.box_left < row.box_right < 0.8 < row.box_bottom <= 1
    together = read_signals(file, (Cues(), find_text()), lambda signal_id: lineage | {"signal_id": signal_id})
    assert not together.failures
    assert [one.text for one in together.rows["screen_text"] if isinstance(one, ScreenText)] == [row.text]
    index = open_index(str(tmp_path / "index"), create=True)
    bundle = bundle.model_copy(update={"measured": {"screen_text": (row,)}})
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    catalog = open_catalog(str(tmp_path / "index"))
    (hit,) = search(catalog, "bridge", filters=Filters(kind="screen_text"))
    assert (hit.row_index, hit.start_ms, hit.text, len(hit.text_matches)) == (0, 0, "Bridges of Prague", 1)
    between = "SELECT text FROM written_between(?, 2999, 5000)"
    assert catalog.query(between, [bundle.commit.video_id]).rows == [("Bridges of Prague",)]
