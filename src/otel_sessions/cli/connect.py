"""`otel-sessions connect`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from otel_sessions.cli.client import DEFAULT_URL, Client
from otel_sessions.cli.connect_targets import TARGETS, Target
from otel_sessions.cli.errors import WRONG_USAGE, CommandError, ending, say
from otel_sessions.cli.first_record import Arrival, Arrivals
from otel_sessions.cli.output import as_json
from otel_sessions.cli.server_options import DEFAULT_KEY, UrlOption, client_of
from otel_sessions.cli.tables import cell

TIMEOUT: Final = 120.0


def connect(
    target: Annotated[str, typer.Argument(metavar="TARGET", help=f"One of {', '.join(TARGETS)}.")],
    *,
    url: UrlOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Wait for the first record instead, and say what came.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long --check waits.")] = TIMEOUT,
    service: Annotated[str | None, typer.Option(help="The service that --check waits for.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON value.")] = False,
) -> None:
    """Print what to set so that an agent or an app sends to the server, ready to be pasted.

    With --check nothing is printed to set: the command waits until a record comes that was not there when it started. Its
    status is 0 once one has come, 1 if none came in time, and 4 if the server cannot be reached.
    """
    with ending():
        known = TARGETS.get(target)
        if known is None:
            raise CommandError(
                f"{target!r} is nothing to connect; choose from {', '.join(TARGETS)}", status=WRONG_USAGE
            )
        if check:
            _check(target, known, url, timeout, service, json=json)
        else:
            _print_settings(target, known, url, json=json)


def _print_settings(name: str, target: Target, url: str | None, *, json: bool) -> None:
    client = client_of(url)
    texts = [(block, block.text(client.url, with_key=client.api_key is not None)) for block in target.blocks]
    if json:
        blocks = [{"place": block.place, "language": block.language, "text": text} for block, text in texts]
        typer.echo(
            as_json({"target": name, "url": client.url, "services": target.services, "blocks": blocks}, indent=2)
        )
        return
    typer.echo("\n\n".join(text for _, text in texts))
    say(f"{target.title}: {target.start}; to see whether it arrives: {_command(name, client)} --check")


def _check(name: str, target: Target, url: str | None, timeout: float, service: str | None, *, json: bool) -> None:
    client = client_of(url)
    arrivals = Arrivals(client, (service,) if service else target.services)
    say(f"waiting up to {timeout:g} s for records of {target.title} at {client.url}; {target.start}")
    found = arrivals.first(timeout)
    if found is None:
        raise CommandError(
            f"no record of {target.title} came to {client.url} within {timeout:g} s; compare its settings with: "
            f"{_command(name, client)}, then {target.start}"
        )
    if json:
        typer.echo(as_json({"target": name, "url": client.url, **found.to_dict()}, indent=2))
    else:
        typer.echo("\n".join(_lines(target, found)))
    if found.hint:
        say(f"these records are in no session: {found.hint}")


def _command(name: str, client: Client) -> str:
    """The command that prints the settings for the same server."""
    return f"otel-sessions connect {name}" + ("" if client.url == DEFAULT_URL else f" --url {client.url}")


def _lines(target: Target, found: Arrival) -> list[str]:
    shown = {
        "service": found.service or "—",
        "session": found.session_id or "—",
        "session key": None if found.key in (None, DEFAULT_KEY) else found.key,
        "signals": ", ".join(found.signals) or "—",
        "spans": found.span_count,
        "log records": found.log_record_count,
        "calls": found.call_count,
    }
    return [
        f"{target.title} is connected",
        *(f"{name:<13}{cell(str(value))}" for name, value in shown.items() if value is not None),
    ]
