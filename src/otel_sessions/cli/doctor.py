"""`otel-sessions doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer

from otel_sessions.cli.checks.check import Finding, Seen
from otel_sessions.cli.client import DEFAULT_URL, checked_url
from otel_sessions.cli.errors import FAILED, UNREACHABLE, ending, say
from otel_sessions.cli.examination import CHECKS, all_findings, examined, of_this_shell
from otel_sessions.cli.output import JsonOption, as_json, write_any_text
from otel_sessions.cli.server_options import FolderOption, UrlOption, asking
from otel_sessions.cli.shown import now_ns, number
from otel_sessions.cli.styles import styled
from otel_sessions.environment_variables import URL
from otel_sessions.server.process.log_lines import escaped

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def doctor(*, url: UrlOption = None, store: FolderOption = None, json: JsonOption = False) -> None:
    """Find what would explain an empty or a wrong list: of the server, its records, and the variables of this shell.

    Each finding comes with its fix as a command or a setting. The exit status is 0 if nothing is found, 1 if something is, and 4 if no server
    can be asked; the variables of this shell are looked at then as well.
    """
    with ending(), asking(url, store) as client:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        # A folder is asked through an app of this process, whose address and key say nothing.
        is_server = store is None and client.url == checked_url(url or os.environ.get(URL) or DEFAULT_URL)
        shown = client.url if is_server else None
        seen = Seen(shown, now_ns(), version("otel-sessions"), has_key=is_server and client.api_key is not None)
        seen, reached = examined(client, of_this_shell(dict(os.environ), seen))
        found = all_findings(seen, reached)
    write_any_text()
    if json:
        typer.echo(as_json([one._asdict() for one in found], indent=2))
    else:
        _print(found, seen)
    if reached:
        raise typer.Exit(UNREACHABLE)
    if found:
        raise typer.Exit(FAILED)


def _print(found: Sequence[Finding], seen: Seen) -> None:
    if not sys.stdout.isatty():
        for one in found:
            typer.echo("\t".join(map(escaped, (one.check, one.finding, one.fix))))
    else:
        for one in found:
            typer.echo(f"{styled(one.check, 'bold', 'yellow')}: {escaped(one.finding)}", color=True)
            typer.echo(f"  {styled('fix', 'faint')} {escaped(one.fix)}", color=True)
    say(_summary(found, seen))


def _summary(found: Sequence[Finding], seen: Seen) -> str:
    what = f"{number(len(found))} found" if found else f"nothing found, {len(CHECKS)} questions asked"
    health = seen.health or {}
    size = health.get("store") or {}
    parts = [what, f"at {seen.url}"] if seen.url else [what]
    if size:
        free = "" if size.get("free_bytes") is None else f", {_bytes(size['free_bytes'])} free"
        parts.append(f"store: {_bytes(size['bytes'])}{free}, keeps {health.get('retention') or 'everything'}")
    return "; ".join(parts)


def _bytes(count: Any) -> str:
    size, power = float(count), 0
    while size >= 1_000 and power + 1 < len(_UNITS):
        size, power = size / 1_000, power + 1
    return f"{size:.0f} {_UNITS[power]}" if size >= 10 or not power else f"{size:.1f} {_UNITS[power]}"
