"""What Ray says in the driver's process, kept off the terminal and from among JSON lines.

Its C++ part writes to file descriptor 2, and a thread of it prints what the nodes say, with dumps of their
state: no setting stops either. Whoever has something to say to people says it through `jobs.ui.own_stderr`.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import IO

MAX_KEPT_BYTES = 1 << 20


@contextmanager
def words_aside() -> Iterator[IO[str]]:
    """Collect what is printed, or written to file descriptor 2, in a file without a name, and yield that."""
    sys.stderr.flush()
    true_stderr = os.dup(2)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", buffering=1) as words:
        os.dup2(words.fileno(), 2)
        try:
            with redirect_stdout(words):
                yield words
        finally:
            sys.stderr.flush()
            os.dup2(true_stderr, 2)
            os.close(true_stderr)


def read_words(words: IO[str]) -> str:
    """Read what was said so far; of a flood the end."""
    words.flush()
    start = max(0, os.fstat(words.fileno()).st_size - MAX_KEPT_BYTES)
    return os.pread(words.fileno(), MAX_KEPT_BYTES, start).decode(errors="replace")
