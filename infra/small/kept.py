"""What was told of films, in files: an evaluation that was stopped goes on where it was.

It belongs to the weights, to the code that draws and asks, and to the way it was asked. Where one of these is
another, all is asked anew; judging is always done anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from judging import Told
from pydantic import TypeAdapter
from storyboard import Film

from jobs.workers.node_probe import code_here
from schemas.identity import digest

_ASKS = ("jobs.answers", "jobs.prompts", "schemas", "videoxl2")
_DRAWS = ("words", "storyboard", "backgrounds", "figures", "drawing", "drawn_reader")
_HERE = Path(__file__).parent
_TOLD = TypeAdapter(Told)


class Kept:
    """Files below a folder, about one checkpoint."""

    def __init__(self, folder: Path, checkpoint: Path) -> None:
        self._folder, self._checkpoint = folder, checkpoint

    @cached_property
    def key(self) -> str:
        """Return a digest of the checkpoint's files, and of all code that answers depend on."""
        here = [_HERE / f"{name}.py" for name in (*_DRAWS, "ablations")]
        return digest(digest_of_checkpoint(self._checkpoint), _digest_of(here), code_here(_ASKS))

    def told(self, film: Film, asked: str, ask: Callable[[], Told]) -> Told:
        """Return what was told of the film when asked so, or ask."""
        file = self._folder / "told" / self.key / digest(asked) / f"{_name(film)}.json"
        if file.exists():
            return _TOLD.validate_json(file.read_bytes())
        told = ask()
        _write(file, _TOLD.dump_json(told))
        return told


def digest_of_checkpoint(folder: Path) -> str:
    """Return SHA-256, in hex digits, over names and bytes of its files but for what people read."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def _digest_of(files: Iterable[Path]) -> str:
    return digest(*(file.read_text() for file in files))


def _name(film: Film) -> str:
    return f"{film.seed}-{round(1000 * film.duration_s)}"


def _write(file: Path, content: bytes) -> None:
    """The file appears under its name only when complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(file)
