"""Locks on files, which end with their process."""

import fcntl


def try_alone(lock: int) -> bool:
    """Take a lock that nobody else has, shared or alone; else let go of it, also where it was shared here.

    No wait: two that share it and wait for each other to let go would wait for ever.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_UN)
        return False
    return True
