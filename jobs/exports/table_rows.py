"""Whole tables as JSON Lines and CSV, a batch of rows at a time."""

import base64
import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from storage.query.catalog import Result

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_json_lines(batches: Iterable[Result]) -> Iterator[str]:
    """One object per row, every column in it; times ISO 8601 in UTC, bytes in base64."""
    for batch in batches:
        yield "".join(
            _json(dict(zip(batch.columns, map(_plain, row), strict=True))) + "\n" for row in batch.rows
        )


def to_csv(batches: Iterable[Result]) -> Iterator[str]:
    """RFC 4180 with a header line; lists and records as JSON, bytes in base64, null as an empty cell.

    CSV is what spreadsheets open, and titles come from strangers' files: a text that a spreadsheet would run
    as a formula gets a `'` in front (OWASP, CSV injection). JSON Lines has every text as it is.
    """
    is_first = True
    for batch in batches:
        out = io.StringIO()
        writer = csv.writer(out)
        if is_first:
            writer.writerow(batch.columns)
        writer.writerows([_cell(value) for value in row] for row in batch.rows)
        is_first = False
        yield out.getvalue()


def _plain(value: Any) -> Any:
    """The value as JSON can have it: no dates, no bytes, no NaN."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> Any:
    plain = _plain(value)
    if isinstance(plain, list | dict | bool):
        return _json(plain)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return plain


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
