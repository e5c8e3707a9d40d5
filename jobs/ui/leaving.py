"""The end of the process."""

import os
import sys
import threading
from typing import NoReturn

LOOP_THREAD = "driver loop"


def leave(code: int) -> NoReturn:
    """Exit; at once where the driver's loop waits in a Ray that is frozen: while Python ends in good order,
    what that thread still holds would be complained of on the terminal."""
    if any(thread.name == LOOP_THREAD for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
