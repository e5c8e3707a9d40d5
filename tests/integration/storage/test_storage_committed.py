"""Which bundles there are, asked one by one or, for very many, listed once."""

import random
from collections.abc import Callable

import pytest

from schemas.identity import VideoId, numbered
from storage.index.commits import committed
from storage.index.commits.committed import CommittedBundles
from storage.index.index import open_index
from storage.index.layout import bundle_key
from storage.objects.store import open_store
from storage.s3.client import s3_client


@pytest.mark.parametrize("is_local", [True, False])
def test_many_questions_are_answered_as_few_are(
    s3_endpoint: str, s3_bucket: str, tmp_path, is_local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right before and after the list is taken."""
    monkeypatch.setattr(committed, "NUM_LISTED_ABOVE", 10)
    store = open_store(str(tmp_path) if is_local else f"s3://{s3_bucket}/index", s3_endpoint)
    draw = random.Random(5)
    pairs = [(VideoId(f"{draw.getrandbits(64):016x}"), f"{draw.getrandbits(64):016x}") for _ in range(40)]
    for pair in pairs[::2]:
        store.put_if_absent(bundle_key(*pair), b"bundle")
    bundles = CommittedBundles(store)
    assert [bundles.has(*pair) for pair in pairs] == [True, False] * 20
    store.put_if_absent(bundle_key(*pairs[1]), b"bundle")
    bundles.tell(pairs[1][1])
    assert bundles.has(*pairs[1])


def test_a_large_plan_takes_few_requests(
    s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list in 16 parts instead of a request for each video."""
    monkeypatch.setattr(committed, "NUM_LISTED_ABOVE", 10)
    index = open_index(f"s3://{s3_bucket}/index", s3_endpoint, create=True)
    requests: list[str] = []
    count: Callable[..., None] = lambda model, **_: requests.append(model.name)  # noqa: E731
    s3_client(s3_endpoint).meta.events.register("before-call.s3", count)
    assert not any(index.is_committed(numbered(n), f"{n:016x}") for n in range(500))
    s3_client(s3_endpoint).meta.events.unregister("before-call.s3", count)
    assert requests.count("HeadObject") == 10
    assert requests.count("ListObjectsV2") == 16
    assert index.commit(VideoId("1" * 16), "2" * 16, b"bundle")
    assert index.is_committed(VideoId("1" * 16), "2" * 16)
