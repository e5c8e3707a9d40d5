"""Pictures as inline SVG. Shapes stretch with the page; what is to be read is HTML laid over them.

Values are drawn in a box of 1000 by 200 units, columns of equal width side by side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 1000, 200
_MAX_TICKS = 6
# Steps between labels on an axis of time, in seconds; beyond, whole weeks.
_STEPS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)


@dataclass(frozen=True)
class Series:
    """One colour of a plot: `name` is its class in the style sheet and its word in the legend."""

    name: str
    values: tuple[float, ...]


def stacked_columns(series: Sequence[Series], times: Sequence[datetime], about: str) -> Markup:
    """Draw how much of each happened in each column of time."""
    tops = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    ticks = value_ticks(max(tops, default=0))
    scale = _HEIGHT / ticks[-1]
    step = _WIDTH / max(1, len(times))
    shapes = []
    for column, when in enumerate(times):
        base = 0.0
        for one in series:
            value = one.values[column]
            if value:
                base += value
                box = (column * step + step * 0.08, _HEIGHT - base * scale, step * 0.84, value * scale)
                shapes.append(_rect(one.name, box, f"{when:%Y-%m-%d %H:%M} {one.name}: {value:g}"))
    return _frame(shapes, ticks, times, about)


def growing_areas(series: Sequence[Series], times: Sequence[datetime], about: str, goal: float = 0) -> Markup:
    """Draw how much of each there was until then, one upon the other; `goal` is a line that is to be
    reached."""
    sums = [tuple(accumulate(one.values)) for one in series]
    ticks = value_ticks(max(goal, sum(one[-1] for one in sums if one)))
    scale, step = _HEIGHT / ticks[-1], _WIDTH / max(1, len(times))
    base = [0.0] * (len(times) + 1)
    shapes = []
    for one, values in zip(series, sums, strict=True):
        if not values or not values[-1]:
            continue
        top = [below + value for below, value in zip(base, (0.0, *values), strict=True)]
        corners = [*enumerate(top), *reversed(list(enumerate(base)))]
        points = " ".join(f"{n * step:.2f},{_HEIGHT - value * scale:.2f}" for n, value in corners)
        shapes.append(
            f'<polygon class="{escape(one.name)}" points="{points}">'
            f"<title>{escape(one.name)}: {values[-1]:,.0f}</title></polygon>"
        )
        base = top
    if goal:
        y = _HEIGHT - goal * scale
        shapes.append(f'<line class="goal" x1="0" x2="{_WIDTH}" y1="{y:.2f}" y2="{y:.2f}"/>')
    return _frame(shapes, ticks, times, about)


def share_columns(name: str, shares: Sequence[float], times: Sequence[datetime], about: str) -> Markup:
    """Parts of one, column by column."""
    step = _WIDTH / max(1, len(times))
    shapes = []
    for n, (when, share) in enumerate(zip(times, shares, strict=True)):
        height = _HEIGHT * min(1.0, max(0.0, share))
        box = (n * step, _HEIGHT - height, step, height)
        shapes.append(_rect(name, box, f"{when:%Y-%m-%d %H:%M}: {share:.0%}"))
    return _frame(shapes, (0.0, 0.5, 1.0), times, about, is_share=True)


def bar(parts: Iterable[tuple[str, float]], whole: float) -> Markup:
    """One stacked horizontal bar; `whole` is what the full width stands for."""
    pieces = [
        Markup('<i class="{}" style="width:{:.3f}%" title="{}: {:,.1f}"></i>').format(
            name, value / whole * 100, name, value
        )
        for name, value in parts
        if whole > 0 and value > 0
    ]
    return Markup('<span class="bar">{}</span>').format(Markup("").join(pieces))


def value_ticks(top: float) -> tuple[float, ...]:
    """Round numbers from 0 to `top` or a little more, at most five."""
    step = 1.0
    while step * 4 < top:
        step *= 2.5 if f"{step:e}"[0] == "2" else 2
    count = max(1, -int(-top // step))
    return tuple(step * n for n in range(count + 1))


def time_ticks(times: Sequence[datetime]) -> list[tuple[float, str]]:
    """Labels of the axis: where they stand, as parts of its length, and what they say (UTC)."""
    if len(times) < 2:
        return [(0.0, f"{time:%Y-%m-%d %H:%M}") for time in times]
    start, width = times[0].timestamp(), (times[1] - times[0]).total_seconds()
    length = width * len(times)
    week = _STEPS[-1]
    step = next((s for s in _STEPS if length / s <= _MAX_TICKS), -(-length // (week * _MAX_TICKS)) * week)
    first = -(-start // step) * step
    marks = (first + n * step for n in range(_MAX_TICKS + 1))
    return [
        ((mark - start) / length, f"{datetime.fromtimestamp(mark, UTC):{_style(mark, step)}}")
        for mark in marks
        if mark < start + length * 0.88  # its label has a width
    ]


def _rect(name: str, box: tuple[float, float, float, float], about: str) -> str:
    """`box` is left, top, width and height."""
    left, top, width, height = box
    place = f'x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return f'<rect class="{escape(name)}" {place}><title>{escape(about)}</title></rect>'


def _style(mark: float, step: float) -> str:
    """Midnight is told by its day."""
    if mark % 86_400 == 0:
        return "%b %d"
    return "%H:%M:%S" if step < 60 else "%H:%M"


def _frame(
    shapes: Iterable[str],
    ticks: Sequence[float],
    times: Sequence[datetime],
    about: str,
    is_share: bool = False,
) -> Markup:
    top = ticks[-1]
    lines = [
        f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{y:.2f}" y2="{y:.2f}"/>'
        for y in (_HEIGHT * (1 - tick / top) for tick in ticks)
    ]
    style = ".0%" if is_share else ",g"
    labels = [f'<span class="y" style="bottom:{tick / top:.2%}">{tick:{style}}</span>' for tick in ticks]
    labels += [f'<span class="x" style="left:{place:.2%}">{text}</span>' for place, text in time_ticks(times)]
    return Markup(
        f'<div class="plot" role="img" aria-label="{escape(about)}">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join((*lines, *shapes))}</svg>{''.join(labels)}</div>"
    )
