"""Where exports go: whole files under safe names, never over somebody's own changes."""

import filecmp
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from jobs.exports.moments import ExportedVideo
from jobs.exports.one_line import one_line
from schemas.failures import UsageError

_UNSAFE = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))  # not allowed in names by one system or another
_MAX_STEM_BYTES = 160  # 255 are allowed, and the id, a number and the ending come after


class Outcome(StrEnum):
    """Outcomes of writing one file."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"  # was there with the same content
    KEPT = "kept"  # was there with other content, and `force` was not given


def file_stem(source: ExportedVideo) -> str:
    """The video's name plus its id, so that `a/x.mp4` and `b/x.mp4` part and nothing leaves the folder."""
    name = one_line(source.file_name)
    stem = (name.rpartition(".")[0] or name).translate(_UNSAFE).strip(". ")
    short = stem.encode("utf-8")[:_MAX_STEM_BYTES].decode("utf-8", "ignore").rstrip()
    return "-".join(filter(None, (short, source.video_id)))


def write_file(path: Path, chunks: Iterable[str] | Iterable[bytes], force: bool) -> Outcome:
    """Write bytes as they are and text as UTF-8, seen under the name only when whole.

    UsageError: `path` cannot be a file.
    """
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no regular file", "Give a file's name, or leave out --output.")
    part = path.with_name(f".media-index-{os.getpid()}.part")
    try:
        out = part.open("wb")
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise UsageError(f"{path.parent}: {error.strerror}", "Check --output.") from error
    try:
        with out:
            for chunk in chunks:
                out.write(chunk.encode() if isinstance(chunk, str) else chunk)
        if path.exists():
            if filecmp.cmp(part, path, shallow=False):
                return Outcome.UNCHANGED
            if not force:
                return Outcome.KEPT
        part.replace(path)
        return Outcome.WRITTEN
    finally:
        part.unlink(missing_ok=True)
