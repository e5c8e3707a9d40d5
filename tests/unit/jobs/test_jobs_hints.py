"""Every hint is a sentence: it begins with a capital and ends with a full stop or a question mark."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from parsed import parsed

# Where a hint is an argument without a name: by its place. Errors of ours take it second.
PLACES = {"Check": 3, "VideoFailure": 4, "refuse": 1}
BASES = {"MediaIndexError", "ModelError"}
NAMES = re.compile(r"(?i)_?(hint|remedy|guide)|\w+_(hint|remedy|guide)")


def error_classes(modules: dict[str, ast.Module]) -> set[str]:
    """Those that carry a hint, by inheritance."""
    found = set(BASES)
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in modules.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return found


def hints(tree: ast.Module, errors: set[str]) -> Iterator[ast.expr]:
    """The expressions that are hints in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            place = 1 if name in errors else PLACES.get(name)
            if place is not None and len(node.args) > place:
                yield node.args[place]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "hint")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and NAMES.fullmatch(each.id) for each in targets):
                yield node.value


def texts(hint: ast.expr) -> Iterator[tuple[int, str]]:
    """Its literal texts with their lines; `…` stands for what is put in."""
    if isinstance(hint, ast.IfExp):
        yield from texts(hint.body)
        yield from texts(hint.orelse)
    elif isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        yield hint.lineno, hint.value
    elif isinstance(hint, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "\0" for part in hint.values)
        yield hint.lineno, "".join(parts)


def is_sentence(text: str) -> bool:
    """What is put in at its beginning is a name, which keeps its case; at its end, a sentence. Commands stand
    in backquotes."""
    return not text[0].islower() and text[-1] in ".?…\0"


def test_hints_are_sentences():
    """In all packages: whoever reads one reads them all."""
    modules = parsed()
    errors = error_classes(modules)
    assert len(errors) > 15
    found = [
        (f"{file}:{line}", text)
        for file, tree in modules.items()
        for hint in hints(tree, errors)
        for line, text in texts(hint)
    ]
    assert len(found) > 200, "they are looked for where they are"
    assert [place for place in found if not is_sentence(place[1])] == []


def test_the_hints_of_files_are_sentences():
    """They belong to the classes of what can be wrong with a video."""
    from videoxl2.frames import errors

    classes: list[Any] = [each for each in vars(errors).values() if isinstance(each, type)]
    assert len(classes) > 5
    assert [each for each in classes if not is_sentence(each.hint)] == []
