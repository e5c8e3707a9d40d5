"""The model card's tables: made by one command, between marks, and gone on with where it was stopped."""

import re
import shutil

import ablations
import evaluate
import pytest
from ablations import DEFAULT
from card import Counts, put_into
from click.testing import CliRunner
from judging import Score
from kept import Kept, digest_of_checkpoint

from jobs.weights import find_weights

TABLES = ("pipeline", "changed", "rates", "lengths")
CARD = "\n".join(
    ["# small", *(f"before {n}\n<!-- measured: {n} -->\n<!-- end of {n} -->" for n in TABLES), "the end\n"]
)


@pytest.fixture
def checkpoint(tmp_path):
    """The built-in weights beside a card without a figure."""
    folder = shutil.copytree(find_weights("small").folder, tmp_path / "checkpoint")
    (folder / "README.md").write_text(CARD)
    return folder


@pytest.fixture
def asked(monkeypatch):
    """Two ways and a film or two of ten seconds; what was asked is listed."""
    asked = []
    monkeypatch.setattr(evaluate, "COUNTS", Counts(((10, 1),), ((10, 1),), ((10, 1), (12, 1))))
    monkeypatch.setattr(evaluate, "index_films", lambda folder, part, count, model: Score())
    monkeypatch.setattr("card.VARIANTS", (DEFAULT, *(v for v in ablations.VARIANTS if v.kv)))
    ask = ablations.Examiner._ask

    def listed(self, variant, film):
        asked.append((variant.name, film.duration_s))
        return ask(self, variant, film)

    monkeypatch.setattr(ablations.Examiner, "_ask", listed)
    return asked


def made(folder, checkpoint):
    folder.mkdir(exist_ok=True)
    arguments = [str(folder), "--card", "--count", "2", "--model", str(checkpoint)]
    return CliRunner().invoke(evaluate.main, arguments, catch_exceptions=False)


def test_one_command_makes_all_tables_and_goes_on_where_it_was_stopped(
    asked, checkpoint, tmp_path, monkeypatch
):
    """Each film is asked once in each way; stopped at the third it asks no more than the others."""
    ask = ablations.Examiner._ask

    def stopped(self, variant, film):
        if len(asked) == 2:
            raise ConnectionAbortedError
        return ask(self, variant, film)

    with monkeypatch.context() as patch:
        patch.setattr(ablations.Examiner, "_ask", stopped)
        with pytest.raises(ConnectionAbortedError):
            made(tmp_path / "kept", checkpoint)
    assert (checkpoint / "README.md").read_text() == CARD
    assert made(tmp_path / "kept", checkpoint).exit_code == 0
    card = (checkpoint / "README.md").read_text()
    assert len(asked) == len(set(asked)) == 5  # two ways, two more rates, one more length
    rows = [line.split("|")[1:3] for line in card.splitlines() if re.search(r"\| [01]\.\d{3} \|$", line)]
    names = [name.strip() for name, _ in rows if "F1" not in name]
    assert names[-2:] == ["10 s", "12 s"]
    assert {DEFAULT.name, "1 picture in 2 seconds", "1 picture a second", "2 pictures a second"} <= set(names)
    assert "2 test films" in card
    assert digest_of_checkpoint(checkpoint)[:16] in card
    assert made(tmp_path / "kept", checkpoint).exit_code == 0
    assert (checkpoint / "README.md").read_text() == card
    assert len(asked) == 5


def test_other_weights_are_asked_anew(checkpoint, tmp_path):
    """What was told by a checkpoint belongs to its bytes; what people read is none of them."""
    before = Kept(tmp_path, checkpoint).key
    (checkpoint / "README.md").write_text("other words")
    assert Kept(tmp_path, checkpoint).key == before
    (checkpoint / "clock.json").write_text("{}")
    assert Kept(tmp_path, checkpoint).key != before


def test_the_shipped_card_has_a_place_for_each_table():
    """And text without one is refused before anything is measured."""
    card = (find_weights("small").folder / "README.md").read_text()
    written = put_into(card, {name: f"table of {name}" for name in TABLES})
    assert all(f"\ntable of {name}\n<!-- end" in written for name in TABLES)
    with pytest.raises(ValueError, match="0 places for the table rates"):
        put_into("# small", {"rates": ""})
