"""Imports point one way: a file imports only what stands above it in one list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"
PACKAGE = "otel_sessions"

LAYERS = """
attributes environment_variables forking long_texts money resource stepping timestamps
drops span_copies
rules
given
session
dialects
scopes
content
value_limits stamped_sessions redaction
counting
conversation
stamping
resolve session_scope
propagation
kept_units
rollups
session_counter
processor logs sampler scores exporter
log_exporter
zero_code
mcp
server.listeners server.signals server.api_key server.hosts server.backlog server.connections server.problems server.telemetry server.switch_interval
server.clickhouse
server.otlp
server.wal
server.projections
server.queries
server.exporting
server.settling
server.reader
server.readiness
server.ingest
server.prices
server.given
server.backend
server.receivers
server.api
server.process
cli
"""
"""From the ground up. Names on one line do not import each other; a folder is one entry, its files may import one another
as long as no circle comes of it."""

ORDER = {name: place for place, line in enumerate(LAYERS.split("\n")) for name in line.split()}
FACES = {"", "__main__", "server"}
"""Modules that only hand names on: the package itself, what `python -m` runs, and the docstring of `server`."""


def modules() -> Iterator[tuple[str, Path]]:
    """The modules of the package, by their names below it."""
    for path in sorted(SOURCES.joinpath(PACKAGE).rglob("*.py")):
        yield (
            ".".join(path.relative_to(SOURCES / PACKAGE).with_suffix("").parts).removesuffix("__init__").strip("."),
            path,
        )


MODULES = dict(modules())


def imported(path: Path) -> set[str]:
    """The modules of this package that a file imports, wherever in it, by their names below the package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    below = {name.removeprefix(f"{PACKAGE}.") for name in found if name.startswith(f"{PACKAGE}.")}
    # `from package.module import name` names a module or something in it.
    return {name if name in MODULES else name.rpartition(".")[0] for name in below} - {""}


def layer(module: str) -> str:
    """The entry of the list that a module belongs to."""
    parts = module.split(".")
    name = ".".join(parts[:2]) if parts[0] == "server" and len(parts) > 1 else parts[0]
    assert name in ORDER, f"{module} stands nowhere in LAYERS; add it where its imports allow"
    return name


def wrong_ways(module: str) -> list[str]:
    """The imports of a module that do not point up the list."""
    mine = layer(module)
    return [
        name for name in sorted(imported(MODULES[module])) if layer(name) != mine and ORDER[layer(name)] >= ORDER[mine]
    ]


@pytest.mark.parametrize("module", [name for name in MODULES if name not in FACES])
def test_a_module_imports_only_what_stands_above_it(module: str) -> None:
    """No import points down the list, or to another name of its line."""
    assert wrong_ways(module) == []


def test_every_layer_exists() -> None:
    """The list names no folder or file that is gone."""
    assert set(ORDER) == {layer(name) for name in MODULES if name not in FACES}


def test_files_of_a_folder_import_each_other_without_a_circle() -> None:
    """Following imports never leads back to where it began."""
    imports = {name: imported(path) & MODULES.keys() - FACES for name, path in MODULES.items() if name not in FACES}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for name in sorted(imports[module]):
                visit(name, (*way, module))
            done.add(module)

    for module in imports:
        visit(module, ())
