"""`otel-sessions export`."""

from __future__ import annotations

import json
from collections import Counter
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from otel_sessions.cli.client import session_path
from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending, say
from otel_sessions.cli.server_options import DEFAULT_KEY, KeyOption, UrlOption, client_of
from otel_sessions.cli.session_ids import in_session
from otel_sessions.cli.shown import now_ns
from otel_sessions.cli.since import moment_of

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
        FileFormat, typer.Option("--format", help="otlp and jsonl are without loss; csv and parquet hold one table.")
    ] = FileFormat.JSONL,
    what: Annotated[
        What | None,
        typer.Option(
            help="What the file holds: spans and log records, or what was counted.",
            show_default="all in otlp and jsonl, sessions in csv and parquet",
        ),
    ] = None,
    encoding: Annotated[
        Encoding, typer.Option(help="OTLP as JSON, a request a line, or as protobuf, each behind its length.")
    ] = Encoding.JSON,
    redact: Annotated[bool, typer.Option("--redact", help="Replace secrets by [redacted:KIND].")] = False,
    emails: Annotated[bool, typer.Option("--redact-emails", help="With --redact: addresses of e-mail too.")] = False,
    url: UrlOption = None,
    key: KeyOption = DEFAULT_KEY,
    q: Annotated[str | None, typer.Option("--q", metavar="TEXT", help="Only sessions with this text.")] = None,
    name: Annotated[str | None, typer.Option(help="Only sessions with exactly this name.")] = None,
    user: Annotated[str | None, typer.Option(help="Only sessions of this user id.")] = None,
    environment: Annotated[str | None, typer.Option(help="Only sessions of this deployment environment.")] = None,
    service: Annotated[str | None, typer.Option(help="Only sessions with this service.")] = None,
    model: Annotated[str | None, typer.Option(help="Only sessions with this model.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only sessions with this tag.")] = None,
    failed: Annotated[
        bool | None, typer.Option("--failed/--not-failed", help="Only sessions in which a trace failed, or none did.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="AGE|TIME", help="Only sessions active since then: 2h, 30d, 2026-11-20.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="AGE|TIME", help="Only sessions that started before then.")
    ] = None,
    min_cost: Annotated[str | None, typer.Option(metavar="USD", help="Only sessions of at least this cost.")] = None,
) -> None:
    """Write sessions into a file: their spans and log records without loss, or what was counted as a table.

    Without ids and conditions, spans and log records are all that there are, also those in no session. The file is first written
    beside the output as FILE.part, and takes its name when it is complete.
    """
    from otel_sessions.cli.files.output import output_file  # noqa: PLC0415 - slow to import

    with ending():
        wanted = what or (What.SESSIONS if format_ in (FileFormat.CSV, FileFormat.PARQUET) else What.ALL)
        if redact and format_ is FileFormat.PARQUET:
            raise CommandError("--redact works on lines; choose --format jsonl, csv or otlp", status=WRONG_USAGE)
        if encoding is Encoding.PROTO and format_ is not FileFormat.OTLP:
            raise CommandError("--encoding is of --format otlp", status=WRONG_USAGE)
        now = now_ns()
        conditions = {
            "q": q,
            "name": name,
            "user_id": user,
            "environment": environment,
            "service": service,
            "model": model,
            "tag": tag,
            "failed": None if failed is None else str(failed).lower(),
            "since": None if since is None else moment_of(since, now=now),
            "until": None if until is None else moment_of(until, now=now),
            "min_cost": min_cost,
        }
        parameters = {name: value for name, value in conditions.items() if value is not None}
        if sessions and parameters:
            raise CommandError("give ids of sessions or conditions, not both", status=WRONG_USAGE)
        client = client_of(url)
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
    from otel_sessions.cli.files.progress import progress  # noqa: PLC0415 - slow to import

    done = 0
    with client.streaming("/v1/export", parameters, seconds=_PART_SECONDS) as answer, progress(shown) as update:
        for part in iter(partial(answer.read, READ_BYTES), b"") if change is None else change(answer):
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
