"""What is read of an index on S3 is what is read of the same index on a disk."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.reports.explain.reading import read_explanation
from jobs.reports.explain.records import Explanation
from jobs.reports.report.content import read_report
from jobs.reports.report.page import Tile, read_tiles
from jobs.reports.report.period import find_period
from jobs.reports.report.records import Report
from jobs.reports.status import Status, read_status
from jobs.ui.next_command import IndexPlace
from schemas.commit import Bundle, RunRecord
from schemas.recipe import RecipeRecord
from schemas.tables import Attempt, Keyframe, Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.leases import acquire
from storage.objects.store import open_store
from storage.query.catalog import open_catalog

BEGIN = datetime(2026, 11, 21, 1, tzinfo=UTC)
RUN_ID = "20261121T010000Z-aaaaaa"


def _draw(
    url: str, endpoint_url: str | None, make_row: Callable[..., Any], make_bundle: Callable[..., Bundle]
) -> None:
    """Two videos of one run, one of them set aside, and somebody at work."""
    index = open_index(url, endpoint_url, create=True)
    parts: dict[str, Any] = {
        "model_id": "m",
        "model": "m",
        "sampling": "s",
        "settings": {},
        "tasks": {"scenes": "1"},
        "prompts": {},
    }
    index.declare_recipe(RecipeRecord(recipe_id="recipe", **parts))
    bundles, attempts = [make_bundle("s3://b/a.mp4"), make_bundle("s3://b/b.mp4", is_quarantined=True)], []
    for n, bundle in enumerate(bundles):
        ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key", "recipe_id")}
        ids["run_id"] = RUN_ID
        still = make_row(Keyframe, table_name="scenes", media_type="image/jpeg", image=b"\xff\xd8", **ids)
        keyframes = () if bundle.failures else (still,)
        bundle = bundle.model_copy(update={"keyframes": keyframes})
        outcome = "quarantined" if bundle.failures else "indexed"
        spent = {"seconds": 60.0, "prefill_seconds": 50.0, "generate_seconds": 10.0, "video_ms": 600_000}
        failed = {"failure_class": "media", "code": "no_video"} if bundle.failures else {}
        at = BEGIN + timedelta(minutes=n)
        attempts.append(
            make_row(
                Attempt,
                uri=bundle.commit.uri,
                started_at=at,
                outcome=outcome,
                plan_reason="new",
                **spent,
                **failed,
                **ids,
            )
        )
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    run = make_row(
        Run,
        run_id=RUN_ID,
        kind="run",
        started_at=BEGIN,
        ended_at=BEGIN + timedelta(minutes=3),
        exit_code=3,
        num_planned=2,
        num_indexed=1,
        num_quarantined=1,
        recipe_id="recipe",
        library="s3://b",
    )
    keys = [(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles]
    index.publish(keys, [RunRecord(run=run, attempts=tuple(attempts))])
    acquire(open_store(url, endpoint_url), "backfill", "at-work", lambda holder: None)


def _read(url: str, endpoint_url: str | None) -> tuple[Report, list[Tile], Status, Explanation]:
    """Without what says where the index is, and when it was read."""
    store, place = open_store(url, endpoint_url), IndexPlace("here")
    with open_catalog(url, endpoint_url) as catalog:
        period = find_period(catalog, None, None)
        report = replace(read_report(catalog, store, period, place), index="", made_at=BEGIN)
        status = read_status(catalog, store, place)
        at_work = tuple(holder.model_copy(update={"since": BEGIN}) for holder in status.at_work)
        known = read_explanation(catalog, store, place, "b.mp4")
        return report, read_tiles(catalog, period), replace(status, index="", at_work=at_work), known


def test_reports_status_and_explanations_are_the_same_on_s3(
    tmp_path: Path,
    s3_bucket: str,
    s3_endpoint: str,
    make_row: Callable[..., Any],
    make_bundle: Callable[..., Bundle],
) -> None:
    """Every number, every picture, every command; also who is at work and what recipes stand for."""
    places = ((str(tmp_path / "index"), None), (f"s3://{s3_bucket}/index", s3_endpoint))
    for place in places:
        _draw(*place, make_row, make_bundle)
    on_disk, on_s3 = (_read(*place) for place in places)
    assert on_s3 == on_disk
    report, tiles, status, known = on_s3
    assert (report.num_done, len(report.set_aside), len(report.failures)) == (1, 1, 1)
    assert tiles[0].source == "data:image/jpeg;base64,/9g="
    assert [holder.run_id for holder in status.at_work] == ["at-work"]
    assert known.state.startswith("set aside")
