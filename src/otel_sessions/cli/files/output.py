"""`output_file`: a file that is complete when it has its name, or standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import typer

from otel_sessions.cli.errors import WRONG_USAGE, CommandError

STDOUT: Final = "-"
PART: Final = ".part"


@contextmanager
def output_file(name: str) -> Iterator[IO[bytes]]:
    """What the block writes goes into `<name>.part`, which takes its name when the block has ended; `-` is standard output.

    A program that reads standard output may stop early, as `head` does: it has what it wants, and the command ends.

    Raises:
        CommandError: the file cannot be written, or standard output is a terminal.
    """
    if name == STDOUT:
        if sys.stdout.isatty():
            raise CommandError("name a file with --output, or write into a pipe", status=WRONG_USAGE)
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Python writes what is left at its end, which must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        return
    path = Path(name)
    part = path.with_name(path.name + PART)
    try:
        if path.is_dir():
            raise CommandError(f"{name} is a folder; name a file in it", status=WRONG_USAGE)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror or error}") from None
