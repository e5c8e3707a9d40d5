"""A draft decodes less, and its cuts are where they are all the same."""

import av
import numpy as np
import pytest
from cue_films import moving, write_pictures

from videoxl2.frames import probe
from videoxl2.frames.reading.choosing import drafting
from videoxl2.watching import watch
from videoxl2.watching.shots import ShotWatcher

# Cuts are no keys, and three pictures of four are shown before one that was stored ahead of them.
REORDERED = {
    "preset": "veryfast",
    "x264-params": "bframes=3:b-adapt=0:scenecut=0:keyint=250:rc-lookahead=0:mbtree=0:threads=1",
}
CUTS = [1720, 3240, 4960]  # none of them at a picture that others refer to by chance alone


class Viewer:
    def __init__(self):
        self.times = []

    def picture(self, picture, at_ms):
        self.times.append(at_ms)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Four shots."""
    lengths = np.diff([0, *CUTS, 6400]) // 40
    pictures = [picture for seed, count in enumerate(lengths) for picture in moving(seed, int(count))]
    return write_pictures(tmp_path_factory.mktemp("draft") / "film.mp4", pictures, options=REORDERED)


def starts_of(path, is_draft):
    info = probe(path)
    watcher = ShotWatcher(path, info, is_draft=is_draft)
    viewer = Viewer()
    assert not watch(path, info, [watcher, viewer], is_draft=is_draft).failures
    shots = watcher.finish()
    assert all(shot.start_ms <= still.at_ms < shot.end_ms for shot, still in shots if still)
    return [shot.start_ms for shot, _ in shots], viewer.times


def test_a_draft_has_fewer_pictures_and_the_same_cuts(film):
    """Those that lead up to a cut are all there."""
    exact, all_times = starts_of(film, False)
    draft, times = starts_of(film, True)
    assert exact == draft == [0, *CUTS]
    assert set(times) < set(all_times)
    assert len(times) < 0.75 * len(all_times)
    assert all({cut - 40, cut} <= set(times) for cut in CUTS)


def test_cuts_that_no_packet_gives_away_are_looked_up(film, monkeypatch):
    """A change that costs few bytes is found late, and then moved to where it is."""
    monkeypatch.setattr(drafting, "_TIMES_USUAL", 1e9)
    draft, times = starts_of(film, True)
    assert draft == [0, *CUTS]
    assert any(cut not in times for cut in CUTS)


def test_what_cannot_be_drafted_is_read_in_full(tmp_path):
    """Pictures that are counted, as a bare stream has no times."""
    path = write_pictures(tmp_path / "film.mp4", moving(1, 40), options=REORDERED)
    bare = tmp_path / "film.h264"
    with av.open(str(path)) as source, av.open(str(bare), "w", format="h264") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    _, times = starts_of(bare, True)
    assert len(times) == 40
