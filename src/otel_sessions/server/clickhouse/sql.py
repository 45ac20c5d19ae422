"""`Statements`: the SQL files of a package, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template


class Statements:
    """The statements in the folder `sql` of a package, one in each file.

    Example:
        `Statements("otel_sessions.server.queries")("keys")` is the text of `queries/sql/keys.sql`.
    """

    def __init__(self, package: str) -> None:
        """Read statements of this package."""
        self._package = package

    def __call__(self, name: str, /, **parts: str) -> str:
        """The statement in `<name>.sql`, with these parts in place of its `${placeholders}`.

        Parts are SQL from this program, never a value from a request: those are query parameters.

        Raises:
            FileNotFoundError: there is no file of this name.
            KeyError: a placeholder has no part.
        """
        return _filled(self._package, name, tuple(sorted(parts.items())))


@cache
def _filled(package: str, name: str, parts: tuple[tuple[str, str], ...]) -> str:
    text = files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8").strip()
    return Template(text).substitute(dict(parts)) if parts else text
