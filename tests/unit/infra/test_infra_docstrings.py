"""Docstrings of shipped code, held to one form: what a thing is or does comes first."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest
from parsed import parsed

# Words that begin neither a verb's nor a noun's sentence; a `Whether …` names a truth value.
NO_OPENERS = re.compile(
    r"(?:"
    r"What|How|Where|When|Why|Which|Who|Whose|Whatever|Whoever|These|This|That|Those|There|It|They|"
    r"Their|Its|Everything|Nothing|Something|Somebody|Nobody|In|Of|At|By|To|On|From|With|For|As|After|"
    r"Before|Between|Against|Behind|Beside|Inside|Without|Until|Is|Are|Has|Have|Was|Were|Can|May|Must|"
    r"Never|Not|Also|Only|Sure|Same|None|True|False|Both|If|Raises|Returns|\w+Error"
    r")\b"
)
NAMES_IN_LOWER_CASE = ("media-index ", "schema.org ")


class Documented(NamedTuple):
    """A public module, class or function of shipped code."""

    where: str
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    text: str
    is_promised: bool  # a method that a base class or a protocol of ours documents

    @property
    def first(self) -> str:
        """The first paragraph on one line."""
        return " ".join(self.text.partition("\n\n")[0].split())


@pytest.fixture(scope="module", autouse=True)
def _trees() -> Iterator[None]:
    """Trees of all the code take memory, so they go when the tests of this file have run."""
    yield
    for kept in (modules, classes, promises, documented):
        kept.cache_clear()


@cache
def modules() -> dict[str, ast.Module]:
    """Return the parsed modules by their path."""
    return parsed()


def functions_of(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions of a module or class."""
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if not node.name.startswith("_") and not is_repeated(node):
            yield node


def is_repeated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is the second half of a property, or one of several signatures."""
    words = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(words & {"setter", "overload"})


def bases_of(node: ast.ClassDef) -> set[str]:
    """Return the names of a class's bases, without their modules and parameters."""
    return {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}


@cache
def classes() -> list[tuple[str, ast.ClassDef]]:
    """Return every class at the top of a module, with its path."""
    found = [(path, node) for path, module in modules().items() for node in module.body]
    return [(path, node) for path, node in found if isinstance(node, ast.ClassDef)]


@cache
def promises() -> tuple[set[str], dict[str, set[str]]]:
    """Return the documented methods of all protocols, and those of each class."""
    of_class: dict[str, set[str]] = defaultdict(set)
    for _, node in classes():
        of_class[node.name] |= {one.name for one in functions_of(node.body) if ast.get_docstring(one)}
    protocols = [node.name for _, node in classes() if "Protocol" in bases_of(node)]
    return set().union(*(of_class[name] for name in protocols)), of_class


@cache
def documented() -> list[Documented]:
    """Return all that is public in shipped code."""
    of_protocols, of_class = promises()
    found = [
        Documented(path, module, ast.get_docstring(module) or "", False) for path, module in modules().items()
    ]
    for path, module in modules().items():
        for one in functions_of(module.body):
            found.append(Documented(f"{path} {one.name}", one, ast.get_docstring(one) or "", False))
    for path, node in classes():
        if node.name.startswith("_"):
            continue
        found.append(Documented(f"{path} {node.name}", node, ast.get_docstring(node) or "", False))
        promised = of_protocols.union(*(of_class[base] for base in bases_of(node) if base in of_class))
        for one in functions_of(node.body):
            text = ast.get_docstring(one) or ""
            is_promised = one.name in promised and "Protocol" not in bases_of(node)
            found.append(Documented(f"{path} {node.name}.{one.name}", one, text, is_promised))
    return found


def complaint(one: Documented) -> str | None:
    """Return what is wrong with a docstring; None: nothing."""
    if not one.text:
        return None if one.is_promised else "has none"
    if not (one.first[0].isupper() or one.first.startswith(NAMES_IN_LOWER_CASE)):
        return f"begins with no capital: {one.first}"
    if not re.search(r"[.:](\s|$)", one.first):
        return f"has no full stop in its first paragraph: {one.first}"
    if not isinstance(one.node, ast.Module) and NO_OPENERS.match(one.first):
        return f"begins with neither a verb nor a noun: {one.first}"
    return None


def test_whatever_is_public_says_first_what_it_is_or_does() -> None:
    """Modules, whose docstrings are titles, may name a question that they answer: `Which codecs …`."""
    found = [(one.where, complaint(one)) for one in documented()]

    assert len(found) > 2500
    assert {where: problem for where, problem in found if problem} == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has none"),
        ("return the sum.", "begins with no capital"),
        ("`12.3 kB`.", "begins with no capital"),
        ("Return the sum", "has no full stop"),
        ("What came of it.", "begins with neither"),
        ("Raises `UsageError` for a list.", "begins with neither"),
        ("UsageError: a list.", "begins with neither"),
        ("Those that are left,\nin order.\n\nMore of it.", "begins with neither"),
    ],
)
def test_a_docstring_of_another_form_is_found(text: str, problem: str) -> None:
    node = ast.parse("def made(): ...").body[0]
    assert isinstance(node, ast.FunctionDef)

    assert complaint(Documented("here", node, text, False)).startswith(problem)
    assert complaint(Documented("here", node, "Return the sum.\n\nOf all.", False)) is None


def raised_by(node: ast.AST) -> Iterator[str]:
    """Yield the names of errors that a function's own code raises and does not handle."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(child, ast.Try) and child.handlers:
            for part in (*child.handlers, *child.orelse, *child.finalbody):
                yield from raised_by(part)
            continue
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
            yield ast.unparse(child.exc.func).rpartition(".")[2]
        yield from raised_by(child)


def kinds_of(error: str, bases: dict[str, set[str]]) -> set[str]:
    """Return the name of an error and those of its own bases."""
    return {error}.union(*(kinds_of(base, bases) for base in bases.get(error, ())))


def test_a_public_function_names_the_errors_that_it_raises() -> None:
    """A class of errors stands for all of its kinds. A verb's docstring is its help; a method that a protocol
    documents raises what that one says."""
    bases = {node.name: bases_of(node) for _, node in classes()}
    silent = {}
    num_checked = 0
    for one in documented():
        if not isinstance(one.node, (ast.FunctionDef, ast.AsyncFunctionDef)) or one.is_promised:
            continue
        if any(re.match(r"verb\(|click\.command\(", ast.unparse(each)) for each in one.node.decorator_list):
            continue
        errors = {name for name in raised_by(one.node) if name[0].isupper() and name != "AssertionError"}
        num_checked += bool(errors)
        for error in errors:
            if not any(kind in one.text for kind in kinds_of(error, bases) - {"Exception"}):
                silent[one.where] = error

    assert num_checked > 50
    assert silent == {}


def test_errors_that_are_handled_where_they_are_raised_are_not_asked_for() -> None:
    """What is raised again by a handler is."""
    code = """
def made():
    try:
        raise ValueError("inside")
    except ValueError as error:
        raise UsageError(str(error)) from error
    def later():
        raise KeyError("another function's")
    raise errors.Lost("outside")
"""
    assert sorted(raised_by(ast.parse(code).body[0])) == ["Lost", "UsageError"]
