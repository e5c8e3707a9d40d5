"""Writes docs/tables.md: the columns as `schemas` declares them, and how other tools read an index.

python -m storage.query.docs docs/tables.md
"""

import sys
from pathlib import Path

from schemas.tables import TABLES
from storage.index.tables.columns import COLUMNS, Column

_ABOUT = """# Tables

<!-- Written by `python -m storage.query.docs docs/tables.md` from schemas/ and storage/query/docs.md. -->
"""
_INTRO = Path(__file__).with_name("docs.md").read_text(encoding="utf-8")
_COMMITS = "Which revision of each video is settled, and since which snapshot."


def tables_page() -> str:
    """The whole page; the same for the same schemas."""
    sections = [_section(name, row_type.__doc__ or "", COLUMNS[name]) for name, row_type in TABLES.items()]
    sections.append(_section("commits", _COMMITS, COLUMNS["commits"]))
    return "\n".join([_ABOUT, _INTRO, *sections])


def _section(name: str, about: str, columns: tuple[Column, ...]) -> str:
    lines = [f"## {name}", "", about.strip(), "", "| column | type | null | meaning |", "|---|---|---|---|"]
    for column in columns:
        null = "yes" if column.is_nullable else ""
        description = column.description.replace("|", "\\|")
        lines.append(f"| `{column.name}` | {column.sql_type} | {null} | {description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(tables_page(), encoding="utf-8")
