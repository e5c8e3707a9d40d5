"""The built-in model on a library of a drawn film and of scenery: it speaks of the drawn one alone."""

import av
import numpy as np
from films import ENCODINGS, encode
from storyboard import draw_film


def write_scenery(path):
    """Six seconds of pictures with the spectrum of natural ones and a camera's noise."""
    draw = np.random.default_rng(5)
    frequency = np.hypot(np.fft.fftfreq(144)[:, None], np.fft.rfftfreq(256)[None, :])
    frequency[0, 0] = 1
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        for _ in range(30):
            spectrum = np.fft.rfft2(draw.normal(size=(144, 256))) / frequency
            grey = np.fft.irfft2(spectrum, (144, 256))
            grey = grey / grey.std() * 45 + 120 + draw.normal(size=grey.shape) * 3
            picture = np.clip(grey[..., None] + (10, 0, -10), 0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))


def test_what_does_not_look_drawn_gets_signals_only(tmp_path, media_index, without_ray):
    """The run says so, every verb that explains names it, and the next run leaves it alone."""
    films, index = tmp_path / "films", ("--index", str(tmp_path / "index"))
    films.mkdir()
    encode(draw_film("test", 3002, 8.0), ENCODINGS[0], films / "drawn.mp4")
    write_scenery(films / "scenery.mp4")
    said = "1\n00:00:00,500 --> 00:00:01,500\nThe harbour is closed.\n"
    (films / "scenery.srt").write_text(said, encoding="utf-8")
    where = ("--library", str(films), *index, "--model", "small")
    planned = media_index("plan", *where)
    assert "are found when they are read" in planned.stdout

    done = media_index("run", *where, "--new-index")
    assert done.code == 3, done.stderr
    assert "1 indexed, 0 partial, 1 set aside" in done.stdout
    assert "set aside out_of_domain" in done.stderr

    def rows(query):
        return [tuple(row.values()) for row in media_index("sql", query, *index, "--json").json]

    named = "select distinct file_name(uri) from {} join videos using (analysis_key)"
    assert rows(named.format("scenes")) == [("drawn.mp4",)]
    assert rows(named.format("captions")) == [("scenery.mp4",)]
    assert rows("select model_id from videos order by uri") == [("small",), (None,)]
    assert "1 out of domain" in media_index("status", *index).stdout
    assert "was not made for such videos" in media_index("explain", *index, "scenery.mp4").stdout
    report = media_index("report", *index).stdout
    assert "domain out_of_domain: 1 video, 1 set aside" in report
    assert media_index("retry", *index, "scenery.mp4").code == 2
    assert "nothing to do" in without_ray("run", *where).stdout
