"""The serving file of an index on S3: in this user's cache, made from the objects."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.commit import Bundle
from storage.index import leases
from storage.index.commits.bundles import encode_bundle
from storage.index.index import Index, open_index
from storage.index.views import views_script
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving, serving_path
from storage.query.search import search
from storage.upkeep.forget import find_forgettable, forget
from storage.upkeep.vacuum import vacuum


def _publish(index: Index, *bundles: Bundle) -> None:
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish((bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles)


def test_an_index_on_s3_is_served_from_the_cache(
    s3_bucket: str,
    s3_endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_bundle: Callable[..., Bundle],
) -> None:
    """Same hits and same rows, before it is built, on it, and refreshed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = (f"s3://{s3_bucket}/an index", s3_endpoint)
    index = open_index(*place, create=True)
    _publish(
        index,
        make_bundle(uri="s3://v/a.mp4", titles=("A red car", "A boat")),
        make_bundle(uri="s3://v/b.mp4"),
    )
    slow = open_serving(*place)
    hits = search(slow.catalog, "red cars")
    assert hits[0].title == "A red car"
    assert "media-index build" in (slow.note or "")
    build = build_serving(*place)
    assert build is not None
    assert build.file == serving_path(*place)
    assert build.file.is_relative_to(tmp_path)
    fast = open_serving(*place)
    assert fast.note is None
    assert search(fast.catalog, "red cars") == hits
    assert fast.catalog.query("SELECT count(*) FROM scenes_all").rows == [(3,)]
    _publish(index, make_bundle(uri="s3://v/b.mp4", titles=("Red cars",), revision="2"))
    refreshed = build_serving(*place)
    assert refreshed is not None
    assert refreshed.num_new == 4
    assert search(open_serving(*place).catalog, "red cars")[0].title == "Red cars"


def test_what_one_builds_others_fetch_once(
    s3_bucket: str,
    s3_endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_bundle: Callable[..., Bundle],
) -> None:
    """Another user has the built file at the first question; forgetting a video and vacuum remove it."""
    place = (f"s3://{s3_bucket}/an index", s3_endpoint)
    index = open_index(*place, create=True)
    _publish(index, make_bundle(uri="s3://v/a.mp4"), make_bundle(uri="s3://v/b.mp4"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "builder"))
    assert build_serving(*place) is not None
    assert build_serving(*place) is None
    (first,) = index.store.list("serving/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "reader"))
    served = open_serving(*place)
    assert served.note is None
    assert serving_path(*place).is_file()
    assert search(served.catalog, "opening")
    index.store.delete(first)
    assert open_serving(*place).note is None  # it is in the cache

    assert build_serving(*place) is None  # and is shared again by whoever has it
    _publish(index, make_bundle(uri="s3://v/b.mp4", titles=("Anew",), revision="2"))
    assert "serving" in (open_serving(*place).note or "")
    assert build_serving(*place) is not None
    vacuum(*place, lambda holder: None, timedelta(0))
    (second,) = index.store.list("serving/")
    assert second != first
    forget(*place, find_forgettable(*place, "a.mp4"), lambda holder: None)
    assert list(index.store.list("serving/")) == []


def test_nothing_is_shared_while_a_video_is_forgotten(
    s3_bucket: str,
    s3_endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_bundle: Callable[..., Bundle],
) -> None:
    """The file is built and says why; the next build shares it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)
    place = (f"s3://{s3_bucket}/an index", s3_endpoint)
    index = open_index(*place, create=True)
    _publish(index, make_bundle())
    with leases.holding(index.store, "forget", lambda holder: None):
        build = build_serving(*place)
    assert build is not None
    assert "forget" in (build.not_shared or "")
    assert list(index.store.list("serving/")) == []
    assert build_serving(*place) is None
    assert len(list(index.store.list("serving/"))) == 1


def test_views_for_plain_duckdb_name_the_bucket(
    s3_bucket: str, s3_endpoint: str, make_bundle: Callable[..., Bundle]
) -> None:
    """DuckDB with httpfs reads them from anywhere; every part that counts is named by its address."""
    url = f"s3://{s3_bucket}/an index"
    index = open_index(url, s3_endpoint, create=True)
    _publish(index, make_bundle())
    snapshot = index.snapshot()
    assert snapshot is not None
    script = views_script(snapshot, f"{url}/")
    assert all(f"'{url}/{key}'" in script for key in snapshot.files)
