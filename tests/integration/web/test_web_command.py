"""The verb `serve` as a person runs it."""

import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from command_line import Outcome

from schemas.commit import Bundle
from schemas.identity import VideoObject

MediaIndex = Callable[..., Outcome[str]]


@pytest.fixture
def nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test where a refusal does not end the verb, which would listen for ever."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_: pytest.fail("it serves"))


def test_it_serves_until_interrupted(films: Path, serve: Any) -> None:
    """On a free port, whose address it tells; Ctrl-C ends it with 0."""
    with serve(films) as url, urllib.request.urlopen(f"{url}/?q=light") as answer:
        assert b"The grey middle" in answer.read()


def test_ctrl_c_during_playback_ends_without_noise(
    tmp_path: Path, make_film: Callable[..., Bundle], index_films: Callable[..., None], serve: Any, capfd: Any
) -> None:
    """A paused player keeps an answer open for ever; cutting it off is no error to tell."""
    path = tmp_path / "large.webm"
    path.write_bytes(bytes(64 << 20))
    found = path.stat()
    video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
    index_films(tmp_path / "index", make_film(video, duration_ms=1000))
    with serve(tmp_path / "index") as url:
        player = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        player.sendall(f"GET /media/{video.video_id} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert player.recv(12) == b"HTTP/1.1 200"
    player.close()
    note, *others = capfd.readouterr().err.splitlines()
    assert "media-index build" in note
    assert others == ["stopped"]


def test_other_host_names_are_refused(films: Path, serve: Any) -> None:
    """On loopback only its own names are answered."""
    with serve(films) as url:
        request = urllib.request.Request(url, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(request)


@pytest.mark.usefixtures("nothing_listens")
def test_port_in_use_is_a_preflight_error(films: Path, media_index: MediaIndex) -> None:
    """Two lines that name the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = media_index("serve", "--index", films, "--port", port)
    lines = done.stderr.splitlines()
    assert done.code == 8
    assert lines[0] == f"error: port {port} on 127.0.0.1 is in use"
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2


@pytest.mark.usefixtures("nothing_listens")
def test_what_is_no_index_is_told(
    tmp_path: Path, films: Path, media_index: MediaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing: 2. Of a newer version: 8. No address of this machine: 2. Two lines each."""
    monkeypatch.chdir(tmp_path)
    newer = tmp_path / "newer"
    shutil.copytree(films, newer)
    (newer / "index.json").write_text('{"format": "media-index", "schema_version": 99}')
    for arguments, code, said in (
        (("--index", tmp_path / "none"), 2, "there is no index"),
        (("--index", newer), 8, "99"),
        (("--index", films, "--host", "192.0.2.1"), 2, "192.0.2.1"),
        (("--index", films, "--host", "no such host"), 2, "no such host"),
        (("--index", films, "--port", "70000"), 2, "70000"),
        (("--index", films, "--library", "http://films"), 2, "http://films"),
        ((), 2, "no index given"),
    ):
        done = media_index("serve", *arguments)
        lines = done.stderr.splitlines()
        assert done.code == code, lines
        assert said in lines[0]
        assert len(lines) == 2
