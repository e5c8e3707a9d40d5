"""What a file says of itself reaches its row in `videos`, from the file to Parquet and back."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from jobs.answers.analysis import Analysis
from jobs.answers.rows import RowBuilder
from jobs.attempts.work import Work
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.tables import Video
from storage.index.commits.bundles import encode_bundle, read_bundle, rows_of
from videoxl2.frames import plan_sampling, probe
from videoxl2.network.configs.picture_size import PictureSize

SAID = {
    "com.apple.quicktime.title": "Harbour",
    "com.apple.quicktime.creationdate": "2021-05-03T12:11:12+0200",
    "com.apple.quicktime.location.ISO6709": "-33.8568+151.2153+004.9/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 12",
}


def _write(path: Path, said: dict[str, str], timecode: str | None) -> Path:
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update(said)
        stream = out.add_stream("mpeg4", rate=Fraction(120))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.metadata.update({"timecode": timecode, "language": "ger"} if timecode else {})
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number * 20, np.uint8))
            frame.pts, frame.time_base = number, Fraction(1, 120)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _row(path: Path, shown: PictureSize | None = None) -> Video:
    info = probe(path)
    analysis = Analysis(info, plan_sampling(info, Fraction(1)), (0,), (), (), shown=shown)
    recipe = Recipe("m", "r", "auto", Fraction(1), 2048, load_packs())
    work = Work(VideoObject(str(path), info.size_bytes, 1), "key", Reason.NEW, max_frames=2048)
    builder = RowBuilder(work, recipe, "run", datetime.now(UTC))
    bundle = builder.bundle(analysis, builder.answer_rows(analysis, {}))
    (row,) = rows_of(read_bundle(encode_bundle(bundle), "a bundle"), "videos", Video)
    return row


def test_everything_that_a_phone_says_is_in_the_row(tmp_path):
    """Title, date in UTC, place in degrees, camera, language, and timecode in pairs of pictures."""
    row = _row(_write(tmp_path / "a.mov", SAID, "01:00:00:100"))
    assert row.title == "Harbour"
    assert row.recorded_at == datetime(2021, 5, 3, 10, 11, 12, tzinfo=UTC)
    assert (row.location, row.latitude, row.longitude) == ("-33.8568+151.2153+004.9/", -33.8568, 151.2153)
    assert (row.camera_make, row.camera_model) == ("Apple", "iPhone 12")
    assert (row.start_timecode, row.timecode_fps_num, row.timecode_fps_den) == ("01:00:00:50", 60, 1)
    assert (row.player_start_ms, row.audio_languages, row.subtitle_languages) == (0, [], [])


def test_the_size_that_the_model_saw_is_in_the_row(tmp_path):
    """Width and height; null where no model saw the video."""
    row = _row(_write(tmp_path / "a.mov", SAID, None), PictureSize(height=28, width=56))
    assert (row.shown_width, row.shown_height) == (56, 28)
    unseen = _row(_write(tmp_path / "b.mov", SAID, None))
    assert (unseen.shown_width, unseen.shown_height) == (None, None)


def test_a_file_that_says_nothing_has_nulls(tmp_path):
    """Not the date of the file, not a made-up place."""
    row = _row(_write(tmp_path / "a.mp4", {}, None))
    for column in (
        "title",
        "recorded_at",
        "location",
        "latitude",
        "longitude",
        "camera_make",
        "camera_model",
    ):
        assert getattr(row, column) is None
    assert (row.start_timecode, row.timecode_fps_num, row.video_language) == (None, None, None)
