"""`media-index export` on an index."""

import csv
import io
import json
import os

import opentimelineio as otio
import pytest
import srt
import webvtt
from pydantic import BaseModel

from jobs.exports import writing
from jobs.ui import terminal
from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.measured import Strip
from schemas.tables import Keyframe
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query import catalog


class Item(BaseModel):
    """A part of an answer."""

    name: str
    grams: int


class OrderAnswer(TimedAnswer):
    """What somebody orders."""

    layout = Moments(at_most=3, longest_s=9)

    item: Item


ORDER = row_type(OrderAnswer)
LINEAGE = ("video_id", "object_rev", "recipe_id", "analysis_key", "run_id", "model_id", "model_revision")
TITLES = {
    "s3://films/a/x.mp4": ["Opening", "The chase"],
    "s3://films/b/x.mp4": ["Arrival"],
    "s3://films/b/🎬 night.mov": ["Dusk", "Night", "Dawn"],
}


@pytest.fixture
def index(make_index):
    return make_index(TITLES)


def _titles(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".vtt":
        return [caption.text for caption in webvtt.from_buffer(io.StringIO(text)).captions]
    if path.suffix == ".srt":
        return [subtitle.content.splitlines()[0] for subtitle in srt.parse(text)]
    if path.suffix == ".jsonld":
        return [clip["name"] for clip in json.loads(text)["hasPart"]]
    adapter = "cmx_3600" if path.suffix == ".edl" else "otio_json"
    clips = otio.adapters.read_from_string(text, adapter, **({"rate": 25} if adapter == "cmx_3600" else {}))
    return [marker.name for clip in clips.find_clips() for marker in clip.markers]


@pytest.mark.parametrize("to", ["vtt", "srt", "edl", "otio", "jsonld"])
def test_every_video_gets_a_file(index, tmp_path, media_index, to):
    """Two videos of one name are two files; a repeated export changes nothing."""
    out = tmp_path / "new" / "folder"
    arguments = ("export", "--index", index, "--format", to, "--kind", "scenes", "--output", out)
    done = media_index(*arguments)
    assert (done.code, done.stdout) == (0, b"3 files written, 0 unchanged\n"), done.stderr
    assert sorted(map(_titles, out.iterdir())) == sorted(TITLES.values())
    assert {p.name.rpartition("-")[0] for p in out.iterdir()} == {"x", "🎬 night"}
    assert media_index(*arguments).stdout == b"0 files written, 3 unchanged\n"


def test_one_video_by_the_end_of_its_address(index, tmp_path, media_index):
    """To stdout, into a file, or into a folder; edit lists are of highlights unless told otherwise."""
    one = ("export", "--index", index, "--video", "a/x.mp4")
    shown = io.StringIO(media_index(*one, "--format", "vtt").stdout.decode())
    assert [caption.text for caption in webvtt.from_buffer(shown).captions] == ["Opening", "The chase"]
    media_index(*one, "--format", "edl", "--output", tmp_path / "mine.edl")
    assert _titles(tmp_path / "mine.edl") == ["The best"]
    (tmp_path / "folder").mkdir()
    done = media_index(*one, "--format", "srt", "--output", tmp_path / "folder", "--json")
    (path,) = (tmp_path / "folder").iterdir()
    assert json.loads(done.stdout) == [{"path": str(path), "outcome": "written"}]


def test_a_video_whose_name_is_not_utf_8_is_found_by_it(make_index, media_index):
    """The library lists such a byte as `\\xff`; a command line has it as it is."""
    index = make_index({"/v/a\\xff.mp4": ["Opening"], "/v/b.mp4": ["Arrival"]})
    shown = media_index("export", "--index", index, "--video", "a\udcff.mp4", "--format", "vtt")
    captions = webvtt.from_buffer(io.StringIO(shown.stdout.decode())).captions
    assert [caption.text for caption in captions] == ["Opening"]


def test_a_long_edit_list_is_several_files(make_index, tmp_path, media_index):
    """Numbered before the ending; one may then ask where they are."""
    index = make_index({"/v/long.mp4": [f"S{n}" for n in range(1000)]})
    arguments = ("--index", index, "--format", "edl", "--kind", "scenes", "--video", "long.mp4")
    media_index("export", *arguments, "--output", tmp_path / "cut.edl")
    assert [len(_titles(tmp_path / f"cut-{n}.edl")) for n in (1, 2)] == [999, 1]
    assert not (tmp_path / "cut.edl").exists()


def test_files_that_somebody_changed_are_kept_and_named(index, tmp_path, media_index):
    """All others are written; `--force` replaces them."""
    out = tmp_path / "out"
    arguments = ("export", "--index", index, "--format", "vtt", "--output", out)
    media_index(*arguments)
    changed, gone, _ = sorted(out.iterdir())
    changed.write_text("my own")
    gone.unlink()
    done = media_index(*arguments)
    assert (done.code, done.stdout) == (2, b"1 file written, 1 unchanged\n")
    assert done.stderr.startswith("error: kept 1 file with other content: ")
    assert changed.name in done.stderr
    assert changed.read_text() == "my own"
    assert media_index(*arguments, "--force").code == 0
    assert changed.read_text() != "my own"


@pytest.mark.parametrize("table", ["videos", "scenes", "characters", "highlights", "runs", "failures"])
def test_tables_come_out_whole(index, tmp_path, media_index, table):
    """Every row and column, the same in both formats, on stdout and in a file."""
    arguments = ("export", "--index", index, "--kind", table)
    rows = [json.loads(line) for line in media_index(*arguments, "--format", "jsonl").stdout.splitlines()]
    counted = media_index("sql", "--index", index, "--json", f"select count(*) as n from {table}").stdout
    assert len(rows) == json.loads(counted)[0]["n"]
    media_index(*arguments, "--format", "csv", "--output", tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == len(rows)
    for row, cell in zip(rows, cells, strict=True):
        assert list(row) == list(cell)
        texts = {k: v for k, v in row.items() if isinstance(v, str)}
        assert texts == {k: cell[k] for k in texts}


def test_a_packs_table_comes_out_whole(tmp_path, media_index, make_bundle, make_row):
    """Words of SQL and nested records included."""
    index = open_index(str(tmp_path / "index"), create=True, own={"order": ORDER})
    bundle = make_bundle()
    pair = (bundle.commit.video_id, bundle.commit.analysis_key)
    ids = dict(zip(("video_id", "analysis_key"), pair, strict=True))
    row = make_row(ORDER, record_index=0, item={"name": "Tea, green", "grams": 7}, **ids)
    index.commit(*pair, encode_bundle(bundle.model_copy(update={"own": {"order": (row,)}})))
    index.publish([pair])
    export = ("export", "--index", tmp_path / "index", "--kind", "order", "--format")
    assert json.loads(media_index(*export, "jsonl").stdout)["item"] == {"name": "Tea, green", "grams": 7}
    (cells,) = csv.DictReader(io.StringIO(media_index(*export, "csv").stdout.decode(), newline=""))
    assert json.loads(cells["item"]) == {"name": "Tea, green", "grams": 7}


def test_thumbnails_are_a_track_and_its_pictures(tmp_path, media_index, make_bundle, make_row):
    """Of the videos that have a strip; the track names the file that lies beside it."""
    index, keys = open_index(str(tmp_path / "index"), create=True), []
    for uri, image in (("s3://films/a b.mp4", b"\xff\xd8 pictures"), ("s3://films/none.mp4", b"")):
        bundle = make_bundle(uri=uri, duration_ms=2000)
        ids = {name: getattr(bundle.videos[0], name) for name in LINEAGE}
        sides = {"num_columns": 10, "tile_width": 160, "tile_height": 90}
        strip = make_row(
            Strip, num_tiles=2, step_ms=1000, media_type="image/jpeg", image=image, **sides, **ids
        )
        bundle = bundle.model_copy(update={"measured": {"strips": (strip,) if image else ()}})
        keys.append((bundle.commit.video_id, bundle.commit.analysis_key))
        index.commit(*keys[-1], encode_bundle(bundle))
    index.publish(keys)
    asked = ("export", "--index", tmp_path / "index", "--format", "vtt", "--kind", "thumbnails")
    for more in ((), ("--video", "a b.mp4")):
        outcome = media_index(*asked, "--output", tmp_path / "out", "--json", *more)
        assert [one["outcome"] for one in json.loads(outcome.stdout)] == [
            "unchanged" if more else "written"
        ] * 2
    image, track = sorted((tmp_path / "out").iterdir())
    assert (image.read_bytes(), image.suffix, track.suffix) == (b"\xff\xd8 pictures", ".jpg", ".vtt")
    cues = webvtt.from_string(track.read_text()).captions
    assert [one.text.partition("#")[0] for one in cues] == [image.name.replace(" ", "%20")] * 2


def test_rows_of_one_video(index, media_index):
    """`--video` leaves out the rows of others."""
    done = media_index("export", "--index", index, "--format", "jsonl", "--video", "night.mov")
    assert [json.loads(line)["title"] for line in done.stdout.splitlines()] == ["Dusk", "Night", "Dawn"]


def test_more_videos_than_one_query_takes(make_index, tmp_path, media_index, monkeypatch):
    """Each of them once, with its own scenes."""
    monkeypatch.setattr("jobs.exports.moments.VIDEOS_A_QUERY", 2)
    titles = {f"/v/{n}.mp4": [f"T{n}", f"U{n}"] for n in range(5)}
    index = make_index(titles)
    media_index("export", "--index", index, "--format", "vtt", "--output", tmp_path / "out")
    assert sorted(map(_titles, (tmp_path / "out").iterdir())) == list(titles.values())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--format", "vtt"], "no folder given"),
        (["--format", "poem"], "poem"),
        ([], "--format"),
        (["--format", "vtt", "--video", "nowhere.mp4"], "nowhere.mp4 is not in the index"),
        (["--format", "vtt", "--video", "x.mp4"], "x.mp4 stands for 2 videos"),
        (["--format", "vtt", "--kind", "runs", "--output", "out"], "vtt cannot hold runs"),
        (["--format", "csv", "--kind", "scene"], "there is no table 'scene'"),
        (["--format", "csv", "--kind", "runs", "--video", "a/x.mp4"], "a run is of no single video"),
        (["--format", "csv", "--json"], "--json"),
        (["--format", "csv", "--output", "s3://bucket/x.csv"], "s3://bucket/x.csv"),
        (["--format", "csv", "--output", "no/such/x.csv"], "no/such"),
        (["--format", "csv", "--output", "/dev/null"], "/dev/null"),
        (["--format", "vtt", "--output", "file.txt"], "file.txt"),
        (["--format", "srt", "--kind", "shots", "--output", "out"], "srt cannot hold shots"),
        (["--format", "srt", "--kind", "thumbnails", "--output", "out"], "srt cannot hold thumbnails"),
        (["--format", "vtt", "--kind", "thumbnails", "--video", "night.mov"], "two files a video"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_two_lines_and_nothing_is_written(
    index, tmp_path, media_index, monkeypatch, arguments, error
):
    """Before the first file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").touch()
    done = media_index("export", "--index", index, *arguments)
    lines = done.stderr.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], done.stderr
    assert error in lines[0]
    assert (done.code, done.stdout) == (2, b"")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.txt", "index"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--format", "srt"],
            ["SubRip has no comments; these are the words of small (abc)", "The model small"],
        ),
        (["--format", "vtt"], ["The model small"]),
        (["--format", "csv", "--kind", "scenes"], ["The model small"]),
        (["--format", "jsonl", "--kind", "runs"], []),
    ],
)
def test_the_model_is_named_where_a_format_cannot(make_index, media_index, tmp_path, arguments, said):
    """On stderr; what is exported stays what it is."""
    index = make_index(TITLES, model_id="small", model_revision="abc")
    done = media_index("export", "--index", index, *arguments, "--output", tmp_path / "out")
    assert done.code == 0
    notes = done.stderr.splitlines()
    assert len(notes) == len(said)
    assert all(note.startswith("note: ") and words in note for note, words in zip(notes, said, strict=True))


def test_what_is_on_stdout_and_cannot_go_on_is_said_to_be_less_than_all(
    tmp_path, monkeypatch, media_index, make_bundle, make_row
):
    """Parts are replaced while the first rows are out already: those cannot be taken back and begun anew."""
    folder, num_parts, num_rows = tmp_path / "index", 6, 100
    lock = catalog.lock

    def lock_without_buffer(connection):
        connection.execute("SET streaming_buffer_size = '1KB'")  # else so few rows are read at once
        lock(connection)

    monkeypatch.setattr(catalog, "lock", lock_without_buffer)
    monkeypatch.setattr(catalog, "BATCH_ROWS", num_rows)
    index = open_index(str(folder), create=True)

    def publish(uri, rows):
        bundle = make_bundle(uri=uri)
        ids = {name: getattr(bundle.videos[0], name) for name in LINEAGE}
        stills = (
            make_row(Keyframe, row_index=n, image=os.urandom(500), media_type="image/jpeg", **ids)
            for n in range(rows)
        )
        key = (bundle.commit.video_id, bundle.commit.analysis_key)
        index.commit(*key, encode_bundle(bundle.model_copy(update={"keyframes": tuple(stills)})))
        index.publish([key])

    for number in range(num_parts):
        publish(f"s3://films/{number}.mp4", num_rows)

    def say_then_lose(text):
        terminal.say_document(text)
        for part in (folder / "tables" / "keyframes").iterdir():
            os.truncate(part, 0)
        publish("s3://films/new.mp4", 0)

    monkeypatch.setattr(writing, "say_document", say_then_lose)
    done = media_index("export", "--index", folder, "--format", "jsonl", "--kind", "keyframes")
    assert done.code == 8
    assert done.stderr.splitlines()[-1] == "hint: What was written is not all of it; repeat the command."
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert num_rows <= len(rows) < num_parts * num_rows
