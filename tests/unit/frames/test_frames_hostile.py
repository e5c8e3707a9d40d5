"""Files that are not videos, or that want something of the machine that reads them."""

import os
import threading
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer

import av
import numpy as np
import pytest

from videoxl2.frames import (
    EmptyFile,
    LimitExceeded,
    Limits,
    MediaError,
    NoVideo,
    UndecodableVideo,
    UnreadableMedia,
    UnsupportedCodec,
    UnsupportedFormat,
    plan_sampling,
    probe,
    read_frames,
)


@pytest.fixture
def canary():
    """A web server on the loopback that remembers who called."""
    calls: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4"])
@pytest.mark.parametrize("kind", ["hls", "hls_key", "hls_file", "concat", "concat_http", "dash", "sdp"])
def test_a_playlist_opens_nothing_else(tmp_path, make, canary, name, kind):
    """A playlist is refused by its kind, whatever its name; no request leaves and no other file is read."""
    url, calls = canary
    (tmp_path / "secret.ts").write_bytes(make("secret.ts", num_frames=30).read_bytes())
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n{key}#EXTINF:9,\n{media}\n#EXT-X-ENDLIST\n"
    text = {
        "hls": hls.format(key="", media=f"{url}/a.ts"),
        "hls_key": hls.format(key=f'#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n', media="secret.ts"),
        "hls_file": hls.format(key="", media=tmp_path / "secret.ts"),
        "concat": "ffconcat version 1.0\nfile secret.ts\n",
        "concat_http": f"ffconcat version 1.0\nfile {url}/a.ts\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><BaseURL>{url}/</BaseURL></Period></MPD>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    }[kind]
    (tmp_path / name).write_text(text)
    with pytest.raises((UnsupportedFormat, UnreadableMedia)):
        probe(tmp_path / name)
    assert calls == []


def test_an_open_gate_would_be_noticed(tmp_path, make):
    """The playlist above is dangerous without the guards: plain PyAV reads the other file."""
    (tmp_path / "secret.ts").write_bytes(make("secret.ts", num_frames=30).read_bytes())
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.ts\n")
    with av.open(str(tmp_path / "list.mp4")) as container:
        assert container.streams.video


@pytest.mark.parametrize(
    "name", ["http:__x.mp4", "concat:a|b.mp4", "%03d.mp4", "-i.mp4", "a b?c#d.mp4", "é\n.mp4"]
)
def test_a_name_is_only_a_name(tmp_path, make, monkeypatch, name):
    """Characters that mean something to FFmpeg mean nothing in a file name, absolute or relative."""
    (tmp_path / name).write_bytes(make("plain.mp4", num_frames=5).read_bytes())
    monkeypatch.chdir(tmp_path)
    assert probe(name).num_frames == probe(tmp_path / name).num_frames == 5


@pytest.mark.parametrize("content", [b"x", b"<html>404</html>" * 50, b"plain text\n" * 500, os.urandom(4000)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a"])
def test_bytes_that_are_no_media_are_unreadable(tmp_path, content, name):
    """An error page or text under a video's name is told from a video."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises((UnreadableMedia, UnsupportedFormat)):
        probe(tmp_path / name)


def test_an_empty_file_has_its_own_word(tmp_path):
    """Zero bytes are the commonest broken upload and are named."""
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(EmptyFile) as caught:
        probe(tmp_path / "empty.mp4")
    assert (caught.value.code, isinstance(caught.value, MediaError)) == ("empty_file", True)
    assert "upload" in caught.value.hint.lower()


def test_an_mp4_without_its_index_is_unreadable(tmp_path, make):
    """An upload cut before the index at the end cannot be read at all."""
    whole = make("whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(UnreadableMedia):
        probe(tmp_path / "cut.mp4")


def test_a_missing_file_and_a_pipe_are_told_apart(tmp_path):
    """What is not there is the machine's business; what is no plain file is never waited for."""
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nothing.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UnreadableMedia, match="regular"):
        probe(tmp_path / "pipe.mp4")
    with pytest.raises(UnreadableMedia, match="regular"):
        probe(tmp_path)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.m4a", "aac"), ("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.wav", "pcm_s16le"), ("a.mkv", "aac")],
)
def test_audio_alone_is_no_video(tmp_path, name, codec):
    """Songs are answered with their own class, not as damage."""
    with av.open(str(tmp_path / name), "w") as out:
        stream = out.add_stream(codec, rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=16000, frame_size=stream.frame_size or None
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    with pytest.raises(NoVideo):
        probe(tmp_path / name)


@pytest.mark.parametrize("name", ["song.mp3", "song.mp4"])
def test_cover_art_is_no_video(tmp_path, name):
    """A song's cover is a video stream to FFmpeg; it is not one here."""
    make_song_with_cover(tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert container.streams.video
    with pytest.raises(NoVideo):
        probe(tmp_path / name)


def make_song_with_cover(path):
    """One second of silence and a JPEG marked as attached picture."""
    with av.open(str(path), "w") as out:
        sound = out.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", rate=16000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        frame.pts = 0
        out.mux([*cover.encode(frame), *cover.encode(None)])
        for n in range(16):
            part = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
            part.sample_rate, part.pts = 16000, n * 1000
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))


def test_an_unknown_codec_has_its_own_word(tmp_path, make):
    """A codec this FFmpeg has never heard of is unsupported, not damage."""
    data = make("plain.mp4", num_frames=5).read_bytes()
    (tmp_path / "odd.mp4").write_bytes(data.replace(b"avc1", b"zzzz"))
    with pytest.raises(UnsupportedCodec):
        probe(tmp_path / "odd.mp4")


def test_an_encrypted_video_is_undecodable(make):
    """Common encryption opens like any MP4; not one picture comes out."""
    encryption = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    }
    path = make("locked.mp4", format_options=encryption)
    with pytest.raises(UndecodableVideo, match="encrypted"):
        probe(path)


def test_a_huge_picture_is_refused_while_reading(make):
    """The picture limit reaches the decoder too: a stream that grows half way cannot slip past probing."""
    path = make("plain.mp4", num_frames=5)
    info = probe(path)
    with pytest.raises(LimitExceeded, match="max_pixels"):
        list(read_frames(path, plan_sampling(info), 96, info=info, limits=Limits(max_pixels=1000)))


def test_the_number_of_streams_is_bounded(tmp_path):
    """Thousands of streams are refused while opening."""
    path = tmp_path / "many.mp4"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("mpeg4", rate=25) for _ in range(9)]
        for stream in streams:
            stream.width = stream.height = 32
            stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        for stream in streams:
            out.mux([*stream.encode(frame), *stream.encode(None)])
    assert probe(path).num_frames == 1
    with pytest.raises(LimitExceeded, match="streams"):
        probe(path, Limits(max_streams=8))


def test_the_largest_video_stream_is_read(tmp_path):
    """A preview stored first does not stand for the film."""
    path = tmp_path / "preview.mkv"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("mjpeg", rate=25) for _ in range(2)]
        for stream, size in zip(streams, (32, 64), strict=True):
            stream.width = stream.height = size
            stream.pix_fmt = "yuvj420p"
            stream.disposition = av.stream.Disposition(0)
        for stream in streams:
            frame = av.VideoFrame.from_ndarray(
                np.zeros((stream.height, stream.width, 3), np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            out.mux(stream.encode(frame))
    assert probe(path).width == 64


@pytest.mark.parametrize("seed", range(12))
def test_mutilated_files_raise_nothing_but_media_errors(tmp_path, make, seed):
    """Random damage anywhere ends in frames or in a typed error, never in anything else."""
    rng = np.random.default_rng(seed)
    for suffix in ("mp4", "mkv", "ts", "avi"):
        data = bytearray(make(f"sound.{suffix}", num_frames=40, codec="mpeg4", codec_options={}).read_bytes())
        for at in rng.integers(0, len(data), 60):
            data[at] = rng.integers(0, 256)
        path = tmp_path / f"bad.{suffix}"
        path.write_bytes(data[: rng.integers(len(data) // 3, len(data))])
        try:
            info = probe(path)
            for span in read_frames(path, plan_sampling(info, Fraction(5)), 32, info=info):
                assert span.frames.shape[1:] == (32, 32, 3)
        except MediaError:
            pass
