"""Films in a bucket: the player follows a short-lived link, to the version that was indexed."""

import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject

_TIME = """async () => {
    const player = document.getElementById('player');
    while (player.readyState < 2 || player.seeking) await new Promise(done => setTimeout(done, 20));
    return player.currentTime;
}"""


@pytest.fixture
def put_film(s3_endpoint: str, s3_bucket: str) -> Callable[[Path], VideoObject]:
    """Put a file under one key, again and again."""

    def put(path: Path) -> VideoObject:
        client = boto3.client("s3", endpoint_url=s3_endpoint)
        answer = client.put_object(Bucket=s3_bucket, Key="a film ☀/+&.webm", Body=path.read_bytes())
        uri, version = f"s3://{s3_bucket}/a film ☀/+&.webm", answer.get("VersionId")
        return VideoObject(uri, path.stat().st_size, 0, etag=answer["ETag"].strip('"'), version_id=version)

    return put


def test_bucket_plays_through_a_presigned_link(
    page: Any,
    drawn_film: Path,
    put_film: Callable[[Path], VideoObject],
    s3_endpoint: str,
    s3_bucket: str,
    make_film: Callable[..., Bundle],
    index_films: Callable[..., None],
    film_rows: dict[str, Any],
    serve: Any,
) -> None:
    """Index and films in the bucket: the page's policy lets the player, and it alone, load from there."""
    video = put_film(drawn_film)
    index = f"s3://{s3_bucket}/index"
    index_films(index, make_film(video, **film_rows), endpoint_url=s3_endpoint)
    with serve(index, "--endpoint-url", s3_endpoint) as url:
        page.goto(f"{url}/video/{video.video_id}?t=8")
        assert abs(page.evaluate(_TIME) - 8) < 0.3
        page.keyboard.press("k")
        assert abs(page.evaluate(_TIME) - 4) < 0.3
        policy = page.request.get(f"{url}/video/{video.video_id}").headers["content-security-policy"]
    assert f"media-src 'self' {s3_endpoint};" in policy
    assert "script-src 'self';" in policy


def test_link_is_to_this_version_for_a_while(
    tmp_path: Path,
    drawn_film: Path,
    put_film: Callable[[Path], VideoObject],
    s3_endpoint: str,
    s3_bucket: str,
    make_film: Callable[..., Bundle],
    index_films: Callable[..., None],
    serve: Any,
) -> None:
    """A newer version of the object does not change what is played, and the link ends after an hour."""
    boto3.client("s3", endpoint_url=s3_endpoint).put_bucket_versioning(
        Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    video = put_film(drawn_film)
    (tmp_path / "other.webm").write_bytes(b"other")
    put_film(tmp_path / "other.webm")
    film = make_film(video, version_id=video.version_id, duration_ms=12000)
    index_films(tmp_path / "index", film)
    with (
        serve(tmp_path / "index", "--endpoint-url", s3_endpoint) as url,
        urllib.request.urlopen(f"{url}/media/{video.video_id}") as answer,
    ):
        link, body = answer.url, answer.read()
    assert body == drawn_film.read_bytes()
    query = parse_qs(urlsplit(link).query)
    assert query["versionId"] == [video.version_id]
    assert query["X-Amz-Expires"] == ["3600"]


def test_replaced_and_removed_objects_are_told(
    tmp_path: Path,
    drawn_film: Path,
    put_film: Callable[[Path], VideoObject],
    s3_endpoint: str,
    s3_bucket: str,
    make_film: Callable[..., Bundle],
    index_films: Callable[..., None],
    serve: Any,
) -> None:
    """404 with the reason instead of another film."""
    video = put_film(drawn_film)
    index_films(tmp_path / "index", make_film(video, duration_ms=12000))
    (tmp_path / "other.webm").write_bytes(b"other")
    put_film(tmp_path / "other.webm")
    with serve(tmp_path / "index", "--endpoint-url", s3_endpoint) as url:
        assert "replaced since it was indexed" in _refusal(f"{url}/media/{video.video_id}")
        boto3.client("s3", endpoint_url=s3_endpoint).delete_object(Bucket=s3_bucket, Key="a film ☀/+&.webm")
        assert "no such object" in _refusal(f"{url}/media/{video.video_id}")


def _refusal(address: str) -> str:
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(address)
    return refused.value.read().decode()
