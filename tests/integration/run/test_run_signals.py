"""Signals through the whole job, with real sidecars over HTTP S3."""

import boto3

SRT = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


def test_a_bucket_is_indexed_without_a_model(
    tmp_path, s3_endpoint, s3_bucket, make_video, media_index, parrot
):
    """Captions beside a film are rows that search finds. A changed sidecar, or a model that comes later,
    does anew what is about it and nothing else."""
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
    captions = "select start_ms, end_ms, language, text from captions"
    assert rows(captions) == [
        {"start_ms": 500, "end_ms": 1500, "language": "en", "text": "The harbour is closed."}
    ]
    assert rows("select model_id, summary, count(*) as n from videos group by all") == [
        {"model_id": None, "summary": None, "n": 2}
    ]
    (hit,) = media_index("search", "harbour", *index, "--json").json
    assert (hit["kind"], hit["start_ms"]) == ("captions", 500)
    assert "nothing to do" in media_index(*command).stdout

    s3.put_object(Bucket=s3_bucket, Key="films/a.en.srt", Body=SRT.format("The harbour is open.").encode())
    changed = media_index(*command)
    assert "1 new_sidecars" in changed.stderr
    assert [row["text"] for row in rows(captions)] == ["The harbour is open."]

    with_model = (*command, "--model", parrot)
    assert "nothing to do" in media_index(*with_model).stdout, "a nightly does not pay for what is known"
    done = media_index("backfill", "--missing", *with_model[1:])
    assert done.code == 0, done.stderr
    assert rows("select count(*) as n from scenes") == [{"n": 2}]
    assert [row["text"] for row in rows(captions)] == ["The harbour is open."]
    before = rows("select * exclude (analysis_key) from scenes order by all")

    s3.delete_object(Bucket=s3_bucket, Key="films/a.en.srt")
    removed = media_index(*command)
    assert "1 new_sidecars" in removed.stderr
    assert removed.code == 0, removed.stderr
    assert rows(captions) == []
    assert rows("select * exclude (analysis_key) from scenes order by all") == before
    assert "nothing to do" in media_index(*with_model).stdout, "the answers are still of this model"
    attempts = rows("select plan_reason, num_frames is null as unseen from attempts order by started_at")
    assert [tuple(one.values()) for one in attempts[-1:]] == [("new_sidecars", True)]
