"""Times as the model reads and writes them: tenths of a second. Everywhere else they are milliseconds."""

STAMP_MS = 100


def tenths(ms: int) -> int:
    """Return tenths of a second, rounded as the stamps are that the model sees
    (`videoxl2.network.language.tokens.stamp_text`)."""
    return round(round(ms / 1000, 1) * 10)


def seconds(time: int) -> str:
    """Tenths as answers write them."""
    return f"{time // 10}.{time % 10}"


def span_text(start_ms: int, end_ms: int) -> str:
    """Return a span as answers and prompts write it, `12.0 - 34.5`; it is never empty."""
    start = tenths(start_ms)
    return f"{seconds(start)} - {seconds(max(tenths(end_ms), start + 1))}"
