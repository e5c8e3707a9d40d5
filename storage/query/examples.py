"""The example queries, one `.sql` file each, and their page:

python -m storage.query.examples docs/queries.md
"""

import difflib
import sys
from dataclasses import dataclass
from pathlib import Path

from schemas.failures import UsageError

_FOLDER = Path(__file__).with_name("examples")
_ABOUT = """# Queries

<!-- Written by `python -m storage.query.examples docs/queries.md` from storage/query/examples/. -->
"""


@dataclass(frozen=True, slots=True)
class Example:
    """An example query; `question` is the comment at the head of its file."""

    name: str
    question: str
    sql: str


def read_examples() -> list[Example]:
    """All of them, by name."""
    return [_read(file) for file in sorted(_FOLDER.glob("*.sql"))]


def find_example(name: str) -> Example:
    """Find an example by its name. UsageError: there is none."""
    examples = {example.name: example for example in read_examples()}
    if name not in examples:
        close = difflib.get_close_matches(name, examples, n=1)
        hint = f"Did you mean {close[0]}?" if close else "`media-index sql --examples` lists them."
        raise UsageError(f"there is no example {name!r}", hint)
    return examples[name]


def _read(file: Path) -> Example:
    lines = file.read_text(encoding="utf-8").splitlines()
    head = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    body = [line for line in lines if not line.startswith("--")]
    return Example(file.stem, " ".join(head), "\n".join(body).strip())


def queries_page() -> str:
    """The whole page; the same for the same files."""
    intro = _FOLDER.joinpath("queries.md").read_text(encoding="utf-8")
    sections = [f"### {e.name}\n\n{e.question}\n\n```sql\n{e.sql}\n```\n" for e in read_examples()]
    return "\n".join([_ABOUT, intro, *sections])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(queries_page(), encoding="utf-8")
