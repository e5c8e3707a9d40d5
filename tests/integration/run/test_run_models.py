"""Models other than Video-XL-2 through the whole pipeline: files, Ray, rows."""

from videoxl2.random_checkpoint import write_random_checkpoint


def test_llava_video_runs_like_any_model(media_index, make_video, tmp_path):
    """Too many frames are refused before anything is made; in sections all of a film gets rows."""
    weights = write_random_checkpoint(tmp_path / "weights", family="LLaVA-Video")
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "film.mp4", seconds=12.0)
    where = ("--library", tmp_path / "films", "--index", tmp_path / "index", "--model", weights)
    asked = ("--signal", "none", "--new-index", "--json")
    refused = media_index("run", *where, *asked)
    assert refused.code == 2
    assert "LLaVA-Video takes at most" in refused.stderr
    assert not (tmp_path / "index").exists()

    done = media_index("run", *where, *asked, "--max-frames", 8, "--split")
    assert done.code == 0, done.stderr
    rows = media_index(
        "sql",
        "--index",
        tmp_path / "index",
        "--json",
        "SELECT num_frames_sampled, duration_ms, (SELECT max(end_ms) FROM scenes) AS told_ms, "
        "(SELECT count(DISTINCT model_revision) FROM scenes) AS models FROM videos",
    )
    (row,) = rows.json
    assert row == {"num_frames_sampled": 12, "duration_ms": 12_000, "told_ms": 12_000, "models": 1}
