"""The JSON addresses that docs/serve.md promises."""

from typing import Any


def test_search_gives_hits_with_their_links(site: Any) -> None:
    """Kind, times, texts and the address of the moment."""
    answer = site.client.get(
        "/api/search", params={"q": "cat", "kind": "scenes", "video": "animals.mp4"}
    ).json()
    (hit,) = answer["hits"]
    assert (hit["kind"], hit["start_ms"], hit["end_ms"], hit["title"]) == (
        "scenes",
        1500,
        3000,
        "A cat waits",
    )
    assert site.client.get(hit["url"]).status_code == 200


def test_limit_bounds_the_hits(site: Any) -> None:
    """At least one, at most what is asked."""
    assert len(site.client.get("/api/search?kind=scenes&limit=1").json()["hits"]) == 1
    assert len(site.client.get("/api/search?kind=scenes&limit=0").json()["hits"]) == 1


def test_video_gives_all_its_rows(site: Any) -> None:
    """Tables by name, columns as docs/tables.md has them."""
    rows = site.client.get(f"/api/videos/{site.ids['animals.mp4']}").json()
    assert rows["video"]["title"] == "Animals"
    assert [row["title"] for row in rows["scenes"]] == ["A dog runs", "A cat waits"]
    assert [row["character_id"] for row in rows["appearances"]] == ["C1"]
    assert [row["title"] for row in rows["highlights"]] == ["The jump"]


def test_errors_are_json_with_a_hint(site: Any) -> None:
    """Same status as the pages."""
    for path, status in (
        ("/api/videos/0000000000000000", 404),
        ("/api/videos/nothing", 404),
        ("/api/nothing", 404),
        ("/api/search?q=!!", 400),
        ("/api/search?since=soon", 400),
        ("/api/search?kind=failures", 400),
        ("/api/search?q=" + "x" * 1001, 400),
    ):
        answer = site.client.get(path)
        assert answer.status_code == status, path
        assert set(answer.json()) == {"error", "hint"}
