"""`examine`: asks a server and looks at this shell, for the checks of `otel-sessions doctor`."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from otel_sessions.cli.checks.check import Check, Finding, Seen, Uncaptured, findings
from otel_sessions.cli.checks.environment_checks import ENVIRONMENT_CHECKS, GRPC_PORT, destinations
from otel_sessions.cli.checks.server_checks import SERVER_CHECKS
from otel_sessions.cli.checks.session_checks import SESSION_CHECKS
from otel_sessions.cli.client import Client, UnauthorizedError, session_path
from otel_sessions.cli.errors import UNREACHABLE, CommandError
from otel_sessions.environment_variables import API_KEY, URL
from otel_sessions.server.hosts import is_loopback

CHECKS: Final = (*SERVER_CHECKS, *SESSION_CHECKS, *ENVIRONMENT_CHECKS)

SESSIONS: Final = 50
"""How many sessions are looked at, those that were last active."""
WITHOUT_WORDS: Final = 5
"""Of how many sessions without words the conversation is read."""
KEYS: Final = 5
"""How many session keys are looked at."""

_CONNECT_SECONDS: Final = 1.0
_OTLP: Final = {"opentelemetry.exporter.otlp.proto.grpc": "opentelemetry-exporter-otlp-proto-grpc"}
_REACH: Final = Check("server", "Does an otel-sessions server answer?", lambda _: ())


def examined(client: Client, seen: Seen) -> tuple[Seen, list[Finding]]:
    """What a server answers, beside what this shell has, and why it cannot be asked if it cannot."""
    try:
        health = client.get("/healthz")
        if not isinstance(health, dict) or "status" not in health:
            raise _is_another(client)
        if "problems" not in health:
            # Other programs have such a path as well.
            client.get("/v1/keys", {"limit": "1"})
        wants_key = seen.has_key and "problems" not in Client(client.url).get("/healthz")
        return replace(seen, health=health, wants_key=wants_key, **_stored(client)), []
    except CommandError as error:
        return seen, [_unreached(client, seen, error)]


def all_findings(seen: Seen, reached: list[Finding]) -> list[Finding]:
    """What the checks find: all of them, or those of this shell if no server could be asked."""
    return [*reached, *findings(ENVIRONMENT_CHECKS if reached else CHECKS, seen)]


def of_this_shell(environment: Mapping[str, str], seen: Seen) -> Seen:
    """The variables of this shell, whether anything listens where they point, and which packages they need."""
    addresses = {(one.host, one.port) for one in destinations(environment) if one.host and one.port}
    closed = {f"{host}:{port}" for host, port in addresses if is_loopback(host) and not _listens(host, port or 0)}
    exporters = environment.get("OTEL_TRACES_EXPORTER", "").split(",")
    missing = {name for module, name in _OTLP.items() if "sessions" in exporters and not _is_installed(module)}
    return replace(seen, environment=environment, closed=frozenset(closed), missing=frozenset(missing))


def _stored(client: Client) -> dict[str, Any]:
    keys = list(client.items("/v1/keys", {}, most=KEYS))
    sessions = list(client.items("/v1/sessions", {"sort": "last_active"}, most=SESSIONS))
    services: set[str] = set()
    models: list[Any] = []
    for one in keys:
        of_key = {"key": str(one["key"])}
        services |= {
            str(cohort["value"]) for cohort in client.items("/v1/cohorts", {"by": "service", **of_key}, most=1_000)
        }
        models += [found for found in client.items("/v1/prices/models", of_key, most=1_000) if found not in models]
    return {
        "unassigned": list(client.items("/v1/unassigned", {}, most=1_000)),
        "keys": keys,
        "sessions": sessions,
        "services": frozenset(services),
        "models": models,
        "uncaptured": list(_without_words(client, sessions)),
    }


def _without_words(client: Client, sessions: list[dict[str, Any]]) -> Iterator[Uncaptured]:
    silent = [
        one for one in sessions if one["call_count"] and not one.get("first_input") and not one.get("last_output")
    ]
    for session in silent[:WITHOUT_WORDS]:
        told = list(client.items(session_path(str(session["id"]), "messages"), {"key": "id"}, most=20))
        if told and all(one.get("content") for one in told):
            yield Uncaptured(str(session["id"]), next((one["switch"] for one in told if one.get("switch")), None))


def _is_another(client: Client) -> CommandError:
    return CommandError(f"what answers at {client.url} is no otel-sessions server", status=UNREACHABLE)


def _unreached(client: Client, seen: Seen, error: CommandError) -> Finding:
    """Why a server cannot be asked, with the fix."""
    parts = urlsplit(client.url)
    host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme]
    finding = str(error).partition(";")[0]
    if isinstance(error, UnauthorizedError):
        what = "is not that of the server" if seen.has_key else "is not set, and the server wants one"
        finding, fix = f"{API_KEY} {what}", f"export {API_KEY}=KEY, with the key that the server was started with"
    elif port == GRPC_PORT and _listens(host, port):
        finding = f"{client.url} is the port of gRPC, which answers no questions"
        fix = f"export {URL}={parts.scheme}://{parts.hostname}:4318"
    elif not _listens(host, port):
        finding = f"nothing listens at {client.url}"
        options = "" if port == 4318 else f" --port {port}"
        fix = (
            f"otel-sessions serve{options}"
            if is_loopback(host)
            else f"start the server on {host}, or: export {URL}=URL"
        )
    elif "Host" in str(error) or "allowed" in str(error):
        fix = f"start the server with: otel-sessions serve --allowed-host {host}"
    else:
        finding = f"another program than an otel-sessions server has the port of {client.url}"
        fix = f"otel-sessions serve --port 14318 --grpc-port 14317; and: export {URL}=http://127.0.0.1:14318"
    return Finding(_REACH.name, _REACH.question, finding, fix)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
