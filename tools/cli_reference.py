"""The reference of the commands in `docs/cli.md`, from their own help; `python -m tools.cli_reference` renews it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer import Context
from typer.main import get_command

from otel_sessions.cli.app import app

PAGE: Final = Path(__file__).parents[1] / "docs" / "cli.md"
BEGIN: Final = "<!-- The rest is the help of each command; python -m tools.cli_reference renews it. -->\n"
PROGRAM: Final = "otel-sessions"
WIDTH: Final = 100


def reference() -> str:
    """The help of every command, in the order in which the program's own help has them."""
    return "\n".join(_sections())


def _sections() -> Iterator[str]:
    group = get_command(app)
    yield from _of(group, Context(group, info_name=PROGRAM), "##", "")


def _of(group: Any, parent: Context, level: str, before: str) -> Iterator[str]:
    """The help of the commands of a group, and of groups among them."""
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        context = Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
        lines = (line.rstrip() for line in command.get_help(context).strip().split("\n"))
        yield f"\n{level} {before}{name}\n\n```text\n" + "\n".join(lines) + "\n```"
        if hasattr(command, "list_commands"):
            yield from _of(command, context, f"{level}#", f"{name} ")


def renewed(page: str) -> str:
    """The page with the reference as it is now."""
    return page.partition(BEGIN)[0] + BEGIN + reference() + "\n"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
