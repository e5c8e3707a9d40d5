"""Files of an export: safe names, whole or not there, and nobody's own changes lost."""

import pytest

from jobs.exports.files import Outcome, file_stem, write_file
from schemas.failures import UsageError


@pytest.mark.parametrize(
    ("uri", "stem"),
    [
        ("s3://films/a/x.mp4", "x"),
        ("/v/..", ""),
        ("s3://films/../../etc/passwd", "passwd"),
        ("s3://films/a/..\\..\\boot.ini", "_.._boot"),
        ("/v/.hidden.mp4", "hidden"),
        ("/v/🎬 émigré.final.mov", "🎬 émigré.final"),
        ("/v/a\nb:c?.mp4", "a b_c_"),
        ("/v/" + "é" * 200 + ".mp4", "é" * 80),
        ("/v/" + "🎬" * 60 + ".mp4", "🎬" * 40),
    ],
)
def test_names_are_safe_and_tell_the_video(source, tmp_path, uri, stem):
    """The video's name as far as any disk takes it, then its id; always directly in the folder."""
    name = file_stem(source.model_copy(update={"uri": uri}))
    assert name == "-".join(filter(None, (stem, "0123456789abcdef")))
    path = tmp_path / f"{name}-100.jsonld"
    path.touch()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_file_is_written_once_and_kept_when_somebody_changed_it(tmp_path):
    """The same content is no change; other content stays until it is forced; a reader sees whole files."""
    path = tmp_path / "a.vtt"
    assert write_file(path, ["one\n", "é\r\n"], force=False) is Outcome.WRITTEN
    assert path.read_bytes() == "one\né\r\n".encode()
    assert write_file(path, ["one\n", "é\r\n"], force=False) is Outcome.UNCHANGED
    path.write_text("my own")
    assert write_file(path, ["one"], force=False) is Outcome.KEPT
    assert path.read_text() == "my own"
    assert write_file(path, ["one"], force=True) is Outcome.WRITTEN
    assert [p.name for p in tmp_path.iterdir()] == ["a.vtt"]
    (tmp_path / "b").touch()
    assert path.stat().st_mode == (tmp_path / "b").stat().st_mode  # as readable as any other file


def test_an_export_that_fails_on_the_way_leaves_what_was_there(tmp_path):
    """Neither half a file nor a leftover."""
    path = tmp_path / "a.csv"
    path.write_text("before")

    def chunks():
        yield "half"
        raise OSError("the index went away")

    with pytest.raises(OSError, match="went away"):
        write_file(path, chunks(), force=True)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.csv", "before")]


def test_a_link_stays_a_link(tmp_path):
    """The file it points to is replaced."""
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_file(tmp_path / "link.csv", ["new"], force=True)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_devices_and_folders_are_never_replaced(tmp_path):
    """Replacing /dev/null by a file would break the machine."""
    for path in ("/dev/null", tmp_path):
        with pytest.raises(UsageError, match="no regular file"):
            write_file(type(tmp_path)(path), ["x"], force=True)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """The caller makes folders; a mistyped one is a mistake."""
    with pytest.raises(UsageError, match="typo"):
        write_file(tmp_path / "typo" / "a.csv", ["x"], force=False)
