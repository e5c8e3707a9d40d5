"""`--model s3://…` without Ray: which model it is, what is told of it, what keeps it from being used."""

import json
import pickle
import shutil
from pathlib import Path

import boto3
import pytest
from s3_calls import recorded

import videoxl2
from jobs.signals.speech import find_speech
from jobs.weights import BUILT_IN, Copies, fetch_weights, find_weights
from schemas.failures import PreflightError
from videoxl2.speech import NEEDED_FILES

SMALL = Path(videoxl2.__file__).parent / "small"


@pytest.fixture
def put_model(s3_bucket, s3_endpoint):
    """Upload a folder's files; returns the URL."""

    def put(folder: Path, name: str) -> str:
        s3 = boto3.client("s3", endpoint_url=s3_endpoint)
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"{name}/{path.relative_to(folder)}"
                s3.put_object(Bucket=s3_bucket, Key=key, Body=path.read_bytes())
        return f"s3://{s3_bucket}/{name}"

    return put


def test_the_built_in_checkpoint_is_known_on_s3_too(put_model, s3_endpoint, tmp_path):
    """By its content, as anywhere: a URL does not make it a model of films."""
    copies = Copies(tmp_path, s3_endpoint)
    assert find_weights(put_model(SMALL, "ours"), copies).model_id == BUILT_IN
    other = tmp_path / "other"
    shutil.copytree(SMALL, other)
    (other / "config.json").write_text(json.dumps(json.loads((other / "config.json").read_text()) | {"a": 1}))
    url = put_model(other, "other")
    weights = find_weights(f"{url}/", copies)
    assert (weights.model_id, weights.num_bytes) == (url, find_weights(BUILT_IN).num_bytes)
    assert (
        fetch_weights(weights, copies).folder.joinpath("model.safetensors").stat().st_size
        == weights.num_bytes
    )


def test_doctor_and_plan_do_not_download_weights(
    put_model, s3_endpoint, tmp_path, parrot, make_video, media_index
):
    """They read what tells the model's kind, sizes and words; a changed checkpoint is another revision.
    Doctor lists one once, also where there is none."""
    url = put_model(parrot, "weights/parrot")
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "a.mp4")
    where = (
        "--library",
        tmp_path / "films",
        "--endpoint-url",
        s3_endpoint,
        "--scratch",
        tmp_path / "scratch",
    )
    with recorded() as calls:
        told = media_index("doctor", "--model", url, *where).stdout
        media_index("doctor", "--model", f"{url}/nothing", *where)
    assert [call.action for call in calls].count("s3:ListBucket") == 2  # one for all checks of each
    assert f"{url} at {find_weights(url, Copies(tmp_path / 'scratch', s3_endpoint)).revision}, 2.4 MB" in told
    with recorded() as calls:
        plan = media_index("plan", "--model", url, *where, "--index", tmp_path / "new", "--json")
    assert plan.code == 0, plan.stderr
    assert {call.action for call in calls} == {"s3:ListBucket"}
    (kept,) = (tmp_path / "scratch" / "weights").glob("*/*.heads/model.safetensors")
    assert kept.stat().st_size < (parrot / "model.safetensors").stat().st_size / 10


def test_weights_that_hear_are_copied_once_a_machine(put_model, s3_endpoint, tmp_path, media_index):
    """When something is heard, and not by who plans; replaced ones are others."""
    folder = tmp_path / "whisper"
    folder.mkdir()
    for name in (*NEEDED_FILES, "vocabulary.txt", "unknown.bin"):
        (folder / name).write_bytes(name.encode() * 1000)
    url, copies = put_model(folder, "whisper"), Copies(tmp_path / "scratch", s3_endpoint)
    with recorded() as calls:
        first = find_speech(url, copies=copies)
    assert {call.action for call in calls} == {"s3:ListBucket"}
    assert (first.model_id, first.num_bytes) == (url, len("model.bin") * 1000)
    with recorded() as calls:
        copy = pickle.loads(pickle.dumps(first)).folder()
        assert first.folder() == copy
    assert sorted(path.name for path in copy.iterdir()) == sorted((*NEEDED_FILES, "vocabulary.txt"))
    assert (copy / "model.bin").read_bytes() == (folder / "model.bin").read_bytes()
    assert len([call for call in calls if call.action == "s3:GetObject"]) == 4
    told = media_index("doctor", "--speech", url, "--endpoint-url", s3_endpoint).stdout
    assert f"{url} at {first.revision}, " in told
    (folder / "model.bin").write_bytes(b"other weights")
    assert find_speech(put_model(folder, "whisper"), copies=copies).revision != first.revision
    (folder / "tokenizer.json").rename(folder / "unknown.json")
    with pytest.raises(PreflightError, match=r"speech s3://.*/less has no tokenizer.json"):
        find_speech(put_model(folder, "less"), copies=copies)
    with pytest.raises(PreflightError, match=r"speech s3://.*/nothing has no checkpoint"):
        find_speech(f"{url}/nothing", copies=copies)


def test_weights_that_are_not_there_are_told_before_anything_is_spent(s3_bucket, s3_endpoint, tmp_path):
    """The bucket, or what is in it."""
    copies = Copies(tmp_path, s3_endpoint)
    with pytest.raises(PreflightError, match=r"model s3://.*/nothing has no checkpoint"):
        find_weights(f"s3://{s3_bucket}/nothing", copies)
    with pytest.raises(PreflightError, match="the bucket does not exist"):
        find_weights("s3://no-such-bucket-here/model", copies)
