"""Our own way to the terminal, beside file descriptor 2."""

import os
import sys
from typing import TextIO


def own_stderr() -> TextIO:
    """Return stderr as it is now, also while file descriptor 2 is turned elsewhere (`jobs.cluster.words`)."""
    try:
        number = os.dup(sys.stderr.fileno())
    except (OSError, ValueError):  # no file: somebody captures what is written
        return sys.stderr
    return os.fdopen(number, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)
