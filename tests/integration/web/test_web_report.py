"""The page of `media-index report` in a real Chromium, opened as the file that it is."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from schemas.commit import Bundle, RunRecord
from schemas.tables import Attempt, Keyframe, Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index

COMMAND = Path(sys.executable).with_name("media-index")
LONG = "a-name-without-a-space-" * 20
RUN_ID = "20261121T010000Z-aaaaaa"
BEGIN = datetime(2026, 11, 21, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def report_file(
    tmp_path_factory: pytest.TempPathFactory, make_row: Callable[..., Any], make_bundle: Callable[..., Bundle]
) -> Path:
    """A page with every section, of videos with unkind names."""
    folder = tmp_path_factory.mktemp("report")
    index = open_index(str(folder / "index"), create=True)
    drawn = BytesIO()
    Image.new("RGB", (64, 36), "teal").save(drawn, "JPEG")
    bundles, attempts = [], []
    for n in range(4):
        bundle = make_bundle(f"s3://b/{LONG}{n}.mp4", title=f"<b>{LONG}</b>", is_quarantined=n == 3)
        ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key")} | {
            "run_id": RUN_ID
        }
        still = make_row(
            Keyframe, table_name="scenes", media_type="image/jpeg", image=drawn.getvalue(), **ids
        )
        if n != 3:
            bundle = bundle.model_copy(update={"keyframes": (still,)})
        attempts.append(
            make_row(
                Attempt,
                uri=bundle.commit.uri,
                node=LONG,
                device="NVIDIA H200",
                plan_reason="new",
                attempt=1,
                outcome="quarantined" if n == 3 else "indexed",
                failure_class="bug" if n == 3 else None,
                code=LONG if n == 3 else None,
                started_at=BEGIN + timedelta(minutes=n),
                seconds=60.0,
                prefill_seconds=40.0,
                generate_seconds=20.0,
                video_ms=1_800_000,
                peak_memory_bytes=10**9,
                **ids,
            )
        )
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
        bundles.append(bundle)
    run = make_row(
        Run,
        run_id=RUN_ID,
        started_at=BEGIN,
        ended_at=BEGIN + timedelta(minutes=5),
        exit_code=3,
        num_planned=4,
        num_indexed=3,
        num_quarantined=1,
        library=f"s3://{LONG}",
        recipe_id="newer",
    )
    keys = [(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles]
    index.publish(keys, [RunRecord(run=run, attempts=tuple(attempts))])
    page = folder / "report.html"
    subprocess.run([COMMAND, "report", "--index", folder / "index", "--html", page], check=True)
    return page


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_any_screen_and_loads_nothing(
    page: Any, report_file: Path, width: int, scheme: str
) -> None:
    """No sideways scrolling, every picture shows, and the file itself is all that is read."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(report_file.as_uri())
    for place in page.locator("section").all():
        place.scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown = page.evaluate("Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth)))")
    assert shown == [64, 64, 64]
    assert [url for url in asked if not url.startswith("data:")] == [report_file.as_uri()]
    red, *_ = map(int, page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"))
    assert (red > 128) == (scheme == "light")


def test_a_reader_hears_what_the_plots_show(page: Any, report_file: Path) -> None:
    """Each plot is a picture with a sentence; its axis is readable text."""
    page.goto(report_file.as_uri())
    plots = page.get_by_role("img", name="Videos over time: 3 indexed, 0 partial, 1 quarantined")
    assert plots.count() == 1
    assert page.get_by_role("img", name="Busy over time").count() == 1
    assert page.locator(".plot .y").first.inner_text() == "0"
