"""`CommandError`: how a command ends that cannot do what it was asked to; one line on stderr, and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import typer

from otel_sessions.server.process.log_lines import escaped

FAILED: Final = 1
WRONG_USAGE: Final = 2
NOT_FOUND: Final = 3
UNREACHABLE: Final = 4
INTERRUPTED: Final = 130
"""As shells have it for a command that Ctrl-C ended."""


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
    """End the command with a status, and one line on stderr if it did not do what it was asked to.

    The status of a `CommandError` is its own. A reader that closes the pipe, as `head` does, has what it wants: the status is 0 and
    nothing is said.
    """
    try:
        yield
    except CommandError as error:
        _end(str(error), error.status)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _forget_stdout()
        raise typer.Exit(0) from None
    except OSError as error:
        _forget_stdout()
        _end(f"the output cannot be written: {error.strerror or error}", FAILED)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        _end(
            f"the answer of the server is not what this version of the command expects ({type(error).__name__}: {error}); is the "
            "server of another version?",
            FAILED,
        )


def say(message: str) -> None:
    """Write a message as one line to stderr, without acting on control characters."""
    typer.echo(f"otel-sessions: {escaped(' '.join(message.split()))}", err=True)


def _end(message: str, status: int) -> NoReturn:
    say(message)
    raise typer.Exit(status) from None


def _forget_stdout() -> None:
    """Have the interpreter write what is left in the buffer of stdout nowhere, since it would fail again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
