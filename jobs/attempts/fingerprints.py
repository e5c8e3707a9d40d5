"""Which failures are alike: a hash of a failure without what differs from video to video and host to host."""

import re

from jobs.failures import VideoFailure
from schemas.identity import digest

_FRAME = re.compile(r'^ *File "(?:.*[/\\])?(?P<file>[^"]+)", line \d+, in (?P<function>.+)$', re.MULTILINE)
_VARIES = re.compile(
    r"""
    "[^"]*" | '[^']*'            # quoted values and names
    | \w+://\S+                  # S3 and other URLs
    | (?<!\w)(?:/[^\s/:,;)]+)+/? # paths
    | \b0x[0-9a-f]+\b            # addresses
    | \b(?=[0-9a-f-]*\d)[0-9a-f]{6,}(?:-[0-9a-f]+)*\b  # ids, hashes, UUIDs
    | \d+(?:[.,:]\d+)*           # numbers, times
    """,
    re.VERBOSE | re.IGNORECASE,
)


def fingerprint(failure: VideoFailure, uri: str) -> str:
    """Return 16 hex digits, equal for failures of the same kind; `uri` is that of the video it happened
    to."""
    name = uri.rpartition("/")[2]
    message = failure.message.replace(uri, "").replace(name, "")
    where = ""
    if failure.traceback:  # bugs with one message come from many places
        where = " ".join(
            "{file}:{function}".format(**m.groupdict()) for m in _FRAME.finditer(failure.traceback)
        )
    words = " ".join(_VARIES.sub(" ", message).split()).lower()
    return digest("failure", failure.failure_class, failure.code, words, where)
