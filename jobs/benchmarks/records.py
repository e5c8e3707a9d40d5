"""Files of records as benchmarks publish them; whatever is wrong is named with its place in the file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.failures import UsageError

_HINT = "Is this the file of the benchmark that --benchmark names? docs/evaluation.md shows the formats."


class PublishedRecord(BaseModel):
    """Fields that are not named are of no interest; ids may be numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


R = TypeVar("R", bound=PublishedRecord)


def files_in(path: Path, *suffixes: str) -> list[Path]:
    """The file itself, or the folder's files with one of these endings. Raises `UsageError` for none."""
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes)
        if not found:
            raise UsageError(f"{path} has no {' or '.join(suffixes)} file", "Check --questions.")
        return found
    if not path.is_file():
        raise UsageError(f"{path} does not exist", "Check --questions.")
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} is no {' or '.join(suffixes)} file", _HINT)
    return [path]


def one_file_in(path: Path, *suffixes: str) -> Path:
    """Find the file, as `files_in` does, of benchmarks that are one file. UsageError: there are several."""
    files = files_in(path, *suffixes)
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:4])
        raise UsageError(f"{path} has {len(files)} files that could be meant: {names}", "Name one of them.")
    return files[0]


def json_records(file: Path) -> Iterator[tuple[str, Any]]:
    """The records of a JSON list, each with its place. Raises `UsageError`."""
    try:
        records = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise wrong(f"{file.name}, line {error.lineno}", f"no JSON: {error.msg}") from None
    if not isinstance(records, list):
        raise wrong(file.name, "no list of records")
    for number, record in enumerate(records, start=1):
        yield f"{file.name}, record {number}", record


def json_line_records(file: Path) -> Iterator[tuple[str, Any]]:
    """The records of a JSON Lines file, each with its place. Raises `UsageError`."""
    for where, line in lines(file):
        try:
            yield where, json.loads(line)
        except json.JSONDecodeError as error:
            raise wrong(where, f"no JSON: {error.msg}") from None


def lines(file: Path) -> Iterator[tuple[str, str]]:
    """The lines that are not blank, each with its place. Raises `UsageError`."""
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            yield f"{file.name}, line {number}", line.strip()


def parse(record_type: type[R], record: object, where: str) -> R:
    """A checked record. Raises `UsageError` naming the first field that is wrong."""
    try:
        return record_type.model_validate(record)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in problem["loc"])
        raise wrong(f"{where}, {at}" if at else where, problem["msg"].lower()) from None


def wrong(where: str, problem: str) -> UsageError:
    """Return the error for a place of a questions file."""
    return UsageError(f"{where}: {problem}", _HINT)


def read_text(file: Path) -> str:
    """Read a file's text. UsageError: it cannot be read, or is no UTF-8 text."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "Check --questions.") from None
    except UnicodeDecodeError:
        raise wrong(file.name, "no UTF-8 text") from None
