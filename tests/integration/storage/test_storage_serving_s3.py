"""The serving file of an index on S3: in this user's cache, made from the objects."""

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.commit import Bundle
from storage.index.bundles import encode_bundle
from storage.index.index import Index, open_index
from storage.query.build import build_serving
from storage.query.database import open_serving, serving_path
from storage.query.search import search


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
    """Same hits and same rows, before it is built, on it, and refreshed; nothing is written to the bucket."""
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
