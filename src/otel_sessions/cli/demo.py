"""`otel-sessions demo`."""

from __future__ import annotations

import secrets
import sys

import typer

from otel_sessions.cli.demo_sessions import demo_requests
from otel_sessions.cli.errors import CommandError, ending, say
from otel_sessions.cli.output import JsonOption, as_json
from otel_sessions.cli.server_options import FolderOption, UrlOption, asking
from otel_sessions.cli.shown import now_ns


def demo(*, url: UrlOption = None, store: FolderOption = None, json: JsonOption = False) -> None:
    """Send three small made-up sessions, so that there is something to look at; prints their ids.

    A support agent that uses a tool, one whose model fails, and a coding agent that sends log records only. Delete them with
    otel-sessions rm.
    """
    with ending():
        ids, requests = demo_requests(now_ns(), secrets.token_hex(3))
        with asking(url, store) as client:
            for path, body in requests:
                answer = client.post(path, body)
                if isinstance(answer, dict) and answer.get("partialSuccess"):
                    raise CommandError(f"{client.url} did not take all of it: {as_json(answer['partialSuccess'])}")
        typer.echo(as_json({"sessions": ids}, indent=2) if json else "\n".join(ids))
        place = f" --url {url}" if url else f" --store {store}" if store else ""
        if sys.stdout.isatty():
            say(f"sent; to look at them: otel-sessions list{place}, otel-sessions messages {ids[0]}{place}")
