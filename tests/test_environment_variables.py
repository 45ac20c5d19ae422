"""Environment variables: each one that the source reads stands in `docs/environment.md`, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from otel_sessions import environment_variables
from otel_sessions.server.process.settings import Settings

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
ENVIRONMENTS = {"environ", "environment", "getenv"}
READ_BY_PLATFORMDIRS = {"XDG_DATA_HOME"}


def text_of(node: ast.expr) -> str:
    """The last name of an expression: `environ` of `os.environ`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def read_directly(source: str) -> Iterator[str]:
    """The names that stand in the source where an environment is read: `environ.get(...)`, `environ[...]`, `getenv(...)`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            reads = text_of(called) in ENVIRONMENTS or (
                isinstance(called, ast.Attribute) and called.attr == "get" and text_of(called.value) in ENVIRONMENTS
            )
            name = node.args[0]
        elif isinstance(node, ast.Subscript):
            reads, name = text_of(node.value) in ENVIRONMENTS, node.slice
        else:
            continue
        if reads and isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value


def defined() -> Iterator[str]:
    """The names in `environment_variables`."""
    for name, value in vars(environment_variables).items():
        if name.isupper() and name != "PREFIX":
            yield from [value] if isinstance(value, str) else value


def test_the_documentation_has_every_variable() -> None:
    """The tables list what the library, the server's settings and the rest of the source read."""
    sources = sorted((ROOT / "src").rglob("*.py"))
    read = {name for path in sources for name in read_directly(path.read_text(encoding="utf-8"))}
    settings = {environment_variables.PREFIX + name.upper() for name in Settings.model_fields}
    page = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    first_cells = re.findall(r"^\| (`[A-Z].*?) \|", page, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == read | settings | {*defined()} | READ_BY_PLATFORMDIRS
    assert all(NAME.fullmatch(name) for name in documented)


def test_names_of_our_own_are_spelled_in_one_place() -> None:
    """No other module has the whole name of a variable as a text that stands alone."""
    ours = {name for name in defined() if name.startswith(environment_variables.PREFIX)}
    place = Path(environment_variables.__file__)
    spelled = [
        (path.name, node.value)
        for path in sorted((ROOT / "src").rglob("*.py"))
        if path != place
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in ours
    ]
    assert spelled == []
