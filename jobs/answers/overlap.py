"""Spans of time, and how much of them two share."""

Span = tuple[float, float]  # `(start, end)`, half-open; of any unit


def iou(a: Span, b: Span) -> float:
    """Intersection over union of two spans; 0 for empty ones."""
    shared = min(a[1], b[1]) - max(a[0], b[0])
    union = max(a[1], b[1]) - min(a[0], b[0])
    return max(0.0, shared) / union if union > 0 else 0.0
