"""`CommandError`: how a command ends that cannot do what it was asked to; one line on stderr, and an exit status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from otel_sessions.server.process.log_lines import escaped

FAILED: Final = 1
WRONG_USAGE: Final = 2
NOT_FOUND: Final = 3
UNREACHABLE: Final = 4


class CommandError(Exception):
    """A message for people, with the next step.

    Attributes:
        status: the exit status of the command.
    """

    def __init__(self, message: str, *, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def ending() -> Iterator[None]:
    """End the command with the status of a `CommandError` that is raised in this block, and its message as one line."""
    try:
        yield
    except CommandError as error:
        say(str(error))
        raise typer.Exit(error.status) from None


def say(message: str) -> None:
    """Write a message as one line to stderr, without acting on control characters."""
    typer.echo(f"otel-sessions: {escaped(' '.join(message.split()))}", err=True)
