"""Names and titles hold what they like; a terminal is only ever shown it."""

import ast
import io
import json
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from parsed import parsed
from rich.console import Console

from jobs.attempts.tries import AttemptHistory, Try
from jobs.attempts.work import Work
from jobs.driver.telling.progress import Progress
from jobs.failures import Stage, classify
from jobs.reports.report.text import table_lines
from jobs.ui.hits import show_hits
from jobs.ui.tables import show_rows
from jobs.ui.terminal import show_error, to_json
from jobs.ui.words import is_harmless, visible
from schemas.failures import FailureAction, UsageError
from schemas.identity import VideoId, VideoObject
from schemas.plan import PlannedVideo, Reason
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.search import Hit

# Clears the screen, sets its title, forges a line, turns text around, says CSI in one byte, breaks the line.
NAME = "a\x1b[2J\x1b]0;owned\x07b\nerror: forged\rc\u202egpj.\u2066x\x9b31m\u2028d\x7f.mp4"
SPELLED = r"a\x1b[2J\x1b]0;owned\x07b\nerror: forged\rc\u202egpj.\u2066x\x9b31m\u2028d\x7f.mp4"


@pytest.fixture
def media_index(tmp_path, monkeypatch, media_index):
    """The console script's function in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")

    return media_index


@pytest.fixture(scope="module")
def catalog(tmp_path_factory, make_bundle, make_run_record):
    """An index with a video of that name whose title and scene are no better, and one set aside."""
    index = open_index(str(tmp_path_factory.mktemp("hostile") / "catalog"), create=True)
    bundles = [
        make_bundle(uri=f"/films/{NAME}", titles=(f"Dog {NAME}",), title=f"Night {NAME}"),
        make_bundle(uri=f"/films/aside {NAME}", is_quarantined=True),
    ]
    pairs = [(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles]
    for pair, bundle in zip(pairs, bundles, strict=True):
        index.commit(*pair, encode_bundle(bundle))
    index.publish(pairs, [make_run_record("run")])
    return index.url


def harmful(text: str) -> set[str]:
    """Characters in it that a terminal would obey, but for the ends of our lines."""
    return {character for character in text if character != "\n" and not is_harmless(character)}


def test_what_a_terminal_would_obey_is_spelled():
    """Scripts, emoji and accents stay; bytes that are no UTF-8 are told."""
    assert visible(NAME) == SPELLED
    assert visible("bytes \udcff.mp4") == r"bytes \xff.mp4"
    for name in ("ü 🎬 👩‍👧.mp4", "كلب.mp4", "犬", "C:\\films"):
        assert visible(name) == name


VERBS = [
    ("status",),
    ("report",),
    ("explain", "VIDEO"),
    ("explain", "ASIDE"),
    ("explain", NAME),
    ("sql", "select * from videos"),
    ("sql", f"select '{NAME}' as \"{NAME}\""),
    ("sql", f"select {NAME}"),
    ("search", "dog"),
    ("search", "night"),
    ("search", NAME, "--kind", NAME),
    ("export", "--format", "vtt", "--output", "OUT"),
    ("export", "--format", NAME),
    ("retry", NAME),
    ("vacuum", "--older-than", NAME),
    ("forget", "VIDEO"),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: visible(" ".join(verb)).replace("[", "("))
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_no_verb_hands_it_on(catalog, media_index, tmp_path, verb, as_json):
    """Neither what is in the index nor what is typed, on stdout or stderr, in words or as JSON."""
    names = {"VIDEO": f"/films/{NAME}", "ASIDE": f"/films/aside {NAME}", "OUT": str(tmp_path / "out")}
    words = [names.get(word, word) for word in verb]
    done = media_index(*words, "--index", catalog, *(["--json"] if as_json else []))
    assert harmful(done.stdout + done.stderr) == set()
    assert not any(line.startswith("error: forged") for line in (done.stdout + done.stderr).splitlines())
    if as_json and done.code == 0 and done.stdout:
        json.loads(done.stdout)


def test_progress_tells_a_name_on_one_line():
    """On a terminal, in a log, and as JSON, where the name reads back as it is."""
    video = VideoObject(f"/films/{NAME}", 1, 1)
    work = Work.first(PlannedVideo(video, "key", Reason.NEW), 8)
    failure = classify(OSError(f"{NAME}: broken"), Stage.FETCH)
    tried = AttemptHistory(work, (Try(1, datetime.now(UTC), 1.0, None, failure=failure),))
    ways: tuple[tuple[Literal["text", "json"], bool], ...] = (
        ("text", False),
        ("text", True),
        ("json", False),
    )
    for log_format, is_terminal in ways:
        file = io.StringIO()
        console = Console(file=file, force_terminal=is_terminal, color_system=None, width=1000)
        progress = Progress(console, log_format)
        progress.failed(tried, FailureAction.QUARANTINED)
        progress.settled_elsewhere(work)
        text = file.getvalue()
        assert harmful(text) == set()
        assert len(text.splitlines()) == 2
        if log_format == "json":
            assert json.loads(text.splitlines()[1])["uri"] == video.uri
        else:
            assert SPELLED in text


def test_errors_tables_and_hits(capsys):
    """The functions that all verbs share."""
    show_error(UsageError(f"{NAME} is wrong", f"Name another than {NAME}."))
    assert capsys.readouterr().err.splitlines() == [
        f"error: {SPELLED} is wrong",
        f"hint: Name another than {SPELLED}.",
    ]
    show_rows((NAME,), [(NAME,), ([NAME],)])
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [SPELLED] * 2 + [SPELLED]
    assert json.loads(to_json({NAME: NAME})) == {NAME: NAME}
    assert harmful(to_json({NAME: NAME})) == set()


def test_hits_mark_words_but_never_in_paths(capsys):
    """What is shown of a file can be copied, whether it stands alone or in a title."""
    absent = ("row_index", "start_ms", "end_ms", "keyframe_ms", "meaning_score", "recorded_at", "modified_at")
    values: dict[str, Any] = {**dict.fromkeys(absent), "indexed_at": None, "score": 1.0, "words_score": 1.0}
    hit = Hit(
        uri="/films/night walk.mkv",
        title="night walk.mkv",
        text="A night walk, see /films/night walk.mkv for more",
        title_matches=((0, 5),),
        text_matches=((2, 7), (25, 30)),
        kind="videos",
        video_id=VideoId("v"),
        model_id="m",
        model_revision="6f1c2a9b03de",
        **values,
    )
    show_hits([hit])
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("/films/night walk.mkv  ")
    assert shown[1].strip() == "night walk.mkv: A *night* walk, see /films/night walk.mkv for more"


def test_all_text_goes_through_one_module():
    """Nobody prints by another way than jobs.ui.terminal; a run spells its lines itself."""
    of_a_pipe = "jobs/planning/costs/headers.py"
    allowed = {"jobs/ui/terminal.py", "jobs/driver/telling/output.py", of_a_pipe}
    found = set()
    for file, tree in parsed(["jobs"]).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in ("print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write"):
                    found.add(file)
    assert found <= allowed


def test_a_traceback_of_ours_is_spelled_too(media_index, monkeypatch):
    """A bug shows where it is, and ends with 1; the name that it met does no harm."""

    def fail(*_: object) -> None:
        raise RuntimeError(NAME)

    monkeypatch.setattr("jobs.cli.ask.read_examples", fail)
    done = media_index("sql", "--examples")
    assert done.code == 1
    assert done.stderr.startswith("Traceback")
    assert "RuntimeError: a\\x1b[2J" in done.stderr
    assert harmful(done.stderr) == set()


def test_tables_of_reports_spell_names():
    """As every other line does, so that the name can be found; and cut where it is long."""
    assert list(table_lines([(NAME, "x")])) == [f"  {SPELLED}  x"]
    assert list(table_lines([("a" * 500,)])) == ["  " + "a" * 119 + "…"]
