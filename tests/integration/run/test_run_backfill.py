"""What becomes of an index when prompts, files and names change: the nightly, plans and backfills."""

import os
import shutil
from pathlib import Path

import pytest

from jobs.prompts.pack import PACKS
from storage.index.index import open_index
from storage.index.layout import plan_key
from storage.index.leases import KeptLease, acquire


@pytest.fixture
def library(tmp_path, make_video) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for number in range(3):
        make_video(folder / f"film {number}.mp4", seconds=3, shade=60 * number)
    return folder


@pytest.fixture
def reworded(tmp_path) -> Path:
    """The default questions, but for one word in the last one."""
    pack = tmp_path / "reworded"
    shutil.copytree(PACKS / "default", pack)
    (prompt,) = pack.glob("*highlights*")
    prompt.write_text(prompt.read_text().replace("at most five", "at most 5"))
    return pack


def test_a_reworded_prompt_is_asked_again_alone(
    tmp_path, library, reworded, parrot, media_index, without_ray
):
    """Nightly, reworded prompt, plan, canary, the rest: scenes keep the run that made them."""
    where = ("--library", library, "--index", tmp_path / "index", "--model", parrot)

    def sql(query: str) -> list[dict]:
        return media_index("sql", query, "--index", tmp_path / "index", "--json").json

    assert media_index("run", *where, "--new-index").code == 0
    (nightly,) = sql("select run_id, recipe_id from runs")
    told = media_index("plan", *where, "--pack", reworded, "--json").json
    assert told["reasons"] == {"stale_prompt": 3}
    assert told["planned"] == {}, "the nightly does not spend on it"
    again = without_ray("run", *where, "--pack", reworded)
    assert again.code == 0
    assert "3 stale_prompt  not now: media-index backfill --stale" in again.stderr

    saved = tmp_path / "tomorrow.plan"
    planned = media_index("plan", "--stale", *where, "--pack", reworded, "--save", saved, "--json").json
    assert planned["planned"] == {"stale_prompt": 3}
    canary = media_index("backfill", "--stale", "--sample", 1, *where, "--pack", reworded, "--json").json
    assert (canary["num_planned"], canary["num_indexed"], canary["kind"]) == (1, 1, "backfill")
    wrong = without_ray("backfill", "--all", "--plan", saved, *where)
    assert wrong.code == 2
    assert "was made for recipe" in wrong.stderr
    narrower = without_ray("backfill", "--plan", saved, "--where", "false", *where, "--pack", reworded)
    assert "2 stale_prompt  not now" in narrower.stderr, "limits hold for a saved plan, too"
    assert "no model loaded" in narrower.stdout
    rest = media_index("backfill", "--all", "--plan", saved, *where, "--pack", reworded, "--json").json
    assert (rest["num_planned"], rest["num_indexed"]) == (2, 2), "the canary is not paid for twice"

    rows = sql(
        "select s.run_id as scenes, c.run_id as characters, h.run_id as highlights, h.recipe_id as recipe, "
        "s.recipe_id as before, v.summary from videos as v join scenes as s using (analysis_key) "
        "join characters as c using (analysis_key) join highlights as h using (analysis_key)"
    )
    assert {(row["scenes"], row["characters"]) for row in rows} == {(nightly["run_id"],) * 2}
    assert {row["highlights"] for row in rows} == {canary["run_id"], rest["run_id"]}
    assert {row["before"] for row in rows} == {nightly["recipe_id"]}
    assert {row["recipe"] for row in rows} == {canary["recipe_id"]}
    assert {row["summary"] for row in rows} == {"A man in red meets a dog."}
    pictures = "from keyframes as k semi join commits using (analysis_key) where table_name <> 'shots'"
    assert sql(f"select count(*) as n {pictures}")[0]["n"] == 6
    data = bytearray(saved.read_bytes())
    data[-20] ^= 1
    saved.write_bytes(data)
    edited = without_ray("backfill", "--all", "--plan", saved, *where, "--pack", reworded)
    assert edited.code == 2
    assert "was changed after it was made" in edited.stderr


def test_files_that_move_or_go_cost_nothing(tmp_path, library, parrot, media_index, without_ray):
    """Rows follow a renamed file, those of a deleted one become history, and come back with it."""
    where = ("--library", library, "--index", tmp_path / "index", "--model", parrot)

    def visible() -> dict[str, int]:
        query = "select uri, count(*) as n from videos join scenes using (analysis_key) group by uri"
        rows = media_index("sql", query, "--index", tmp_path / "index", "--json").json
        return {Path(row["uri"]).name: row["n"] for row in rows}

    assert media_index("run", *where, "--new-index").code == 0
    (library / "film 0.mp4").rename(library / "renamed.mp4")
    shutil.move(library / "film 1.mp4", tmp_path / "away.mp4")
    second = without_ray("run", *where)
    assert second.code == 0, second.stderr
    assert "1 moved" in second.stderr
    attempts = "select count(*) as n from attempts"
    assert media_index("sql", attempts, "--index", tmp_path / "index", "--json").json == [{"n": 3}]
    assert "2 deleted" in second.stderr  # the old name of the one that moved, too
    assert "no model loaded" in second.stdout
    assert visible() == {"renamed.mp4": 1, "film 2.mp4": 1}
    shutil.move(tmp_path / "away.mp4", library / "film 1.mp4")
    third = without_ray("run", *where)
    assert "1 committed" in third.stderr
    assert visible() == {"renamed.mp4": 1, "film 1.mp4": 1, "film 2.mp4": 1}


def test_what_was_set_aside_can_be_tried_again(tmp_path, library, parrot, media_index, without_ray):
    """`retry` takes a video out of quarantine; it is analysed under the key it would have had."""
    where = ("--library", library, "--index", tmp_path / "index", "--model", parrot)
    broken = library / "film 1.mp4"
    whole = broken.read_bytes()
    times = (broken.stat().st_atime_ns, broken.stat().st_mtime_ns)
    broken.write_bytes(bytes(len(whole)))
    os.utime(broken, ns=times)
    assert media_index("run", *where, "--new-index").code == 3
    assert without_ray("run", *where).code == 0, "it is not tried every night"
    assert media_index("retry", "--index", tmp_path / "index", "film 2.mp4").code == 2
    broken.write_bytes(whole)
    os.utime(broken, ns=times)  # repaired in place, and nothing in the listing tells
    assert without_ray("run", *where, "--json").json["num_planned"] == 0
    released = media_index("retry", "--index", tmp_path / "index", "film 1.mp4")
    assert (released.code, released.stdout) == (0, f"{broken}\n")
    retried = media_index("run", *where, "--json").json
    assert (retried["num_planned"], retried["num_indexed"]) == (1, 1)


def test_limits_choose_among_what_is_planned(tmp_path, library, parrot, media_index, without_ray):
    """--where looks at the listing and at rows there are; a mistake in it is told."""
    where = ("--library", library, "--index", tmp_path / "index", "--model", parrot)

    def planned(*options: str) -> int:
        return media_index("plan", *where, *options, "--json").json["num_videos"]

    assert planned("--limit", "2") == 2
    assert planned("--where", "uri like '%film 1%' and reason = 'new'") == 1
    assert planned("--where", "duration_ms > 0") == 0, "nothing is known of new videos"
    assert planned("--sample", "1") == 1
    wrong = media_index("plan", *where, "--where", "no_such_column = 1")
    assert wrong.code == 2
    assert "no_such_column" in wrong.stderr
    assert without_ray("backfill", *where).code == 2


def test_two_runs_never_do_the_same_video(tmp_path, library, reworded, parrot, media_index, without_ray):
    """A second nightly ends with 5 and says who is at work; a backfill leaves out what the nightly has."""
    where = ("--library", library, "--index", tmp_path / "index", "--model", parrot)
    assert media_index("run", *where, "--new-index").code == 0
    index = open_index(str(tmp_path / "index"))
    planned = tmp_path / "mine.plan"
    assert (
        media_index("plan", "--stale", "--limit", 1, "--save", planned, *where, "--pack", reworded).code == 0
    )
    with KeptLease(acquire(index.store, "run", "20261121T010000Z-aaaaaa", print), print) as lease:
        index.store.put_if_absent(plan_key(lease.run_id), planned.read_bytes())
        assert lease.claim(plan_key(lease.run_id)) == []
        second = without_ray("run", *where)
        assert second.code == 5, second.stderr
        assert f"(process {os.getpid()})" in second.stderr
        beside = media_index("backfill", "--stale", *where, "--pack", reworded)
        assert "2 indexed" in beside.stdout
        assert "1 claimed" in beside.stderr
    assert without_ray("run", *where).code == 0
