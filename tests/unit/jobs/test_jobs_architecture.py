"""ARCHITECTURE.md draws the rooms as import-linter holds them; what pages name, link to and type is there."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT
from typed import is_taken

TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LAYERED = {
    contract["containers"][0]: [re.split(r" [|:] ", layer) for layer in contract["layers"]]
    for contract in PROJECT["tool"]["importlinter"]["contracts"]
    if "containers" in contract
}
WORDS_AT = 40  # the column at which a line says what its rooms are
PATH = re.compile(r"\b(?:jobs|schemas|storage|videoxl2|infra|docs|tests)(?:/[\w.-]+)+/?")
PAGES = [page for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")] if page.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\((?!http)([^)\s#]*)#?([^)\s]*)\)")
FILE = re.compile(r"`(?:[\w-]+/)*([\w-]+\.(?:py|sql|html|css))`")
NOT_OURS = {"torch.py", "views.sql"}  # what a user may have lying about; what an index has
NOT_YET = {"docs/api", "jobs/signals/attachments.py"}  # `make docs` writes the one; the other is an example


def drawn(container: str) -> list[list[str]]:
    """The rooms of each line under the container's name."""
    block = re.search(rf"^{re.escape(container)}\n((?:  .*\n)+)", TEXT, re.MULTILINE)
    assert block, f"{container} is not drawn"
    return [line[:WORDS_AT].split() for line in block[1].splitlines()]


@pytest.mark.parametrize("container", LAYERED)
def test_rooms_are_drawn_in_their_layers(container):
    """A layer may take several lines; none is left out, and none stands above one that it is below of."""
    depth = {room: number for number, layer in enumerate(LAYERED[container]) for room in layer}
    rooms = [room for line in drawn(container) for room in line]
    assert sorted(rooms) == sorted(depth)
    assert [depth[room] for room in rooms] == sorted(depth.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_named_is_there(page):
    """Paths from the root, of files and of folders."""
    paths = PATH.findall(page.read_text(encoding="utf-8"))
    missing = {path.rstrip("./") for path in paths if not (ROOT / path.rstrip(".")).exists()}
    assert missing <= NOT_YET


@pytest.fixture(scope="module")
def file_names() -> set[str]:
    folders = ("bench", "docs", "findings", "infra", "jobs", "schemas", "storage", "tests", "videoxl2")
    return {path.name for folder in folders for path in (ROOT / folder).rglob("*.*")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_without_their_folder_are_there_somewhere(page, file_names):
    """As in tables whose heading names the folder."""
    named = set(FILE.findall(without_code(page)))
    assert named - file_names - NOT_OURS == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """To a file of ours and, where one is named, to a title in it."""
    for file, title in LINK.findall(without_code(page)):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not title or title in titles_of(target), f"{file}#{title}"


def test_commands_are_taken():
    """Those of all pages, with their verb, options and values, in blocks and in sentences. A last `…` is a
    value, or stands for more of the kind."""
    found = [(page.name, command) for page in PAGES for command in commands_on(page)]
    assert len(found) > 100
    for page, command in found:
        words = shlex.split(command, comments=True)
        shorter = words[:-1] if words[-1] == "…" else words
        assert is_taken(words, Path("unused")) or is_taken(shorter, Path("unused")), f"{page}: {command}"


def commands_on(page: Path) -> Iterator[str]:
    """Commands in blocks, up to a pipe, and in sentences those with an option; a backslash joins lines."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    quoted = r"(?:\"[^\"]*\"|'[^']*'|[^\"'|>\n])*"
    for block in re.findall(r"```\w*\n.*?```|(?:^ {4}.*\n)+", text, re.DOTALL | re.MULTILINE):
        yield from re.findall(rf"^ *(?:\$ )?(media-index {quoted})", block, re.MULTILINE)
    for command in re.findall(r"`(media-index [^`\n]* --[^`\n]*)`", text):
        if not command.endswith("--help"):
            yield command


def without_code(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def titles_of(page: Path) -> set[str]:
    """As links name them: small letters, digits and hyphens."""
    titles = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
