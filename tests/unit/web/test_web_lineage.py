"""What the page says of its rows: which model wrote them, which date is which, and where players begin."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject

SMALL = {"model_id": "small", "model_revision": "6f1c2a9b03de77aa"}
LARGE = {"model_id": "BAAI/Video-XL-2", "model_revision": "r1"}
NOTE = "The model small understands drawn films"


@pytest.fixture
def add_film(
    tmp_path: Path, make_film: Callable[..., Bundle], add_films: Callable[..., None]
) -> Callable[..., tuple[Path, str]]:
    """`add_film(name, model, **columns)`: an index with one more video of one scene, and that one's id."""

    def build(name: str, model: dict[str, str], **columns: Any) -> tuple[Path, str]:
        scene = {"start_ms": 0, "end_ms": 900, "title": f"A nest, {name}", "character_ids": [], **model}
        video = VideoObject(f"/nowhere/{name}.mp4", 5, 5)
        bundle = make_film(video, scenes=[scene], title=name, duration_ms=1000, **model, **columns)
        add_films(tmp_path / "index", bundle)
        return tmp_path / "index", bundle.commit.video_id

    return build


def test_every_page_names_the_models_whose_rows_it_shows(add_film, open_site) -> None:
    """And says of small what it is, where small wrote any of it; in JSON too."""
    index, drawn = add_film("drawn", SMALL)
    index, filmed = add_film("filmed", LARGE)
    with open_site(index) as client:
        for address, names_small, names_large in (
            ("/", True, True),
            ("/?q=drawn", True, False),
            ("/?q=nest&kind=scenes", True, True),
            ("/?q=filmed&kind=videos", False, True),
            (f"/video/{drawn}", True, False),
            (f"/video/{filmed}", False, True),
        ):
            page = client.get(address).text
            assert ("small (6f1c2a9b03de)" in page, "BAAI/Video-XL-2 (r1)" in page) == (
                names_small,
                names_large,
            ), address
            assert (NOTE in page) == names_small, address
        hits = client.get("/api/search?q=nest&kind=scenes").json()["hits"]
        assert {(hit["model_id"], (hit["model_note"] or "")[: len(NOTE)]) for hit in hits} == {
            ("small", NOTE),
            ("BAAI/Video-XL-2", ""),
        }
        assert client.get(f"/api/videos/{drawn}").json()["model_notes"][0].startswith(NOTE)
        assert client.get(f"/api/videos/{filmed}").json()["model_notes"] == []


def test_dates_say_which_they_are(add_film, open_site) -> None:
    """Recorded, modified, indexed; a filter means the one that is chosen, the recording at first."""
    old = datetime(2021, 4, 1, tzinfo=UTC)
    dates = {"modified_at": datetime(2024, 5, 1, tzinfo=UTC), "created_at": datetime(2026, 6, 1, tzinfo=UTC)}
    said = {"camera_make": "Canon", "camera_model": "EOS", "location": "+48.8577+002.2950/"}
    index, spoken = add_film("said", LARGE, recorded_at=old, audio_languages=["de", None], **said, **dates)
    index, silent = add_film("silent", LARGE, **dates)
    with open_site(index) as client:
        page = client.get(f"/video/{spoken}").text
        for words in ("recorded 2021-04-01", "modified 2024-05-01", "indexed 2026-06-01"):
            assert words in page
        for words in ("+48.8577+002.2950/", "Canon EOS", "sound in de"):
            assert words in page
        assert "recorded" not in client.get(f"/video/{silent}").text
        start = client.get("/").text
        assert "recorded 2021-04-01" in start
        assert "modified 2024-05-01" in start
        for query in ("", "&q=nest"):
            found = []
            for date in ("2022-01-01", "2024-01-01&by=modified", "2026-06-02&by=indexed"):
                hits = client.get(f"/api/search?kind=scenes{query}&since={date}").json()["hits"]
                found.append({Path(hit["uri"]).stem for hit in hits})
            assert found == [{"silent"}, {"said", "silent"}, set()]
        chosen = client.get("/?kind=videos&since=2022-01-01&by=modified").text
        assert "modified since 2022-01-01" in chosen
        assert "by=modified" in chosen
        assert client.get("/?kind=videos&since=2022-01-01&by=nonsense").status_code == 200


@pytest.mark.parametrize(
    ("columns", "offset"),
    [
        ({"container_start_ms": 3000}, "3000"),
        ({"container_start_ms": 3000, "player_start_ms": 2000}, "2000"),
        ({"container_start_ms": -40}, "0"),
        ({"container_start_ms": 36_000_000, "container": "mpegts"}, "0"),
    ],
)
def test_the_player_begins_where_players_do(add_film, open_site, columns, offset) -> None:
    """Rows of older versions say only the container's clock."""
    index, video_id = add_film("late", LARGE, **columns)
    with open_site(index) as client:
        assert f'data-offset="{offset}"' in client.get(f"/video/{video_id}").text
