"""Which requests are answered, and what every answer tells the browser."""

from typing import Any

import pytest

from jobs.web.guards import allowed_hosts, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080"])
def test_own_names_are_answered(site: Any, host: str) -> None:
    """However the page is reached on this machine."""
    assert site.client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", ""]
)
def test_other_names_for_this_machine_are_refused(site: Any, host: str) -> None:
    """A site whose name is made to point here cannot read the index through its visitor's browser."""
    for path in ("/", "/api/search?q=dog", f"/media/{site.ids['animals.mp4']}"):
        answer = site.client.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "dog" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/video/{id}",
        "/media/{id}",
        "/picture/{id}/0",
        "/api/search?q=dog",
        "/static/app.css",
        "/nothing",
    ],
)
def test_every_answer_carries_the_guards(site: Any, path: str) -> None:
    """Scripts of our own files only, types as said, no use by other sites."""
    headers = site.client.get(path.format(id=site.ids["animals.mp4"])).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert not [name for name in headers if name.startswith("access-control")]


def test_only_loopback_limits_the_names() -> None:
    """Behind a proxy or in a network the name is the operator's business."""
    assert is_loopback("127.0.0.5")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("192.168.1.7")
    assert allowed_hosts("0.0.0.0") == ["*"]
    assert "127.0.0.5" in allowed_hosts("127.0.0.5")
