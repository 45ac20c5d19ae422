"""`statement`: the SQL of a file in `queries/`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template


@cache
def statement(name: str) -> str:
    """The statement in `queries/<name>.sql`."""
    return files(__package__).joinpath("queries", f"{name}.sql").read_text(encoding="utf-8").strip()


@cache
def statement_with(name: str, **parts: str) -> str:
    """The statement with these parts in place of its `${placeholders}`.

    Parts are constants of this package, never a value that anyone sent: those are parameters.
    """
    return Template(statement(name)).substitute(parts)
