"""The verbs that keep an index in order, as a shell sees them."""

import json
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.cli.main import cli, main
from schemas.failures import LeaseHeldError
from storage.index import leases
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.publishing.snapshots import read_newest
from storage.objects.local import LocalStore


@pytest.fixture
def index(tmp_path, make_bundle) -> str:
    """Three small publishes."""
    url = str(tmp_path / "my index")
    opened = open_index(url, create=True)
    for name in ("a", "b", "c"):
        bundle = make_bundle(uri=f"/films/{name}.mp4")
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        opened.commit(*pair, encode_bundle(bundle))
        opened.publish([pair])
    return url


def _call(*words: str):
    return CliRunner().invoke(cli, list(words), standalone_mode=False)


def _main(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    """With the errors and exit codes of the console script."""
    monkeypatch.setattr(sys, "argv", ["media-index", *words])
    with pytest.raises(SystemExit) as raised:
        main()
    return raised.value.code, *capsys.readouterr()


def test_compact_says_what_it_merged_and_then_that_nothing_is_left(index):
    """Both are successes."""
    said = _call("compact", "--index", index).output
    assert "scenes: 3 files into 1, 3 rows" in said
    assert _call("compact", "--index", index).output == "nothing to merge\n"
    assert json.loads(_call("compact", "--index", index, "--json").output) is None


def test_the_hint_of_a_damaged_part_can_be_typed_as_it_is(index, monkeypatch, capsys):
    """From the error to the repaired index, quotes around the blank in the name included."""
    store = LocalStore(Path(index))
    store.delete(read_newest(store).files_of("scenes")[0])
    code, _, said = _main(monkeypatch, capsys, "sql", "--index", index, "select count(*) from scenes")
    assert code == 8
    command = shlex.split(said.partition("`")[2].partition("`")[0])
    assert command[:2] == ["media-index", "compact"]
    code, said, _ = _main(monkeypatch, capsys, *command[1:])
    assert code == 0
    assert "scenes: 1 rows made anew" in said
    assert "nothing to repair" in _call(*command[1:]).output
    code, said, _ = _main(monkeypatch, capsys, "sql", "--index", index, "select count(*) from scenes")
    assert (code, said.split()[-1]) == (0, "3")


def test_vacuum_leaves_and_counts_what_is_not_ours(index):
    """And says the same to machines."""
    (Path(index) / "holiday.jpg").write_bytes(b"not an index's")
    assert "1 files that are not media-index's were left" in _call("vacuum", "--index", index).output
    assert json.loads(_call("vacuum", "--index", index, "--json").output)["num_unknown"] == 1
    assert (Path(index) / "holiday.jpg").exists()


def test_vacuum_first_says_and_then_does(index):
    """A dry run and the run itself name the same files; a week is the default."""
    _call("compact", "--index", index)
    assert _call("vacuum", "--index", index).output == "nothing to remove\n"
    planned = _call("vacuum", "--index", index, "--older-than", "0d", "--dry-run").output
    assert "would be removed" in planned
    done = _call("vacuum", "--index", index, "--older-than", "0h").output
    parts = [line.split()[1] for line in (planned + done).splitlines() if line.startswith("parts:")]
    assert len(parts) == 2
    assert parts[0] == parts[1]


def test_an_age_that_is_none_is_a_usage_error(index, monkeypatch, capsys):
    """With what to write."""
    code, _, said = _main(monkeypatch, capsys, "vacuum", "--index", index, "--older-than", "soon")
    assert (code, "7d" in said) == (2, True)


def test_forget_wants_to_be_told_twice(index, monkeypatch, capsys):
    """Without a terminal to ask on and without --yes nothing happens."""
    code, _, said = _main(monkeypatch, capsys, "forget", "--index", index, "a.mp4")
    assert (code, "--yes" in said) == (2, True)
    code, said, _ = _main(monkeypatch, capsys, "sql", "--index", index, "select count(*) from videos")
    assert said.split()[-1] == "3"


def test_forget_gives_a_receipt(index):
    """With ids, numbers and what was looked at afterwards; and it says what the next run will do."""
    receipt = json.loads(_call("forget", "--index", index, "--yes", "--json", "a.mp4").output)
    assert receipt["uri"] == "/films/a.mp4"
    assert receipt["rows"]["scenes"] == 1
    assert receipt["files_verified"] > 5
    assert receipt["forgotten_at"]
    said = _call("forget", "--index", index, "--yes", "b.mp4").output
    assert "verified: none of" in said
    assert "next run indexes it again" in said


def test_forget_beside_a_run_is_refused_with_its_own_exit_code(index, monkeypatch, capsys):
    """5, as for a second run; nothing is touched."""
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)
    with leases.holding(LocalStore(Path(index)), "run", print):
        code, _, said = _main(monkeypatch, capsys, "forget", "--index", index, "--yes", "a.mp4")
    assert (code, "is at work" in said) == (5, True)
    assert LeaseHeldError.exit_code == 5
    assert _call("forget", "--index", index, "--yes", "a.mp4").exit_code == 0


def test_an_index_of_a_newer_version_is_left_alone(index, monkeypatch, capsys):
    """By every verb that would change it."""
    marker = Path(index) / "index.json"
    newer = json.loads(marker.read_text()) | {"schema_version": 99}
    marker.unlink()
    marker.write_text(json.dumps(newer))
    before = sorted(Path(index).iterdir())
    for words in (["compact"], ["compact", "--repair"], ["vacuum"], ["forget", "--yes", "a.mp4"]):
        code, _, said = _main(monkeypatch, capsys, *words, "--index", index)
        assert (code, "newer media-index" in said) == (8, True)
    assert sorted(Path(index).iterdir()) == before
