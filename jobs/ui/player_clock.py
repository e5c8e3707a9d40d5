"""Rows count from the first picture; players count from a zero of their own, which may be earlier."""

_STAMPED_FROM_ANYWHERE = ("mpegts", "mpeg")


def player_start(player_start_ms: int | None, container: str, container_start_ms: int) -> int:
    """The instant at which players show the first picture, in ms; the arguments are columns of `videos`.

    Rows that older versions made lack the first of them: then it is told by the container's clock.
    """
    if player_start_ms is not None:
        return player_start_ms
    return 0 if container in _STAMPED_FROM_ANYWHERE else max(0, container_start_ms)
