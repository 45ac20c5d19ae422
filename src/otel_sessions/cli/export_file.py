"""`otel-sessions export`."""

from __future__ import annotations

import json
from collections import Counter
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from otel_sessions.cli.client import session_path
from otel_sessions.cli.conditions import Conditions, with_conditions
from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending, say
from otel_sessions.cli.server_options import DEFAULT_KEY, FolderOption, KeyOption, UrlOption, asking
from otel_sessions.cli.session_ids import in_session
from otel_sessions.cli.shown import now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO

    from otel_sessions.cli.client import Client

    Change = Callable[[IO[bytes]], Iterable[bytes]]
    """From the answer of the server to what is written."""

STDOUT: Final = "-"
READ_BYTES: Final = 1 << 20
_PART_SECONDS: Final = 600.0
"""How long a part of the answer may take: Parquet is written before it is sent."""


class FileFormat(StrEnum):
    """What a file is written in."""

    OTLP = "otlp"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "markdown"


class Encoding(StrEnum):
    """How OTLP is written."""

    JSON = "json"
    PROTO = "proto"


class What(StrEnum):
    """What a file holds."""

    ALL = "all"
    SPANS = "spans"
    LOGS = "logs"
    SESSIONS = "sessions"
    TRACES = "traces"
    CALLS = "calls"
    MESSAGES = "messages"


_HELD: Final = {
    FileFormat.CSV: What.SESSIONS,
    FileFormat.PARQUET: What.SESSIONS,
    FileFormat.MARKDOWN: What.MESSAGES,
}
"""What a file holds if nothing is said; else all."""


@with_conditions
def export(
    sessions: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID…", help="Only these sessions: ids, beginnings of ids, or last.", show_default="all"),
    ] = None,
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The file to write; - for standard output.")
    ] = STDOUT,
    format_: Annotated[
        FileFormat,
        typer.Option(
            "--format", help="otlp and jsonl are without loss; csv and parquet hold one table; markdown is to read."
        ),
    ] = FileFormat.JSONL,
    what: Annotated[
        What | None,
        typer.Option(
            help="What the file holds: spans and log records, or what was counted or said.",
            show_default="all in otlp and jsonl, sessions in csv and parquet, messages in markdown",
        ),
    ] = None,
    encoding: Annotated[
        Encoding, typer.Option(help="OTLP as JSON, a request a line, or as protobuf, each behind its length.")
    ] = Encoding.JSON,
    redact: Annotated[bool, typer.Option("--redact", help="Replace secrets by [redacted:KIND].")] = False,
    emails: Annotated[bool, typer.Option("--redact-emails", help="With --redact: addresses of e-mail too.")] = False,
    url: UrlOption = None,
    store: FolderOption = None,
    key: KeyOption = DEFAULT_KEY,
    conditions: Conditions,
) -> None:
    """Write sessions into a file: their spans and log records without loss, what was counted as a table, or conversations to read.

    Without ids and conditions, spans and log records are all that there are, also those in no session. The file is first written
    beside the output as FILE.part, and takes its name when it is complete.
    """
    from otel_sessions.cli.files.output import output_file  # noqa: PLC0415 - slow to import

    with ending():
        wanted = what or _HELD.get(format_, What.ALL)
        if redact and format_ is FileFormat.PARQUET:
            raise CommandError("--redact works on lines; choose another --format", status=WRONG_USAGE)
        if encoding is Encoding.PROTO and format_ is not FileFormat.OTLP:
            raise CommandError("--encoding is of --format otlp", status=WRONG_USAGE)
        parameters = conditions.parameters(now=now_ns())
        if sessions and parameters:
            raise CommandError("give ids of sessions or conditions, not both", status=WRONG_USAGE)
        with asking(url, store) as client:
            if sessions:
                parameters["ids"] = json.dumps([_id(client, one, key) for one in sessions])
            if key != DEFAULT_KEY:
                parameters["key"] = key
            as_protobuf = encoding is Encoding.PROTO
            # What is redacted comes as JSON, and becomes protobuf here.
            sent = "otlp_proto" if as_protobuf and not redact else format_.value
            counts: Counter[str] = Counter()
            change = None
            if redact:
                from otel_sessions.cli.files.redacting import redacting  # noqa: PLC0415 - slow to import

                change = redacting("otlp_proto" if as_protobuf else format_.value, counts, emails=emails)
            with output_file(output) as out:
                _copy(client, {**parameters, "format": sent, "what": wanted.value}, out, change, output)
        if redact:
            say(_redacted(counts))


def _copy(client: Client, parameters: dict[str, str], out: IO[bytes], change: Change | None, shown: str) -> None:
    """Write the answer of the server, changed line by line if need be."""
    from otel_sessions.cli.files.answers import lines_of  # noqa: PLC0415 - slow to import
    from otel_sessions.cli.files.progress import progress  # noqa: PLC0415

    done = 0
    with client.streaming("/v1/export", parameters, seconds=_PART_SECONDS) as answer, progress(shown) as update:
        for part in iter(partial(answer.read, READ_BYTES), b"") if change is None else change(lines_of(answer)):
            out.write(part)
            done += len(part)
            update(completed=done)
        if getattr(answer, "length", None):
            raise client.ended_early()


def _id(client: Client, given: str, key: str) -> str:
    """The id of a session that a person names."""
    return in_session(
        client, given, key, lambda session_id: str(client.get(session_path(session_id), {"key": key})["data"]["id"])
    )


def _redacted(counts: Counter[str]) -> str:
    if not counts:
        return "no secret was found"
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()))
    return f"redacted {counts.total():,}: {kinds}"
