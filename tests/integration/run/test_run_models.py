"""Models other than Video-XL-2 through the whole pipeline: files, Ray, rows."""

import pytest
from tiny_network import write_tiny_checkpoint

from videoxl2.random_checkpoint import write_random_checkpoint


@pytest.mark.parametrize(
    ("family", "how", "size", "bits"),
    [
        ("Qwen3-VL", ("--weight-bits", 4), "96x64", 4),
        pytest.param(
            # smaller than what the model would enlarge pictures of 96x64 to
            *("Qwen2.5-VL", ("--max-pixels-per-frame", 50_000), "252x168", 16),
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_other_models_run_like_video_xl_2(
    media_index, without_ray, make_video, tmp_path, family, how, size, bits
):
    """Too many frames, and bi-level decoding, are refused before anything is made; in sections all of a film
    gets rows; another model's rows take their place, and say in how many bits its weights were."""
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "film.mp4", seconds=12.0)
    where = ("--library", tmp_path / "films", "--index", tmp_path / "index", "--signal", "none", "--model")
    llava = write_tiny_checkpoint(tmp_path / "llava", family="LLaVA-Video")
    refused = without_ray("run", *where, llava, "--new-index")
    assert refused.code == 2
    assert "LLaVA-Video takes at most" in refused.stderr
    assert not (tmp_path / "index").exists()

    pooled = ("--model-option", "pool=average", "--model-option", "newline=frame")
    done = media_index("run", *where, llava, "--new-index", "--max-frames", 8, "--split", *pooled)
    assert done.code == 0, done.stderr
    assert told_by(media_index, tmp_path / "index") == rows_of("112x112")
    planned = media_index("plan", *where, llava, "--max-frames", 8, "--split")
    assert "1 stale_model" in planned.stdout  # of other options
    planned = media_index("plan", *where, llava, "--max-frames", 8, "--split", *pooled)
    assert "1 unchanged" in planned.stdout

    pro = write_tiny_checkpoint(tmp_path / "pro", family="Video-XL-Pro")
    refused = without_ray("backfill", "--stale", *where, pro, "--kv", "bilevel")
    assert refused.code == 2
    assert "these weights are Video-XL-Pro" in refused.stderr
    refused = media_index("backfill", "--stale", *where, pro, *pooled)
    assert refused.code == 2
    assert "Video-XL-Pro has no option pool" in refused.stderr
    eight = ("--weight-bits", 8)
    done = media_index("backfill", "--stale", *where, pro, "--model-option", "keep-ratio=0.8", *eight)
    assert done.code == 0, done.stderr
    assert told_by(media_index, tmp_path / "index") == rows_of("112x112", bits=8)

    qwen = write_random_checkpoint(tmp_path / family, family=family)
    done = media_index("backfill", "--stale", *where, qwen, *how, "--max-frames", 64)
    assert done.code == 0, done.stderr
    assert told_by(media_index, tmp_path / "index") == rows_of(size, bits)


def rows_of(size, bits=16):
    """What an index says whose film was shown in that size, and described by one model to its end."""
    return {"sampled": 12, "shown": size, "told_ms": 12_000, "models": 1, "bits": bits}


def told_by(media_index, index):
    rows = media_index(
        *("sql", "--index", index, "--json"),
        "SELECT num_frames_sampled AS sampled, shown_width || 'x' || shown_height AS shown, "
        "weight_bits AS bits, (SELECT max(end_ms) FROM scenes) AS told_ms, "
        "(SELECT count(DISTINCT model_revision) FROM scenes) AS models FROM videos",
    )
    (row,) = rows.json
    return row
