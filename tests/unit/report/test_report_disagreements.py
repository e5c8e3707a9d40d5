"""A run whose scenes the shots do not bear out is named; one that is as usual, or small, is not."""

import itertools

import pytest

from jobs.reports.report.content import read_report
from jobs.reports.report.page import report_page
from jobs.reports.report.period import find_period
from jobs.reports.report.text import report_lines
from jobs.ui.next_command import IndexPlace
from schemas.commit import RunRecord
from schemas.identity import VideoObject
from schemas.measured import MEASURED_TABLES
from schemas.tables import Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog

SCENE_MS = 4000


@pytest.fixture
def report_of(tmp_path, make_film, make_row):
    """The report on the last of some runs, each of one film: by name how far its scenes begin from shots."""

    def read(off_ms_by_run):
        index = open_index(str(tmp_path), create=True)
        for name, off_ms in off_ms_by_run.items():
            video = VideoObject(f"/films/{name}.mp4", 7, 0, etag=name)
            lineage = {"run_id": name, "model_id": "m", "model_revision": "r1"}
            scenes = [
                {"start_ms": n * SCENE_MS, "end_ms": (n + 1) * SCENE_MS, "character_ids": [], **lineage}
                for n in range(len(off_ms))
            ]
            film = make_film(video, scenes)
            ids = {
                field: getattr(film.commit, field)
                for field in ("video_id", "object_rev", "recipe_id", "analysis_key")
            }
            borders = [0, *(n * SCENE_MS + off for n, off in enumerate(off_ms) if n), len(off_ms) * SCENE_MS]
            shots = tuple(
                make_row(MEASURED_TABLES["shots"], shot_index=n, start_ms=start, end_ms=end, **ids)
                for n, (start, end) in enumerate(itertools.pairwise(borders))
            )
            film = film.model_copy(update={"measured": {"shots": shots}})
            pair = film.commit.video_id, film.commit.analysis_key
            index.commit(*pair, encode_bundle(film))
            index.publish([pair], [RunRecord(run=make_row(Run, run_id=name, num_planned=1))])
        with open_catalog(index.url) as catalog:
            return read_report(catalog, index.store, find_period(catalog, None, None), IndexPlace(index.url))

    return read


def test_a_run_that_disagrees_far_more_than_usual_is_named(report_of):
    """With its share, the usual one and its model, in text and page."""
    usual = [0] * 22 + [1500] * 2
    report = report_of({"r1": usual, "r2": usual, "r3": [0] * 12 + [1500] * 12})
    (one,) = report.disagreements
    assert (one.run_id, one.num_borders) == ("r3", 23)
    assert one.share == pytest.approx(12 / 23)
    assert one.usual == pytest.approx(4 / 46)
    said = (
        "Of 23 scene borders of run r3, by m (r1), 52% are a second and more away from any border of a shot"
    )
    assert any(said in line for line in report_lines(report))
    assert said in report_page(report, [])


@pytest.mark.parametrize(
    "runs",
    [
        {"r1": [1500] * 24, "r2": [1500] * 24},  # the model is so
        {"r1": [0] * 24, "r2": [900] * 24},  # within a second
        {"r1": [0] * 24, "r2": [1500] * 15},  # too few to tell
        {"r1": [1500] * 24},  # nothing to compare with
    ],
)
def test_what_is_usual_or_too_little_is_not_named(report_of, runs):
    """Of a first run nobody knows what is usual."""
    assert report_of(runs).disagreements == ()
