"""`tell`: what a command has changed, in a sentence for people or as JSON."""

from __future__ import annotations

from typing import Any

import typer

from otel_sessions.cli.output import as_json, write_any_text
from otel_sessions.server.process.log_lines import escaped


def tell(answer: Any, sentence: str, *, json: bool) -> None:
    """Print on stdout what was done: the data of the answer, or the sentence."""
    write_any_text()
    typer.echo(as_json(answer["data"], indent=2) if json else escaped(sentence))
