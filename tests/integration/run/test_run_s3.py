"""The same job with library, weights and index on S3, over HTTP."""

import boto3
from s3_calls import recorded, refused, unused

KEYS = ("plain.mp4", "with space/ü 🎬.mp4", "odd/#1 100% a+b&c='d'.mp4", "deep/" * 190 + "x" * 46 + ".mp4")


def test_a_bucket_becomes_an_index_in_a_bucket(
    tmp_path, s3_endpoint, s3_bucket, parrot, make_video, media_index, without_ray
):
    """Awkward keys are indexed under their own names, no copy is left, and a second run costs nothing."""
    s3 = boto3.client("s3", endpoint_url=s3_endpoint)
    film = make_video(tmp_path / "film.mp4", seconds=3).read_bytes()
    for number, key in enumerate(KEYS):
        s3.put_object(Bucket=s3_bucket, Key=f"films/{key}", Body=film + bytes(number))
    s3.put_object(Bucket=s3_bucket, Key="films/text.mp4", Body=b"not a video")
    s3.put_object(Bucket=s3_bucket, Key="films/", Body=b"")
    s3.put_object(Bucket=s3_bucket, Key="elsewhere/film.mp4", Body=film)
    s3.put_object(Bucket=s3_bucket, Key="films/twin.mp4", Body=film)
    for path in (path for path in parrot.rglob("*") if path.is_file()):
        key = f"weights/{path.relative_to(parrot)}"
        s3.put_object(Bucket=s3_bucket, Key=key, Body=path.read_bytes())
    model, scratch = f"s3://{s3_bucket}/weights", tmp_path / "scratch"
    index = ("--index", f"s3://{s3_bucket}/the index", "--endpoint-url", s3_endpoint)
    command = ("run", "--library", f"s3://{s3_bucket}/films", *index, "--model", model, "--scratch", scratch)

    with recorded() as calls:
        first = media_index(*command, "--new-index")
        media_index("doctor", "--library", f"s3://{s3_bucket}/films", *index)
    assert first.code == 3, first.stderr
    assert "4 indexed, 1 copied, 0 partial, 1 set aside, 0 left to the next run" in first.stdout
    assert "1 duplicate" in first.stderr
    assert [path.name for path in scratch.iterdir() if path.is_dir()] == ["weights"]
    weights = [call for call in calls if (call.key or call.prefix).startswith("weights/")]
    # The head for the plan, and all of it for the one model that is loaded.
    assert [call.key for call in weights].count("weights/model.safetensors") == 2
    rows = media_index("sql", "select uri, etag, size_bytes from videos", *index, "--json").json
    assert {row["uri"] for row in rows} == {f"s3://{s3_bucket}/films/{key}" for key in (*KEYS, "twin.mp4")}
    assert all(row["etag"] for row in rows)
    assert len(media_index("sql", "select * from scenes", *index, "--json").json) == 5
    assert media_index("sql", "select model_id from runs", *index, "--json").json == [{"model_id": model}]

    again = without_ray(*command)
    assert again.code == 0, again.stderr
    assert "nothing to do" in again.stdout

    loaded = {call.in_policies(None, None, f"{s3_bucket}/weights") for call in weights}
    assert (refused("weights.json", loaded), unused("weights.json", loaded)) == (set(), [])
    made = {
        call.in_policies(f"{s3_bucket}/films", f"{s3_bucket}/the index")
        for call in calls
        if call not in weights
    }
    assert refused("run.json", made) == set()
    # Leases go from the twenty-first on.
    assert [what for _, _, what in unused("run.json", made)] == ["arn:aws:s3:::media-index/catalog/leases/*"]

    s3.put_object(
        Bucket=s3_bucket, Key="films/plain.mp4", Body=make_video(tmp_path / "b.mp4", 5).read_bytes()
    )
    assert media_index(*command).code == 0
    query = "select duration_ms from videos where uri like '%/plain.mp4'"
    assert media_index("sql", query, *index, "--json").json == [{"duration_ms": 5000}]
    hits = media_index("search", "dog", *index, "--kind", "scenes", "--json").json
    assert len(hits) == 5

    root = f"{s3_bucket}/films"
    s3.copy_object(Bucket=s3_bucket, Key="films/copy.mp4", CopySource=f"{root}/plain.mp4")
    s3.copy_object(Bucket=s3_bucket, Key="films/moved.mp4", CopySource=f"{root}/{KEYS[1]}")
    s3.delete_object(Bucket=s3_bucket, Key=f"films/{KEYS[1]}")
    free = without_ray(*command)
    assert free.code == 0, free.stderr
    assert "1 moved" in free.stderr
    assert "1 duplicate" in free.stderr
    assert "no model loaded" in free.stdout
    query = "select count(*) as n from scenes join videos using (video_id) where uri ~ '.*(copy|moved).mp4'"
    assert media_index("sql", query, *index, "--json").json == [{"n": 2}]


def test_a_missing_bucket_is_found_before_anything_is_spent(s3_endpoint, tmp_path, media_index):
    """Exit code 8 and two lines."""
    done = media_index(
        "run",
        "--library",
        "s3://no-such-bucket-here",
        "--index",
        tmp_path / "i",
        "--new-index",
        "--model",
        "small",
        "--endpoint-url",
        s3_endpoint,
    )
    assert done.code == 8
    assert done.stderr.startswith("error: library")
    assert "\nhint: " in done.stderr


def test_a_plan_knows_lengths_by_the_ends_of_objects(
    tmp_path, s3_endpoint, s3_bucket, parrot, make_video, media_index
):
    """Headers are read, wherever the container keeps its own; nothing else is, and no index is needed."""
    film = make_video(tmp_path / "film.mp4", seconds=3).read_bytes()
    other = make_video(tmp_path / "other.mp4", seconds=5, shade=90).read_bytes()
    head_bytes = int.from_bytes(other[:4])
    free = (4 << 20).to_bytes(4) + b"free" + bytes((4 << 20) - 8)
    s3 = boto3.client("s3", endpoint_url=s3_endpoint)
    for key, data in (
        ("head", film + bytes(3 << 20)),
        ("tail", other[:head_bytes] + free + other[head_bytes:]),
    ):
        s3.put_object(Bucket=s3_bucket, Key=f"{key}.mp4", Body=data)
    s3.put_object(Bucket=s3_bucket, Key="text.mp4", Body=b"no video")
    where = ("--library", f"s3://{s3_bucket}", "--endpoint-url", s3_endpoint, "--index", tmp_path / "new")
    told = media_index("plan", *where, "--model", parrot, "--json").json["estimate"]
    assert (told["num_headers"], told["num_guessed"]) == (3, 1)
    seconds = told["video_hours"] * 3600
    assert 8.0 <= seconds < 8.1
