"""What can be wrong with one video file, said in types.

The tree, with each class's stable `code`:

    MediaError
    ├── UnreadableMedia       unreadable          no container could be recognised, or it breaks while opening
    │   └── EmptyFile         empty_file          zero bytes
    ├── UnsupportedFormat     unsupported_format  a container outside the allowed list (playlists among them)
    ├── NoVideo               no_video            audio, subtitles or cover art only
    ├── UnsupportedCodec      unsupported_codec   video is there, nobody here can read its codec
    ├── UndecodableVideo      undecodable         codec known, yet not one picture came out
    └── LimitExceeded         limit_exceeded      larger, longer or more complex than `Limits` allows

All of them are about the bytes, so a retry on the same bytes gives the same answer. Faults of the
machine (`FileNotFoundError`, `PermissionError`, other `OSError`) pass through untouched.
"""

from typing import ClassVar


class MediaError(Exception):
    """One file cannot be used. `code` is for tables and counters, `hint` for the person who reads them."""

    code: ClassVar[str] = "media_error"
    hint: ClassVar[str] = "Look at the file with a media player; replace it if it does not play."


class UnreadableMedia(MediaError):  # noqa: N818  # the words are the report's vocabulary
    """The bytes are no media container, or its index is missing or broken."""

    code = "unreadable"
    hint = "Check that the upload finished and that this is a video, then replace the object."


class EmptyFile(UnreadableMedia):
    """The file has no bytes at all."""

    code = "empty_file"
    hint = "Upload the object again; it has zero bytes."


class UnsupportedFormat(MediaError):  # noqa: N818
    """A container this reader refuses: playlists that point at other files, and rarities."""

    code = "unsupported_format"
    hint = "Convert it to MP4 or MKV; playlists must be replaced by the media they name."


class NoVideo(MediaError):  # noqa: N818
    """No moving pictures: audio only, or nothing but cover art and thumbnails."""

    code = "no_video"
    hint = "Exclude audio files from the library, or replace this object by the one with pictures."


class UnsupportedCodec(MediaError):  # noqa: N818
    """The video stream's codec is unknown to the FFmpeg that PyAV carries."""

    code = "unsupported_codec"
    hint = "Convert the video stream to H.264, HEVC, VP9 or AV1."


class UndecodableVideo(MediaError):  # noqa: N818
    """The codec is known but no picture could be read: encrypted or damaged throughout."""

    code = "undecodable"
    hint = "If the video is encrypted, index the clear copy; otherwise replace the damaged object."


class LimitExceeded(MediaError):  # noqa: N818
    """The file asks for more than `Limits` grants; the message names the limit and both values."""

    code = "limit_exceeded"
    hint = "Raise that setting if such videos are expected here and retry this one, or exclude the object."
