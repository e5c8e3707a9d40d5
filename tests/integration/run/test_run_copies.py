"""The same bytes are paid for once, whatever names lead to them, and a quiet night leaves no trace."""

import json
import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def library(tmp_path, make_video) -> Path:
    """Two films; of one a copy, a hard link, links and a look-alike; of a broken file a copy."""
    folder = tmp_path / "library"
    (folder / "x").mkdir(parents=True)
    film = make_video(folder / "a.mp4", seconds=3)
    make_video(folder / "x" / "other.mp4", seconds=3, shade=90)
    film.write_bytes(film.read_bytes() + bytes(2_000_000))  # past the film: players do not care
    alike = bytearray(film.read_bytes())
    alike[-300_000] = 1  # where only a look at all of it finds it
    (folder / "alike.mp4").write_bytes(alike)
    shutil.copy(film, folder / "copy.mp4")
    os.utime(folder / "copy.mp4", ns=(1, 1))
    os.link(film, folder / "hard link.mp4")
    (folder / "link.mp4").symlink_to("a.mp4")
    (folder / "y").symlink_to("x")
    (folder / "broken 1.mp4").write_text("this is not a video")
    shutil.copy(folder / "broken 1.mp4", folder / "broken 2.mp4")
    return folder


def test_copies_are_analysed_once(tmp_path, library, parrot, make_video, media_index, without_ray):
    """In the run that sees the first of them; a look-alike is a video of its own. The next run has nothing to
    do, whatever leads to the library, so that what was built stays current."""
    index = tmp_path / "index"
    (tmp_path / "linked").symlink_to(library)
    where = ("--index", index, "--model", parrot, "--library")

    def sql(query: str) -> list[tuple]:
        return [tuple(row.values()) for row in media_index("sql", query, "--index", index, "--json").json]

    def rows() -> list[tuple]:
        query = (
            "select uri, count(scene_index) from videos join scenes using (video_id) group by uri order by 1"
        )
        return [(Path(uri).name, count) for uri, count in sql(query)]

    first = media_index("run", *where, library, "--new-index", "--build")
    assert first.code == 3, first.stderr
    assert "3 indexed, 3 copied, 0 partial, 1 set aside, 0 left" in first.stdout
    assert "4 duplicate" in first.stderr
    names = ["a.mp4", "alike.mp4", "copy.mp4", "hard link.mp4", "other.mp4"]
    assert rows() == [(name, 1) for name in names]
    assert sql("select count(*) from attempts where outcome = 'indexed'") == [(3,)]
    assert sql("select count(*), count(distinct code) from failures") == [(2, 1)]

    def files() -> set[str]:
        return {str(path) for path in index.rglob("*") if path.is_file() and path.parent.name != "leases"}

    before = files()
    quiet = without_ray("run", *where, tmp_path / "linked", "--build")
    assert quiet.code == 0, quiet.stderr
    assert "7 videos listed, none to analyse" in quiet.stdout
    assert files() == before
    found = media_index("search", "dog", "--index", index, "--kind", "scenes")
    assert "media-index build" not in found.stderr, "what was built is current"
    (index / "serving.duckdb").unlink()
    again = without_ray("run", *where, library, "--build", "--log-format", "json")
    (built,) = (json.loads(line) for line in again.stderr.splitlines() if '"built"' in line)
    assert (again.code, built["is_new"], built["file"]) == (0, True, str(index / "serving.duckdb"))
