"""Checks of the variables of this shell, which an app that is started here would follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from otel_sessions.cli.checks.check import Check, Seen, Told
from otel_sessions.server.hosts import is_loopback

GRPC, HTTP = "grpc", ("http/protobuf", "http/json")
GRPC_PORT, HTTP_PORT = 4317, 4318
SIGNALS: Final = ("traces", "logs")

_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"


class Destination(NamedTuple):
    """Where the variables of a shell have a signal sent.

    Attributes:
        signal: `traces` or `logs`.
        variable: the one that says where.
        text: its value.
        parts: the same, taken apart; of no host and port if it is no URL.
        protocol: what the variables say, `None` if nothing.
        protocol_variable: the one that says it, or would.
        is_own: the variable is for this signal only, so that its path is taken as it is.
    """

    signal: str
    variable: str
    text: str
    parts: SplitResult
    protocol: str | None
    protocol_variable: str
    is_own: bool

    @property
    def host(self) -> str:
        """The host, empty if the variable is no URL."""
        return self.parts.hostname or ""

    @property
    def port(self) -> int | None:
        """The port, that of the scheme by default; `None` if the variable is no URL."""
        try:
            return self.parts.port or {"http": 80, "https": 443}.get(self.parts.scheme)
        except ValueError:
            return None

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return self.parts._replace(netloc=self.parts.netloc.rpartition("@")[2]).geturl()

    def at(self, port: int, path: str = "") -> str:
        """The same host with another port and path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.parts.scheme}://{host}:{port}{path}"


def destinations(environment: Mapping[str, str]) -> list[Destination]:
    """Where the variables of a shell have spans and log records sent; only what a variable names."""
    found = []
    for signal in SIGNALS:
        own, own_protocol = (name.replace("OTLP_", f"OTLP_{signal.upper()}_") for name in (_ENDPOINT, _PROTOCOL))
        variable = own if environment.get(own) else _ENDPOINT
        text = environment.get(variable, "").strip()
        if not text:
            continue
        protocol_variable = own_protocol if environment.get(own_protocol) else _PROTOCOL
        protocol = environment.get(protocol_variable, "").strip() or None
        found.append(Destination(signal, variable, text, _parts(text), protocol, protocol_variable, variable == own))
    return found


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts if parts.scheme in ("http", "https") and parts.hostname else SplitResult("", "", "", "", "")


def disabled(seen: Seen) -> Iterator[Told]:
    """The SDK, or the exporters, are switched off."""
    environment = seen.environment
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield Told("OTEL_SDK_DISABLED is true, so apps started here send nothing", "unset OTEL_SDK_DISABLED")
    for signal in SIGNALS:
        name = f"OTEL_{signal.upper()}_EXPORTER"
        exporters = {one.strip() for one in environment.get(name, "").split(",")} - {""}
        if exporters and not exporters & {"otlp", "sessions", "otlp_proto_http", "otlp_proto_grpc"}:
            yield Told(
                f"{name} is {', '.join(sorted(exporters))}, so apps started here send no {signal}",
                f"export {name}=otlp",
            )
    if environment.get("CLAUDE_CODE_ENABLE_TELEMETRY") and not environment.get("OTEL_LOGS_EXPORTER"):
        yield Told(
            "Claude Code is to send telemetry, but OTEL_LOGS_EXPORTER is not set, so it sends no log records",
            "export OTEL_LOGS_EXPORTER=otlp",
        )


def sampled(seen: Seen) -> Iterator[Told]:
    """A sampler drops spans before they are sent."""
    sampler = seen.environment.get("OTEL_TRACES_SAMPLER", "").strip()
    ratio = seen.environment.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
    if sampler.endswith("always_off") or (sampler.endswith("traceidratio") and _is_zero(ratio)):
        yield Told(f"OTEL_TRACES_SAMPLER is {sampler}, so apps started here make no spans", "unset OTEL_TRACES_SAMPLER")
    elif sampler.endswith("traceidratio") and ratio not in ("", "1", "1.0"):
        yield Told(
            f"OTEL_TRACES_SAMPLER keeps a share of {ratio} of the traces, so sessions lack the others",
            "unset OTEL_TRACES_SAMPLER, or keep whole sessions with SessionRatioSampler",
        )


def endpoints(seen: Seen) -> Iterator[Told]:
    """The variables name something that is not an address, or another path than OTLP has."""
    for one in _different(destinations(seen.environment)):
        path = one.parts.path.rstrip("/")
        wanted = f"/v1/{one.signal}"
        if not one.host or one.port is None:
            if one.protocol != GRPC or "/" in one.text:
                yield Told(
                    f"{one.variable} is no URL; exporters need its scheme",
                    f"export {one.variable}={seen.url or 'http://127.0.0.1:4318'}{wanted if one.is_own else ''}",
                )
        elif one.protocol == GRPC:
            continue
        elif one.is_own and not path and one.port != GRPC_PORT:
            yield Told(
                f"{one.variable} has no path, and is taken as it is, so {one.signal} go to a path that takes none",
                f"export {one.variable}={one.at(one.port, wanted)}",
            )
        elif not one.is_own and path.endswith(("/v1/traces", "/v1/logs", "/v1/metrics")):
            yield Told(
                f"{one.variable} ends in {path}, and exporters add {wanted} to it",
                f"export {one.variable}={one.at(one.port, path.rpartition('/v1/')[0])}",
            )


def protocols(seen: Seen) -> Iterator[Told]:
    """The protocol and the port do not fit each other."""
    for one in _different(destinations(seen.environment)):
        if one.protocol is not None and one.protocol not in (GRPC, *HTTP):
            yield Told(
                f"{one.protocol_variable} is {one.protocol!r}, which is no protocol of OTLP",
                f"export {one.protocol_variable}=http/protobuf",
            )
        elif one.port == HTTP_PORT and one.protocol == GRPC:
            yield Told(
                f"{one.protocol_variable} is grpc, and {one.variable} names port {HTTP_PORT}, which takes HTTP",
                f"export {one.protocol_variable}=http/protobuf",
            )
        elif one.port == HTTP_PORT and one.protocol is None:
            yield Told(
                f"{one.variable} names port {HTTP_PORT}, which takes HTTP, and no protocol is set; Python then sends gRPC",
                f"export {_PROTOCOL}=http/protobuf",
            )
        elif one.port == GRPC_PORT and one.protocol in HTTP:
            path = f"/v1/{one.signal}" if one.is_own else ""
            yield Told(
                f"{one.protocol_variable} is {one.protocol}, and {one.variable} names port {GRPC_PORT}, which takes gRPC",
                f"export {one.variable}={one.at(HTTP_PORT, path)}",
            )


def elsewhere(seen: Seen) -> Iterator[Told]:
    """The variables name another server than the one that was asked."""
    if not seen.url:
        return
    server = urlsplit(seen.url)
    for one in _different(destinations(seen.environment)):
        if not one.host or one.port is None:
            continue
        path = f"/v1/{one.signal}" if one.is_own else ""
        is_grpc = one.protocol == GRPC or one.port == GRPC_PORT
        same_port = is_grpc or one.port == (server.port or {"http": 80, "https": 443}[server.scheme])
        if not _same_host(one.host, server.hostname or "") or not same_port:
            yield Told(
                f"{one.variable} is {one.shown}, so apps started here send elsewhere than to {seen.url}",
                f"export {one.variable}={seen.url}{path} {_PROTOCOL}=http/protobuf; nothing if a Collector there passes them on",
            )
        elif one.parts.scheme == "https" and server.scheme == "http":
            yield Told(
                f"{one.variable} is {one.shown}, and the server speaks no TLS",
                f"export {one.variable}={one.parts._replace(scheme='http').geturl()}",
            )


def closed(seen: Seen) -> Iterator[Told]:
    """Nothing listens where the variables have spans sent."""
    for one in _different(destinations(seen.environment)):
        if f"{one.host}:{one.port}" in seen.closed:
            yield Told(
                f"{one.variable} is {one.shown}, and nothing listens there",
                f"start what is to take them, or: export {one.variable}={seen.url or 'http://127.0.0.1:4318'}"
                f"{f'/v1/{one.signal}' if one.is_own else ''} {_PROTOCOL}=http/protobuf",
            )


def keyless(seen: Seen) -> Iterator[Told]:
    """The server wants a key that the variables do not send."""
    if not seen.wants_key or not destinations(seen.environment):
        return
    for signal in SIGNALS:
        own = _HEADERS.replace("OTLP_", f"OTLP_{signal.upper()}_")
        headers = seen.environment.get(own) or seen.environment.get(_HEADERS, "")
        if "authorization" not in {one.partition("=")[0].strip().lower() for one in headers.split(",")}:
            yield Told(
                "the server wants its API key, and OTEL_EXPORTER_OTLP_HEADERS does not send it",
                f'export {_HEADERS}="Authorization=Bearer%20$OTEL_SESSIONS_API_KEY"',
            )
            return


def installed(seen: Seen) -> Iterator[Told]:
    """A package that the variables need is not installed here."""
    for package in sorted(seen.missing):
        yield Told(
            f"OTEL_TRACES_EXPORTER is sessions, and {package} is not installed here",
            "pip install 'otel-sessions[otlp]'",
        )


def _different(found: list[Destination]) -> Iterator[Destination]:
    """Those of different variables."""
    yield from {one.variable: one for one in reversed(found)}.values()


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


def _same_host(one: str, other: str) -> bool:
    return one == other or (is_loopback(one) and is_loopback(other))


ENVIRONMENT_CHECKS: Final = (
    Check("disabled", "Do the variables of this shell switch sending off?", disabled),
    Check("sampled", "Do they drop spans?", sampled),
    Check("endpoints", "Do they name an address that exporters can use?", endpoints),
    Check("protocols", "Do the protocol and the port fit each other?", protocols),
    Check("elsewhere", "Do they name another server?", elsewhere),
    Check("closed", "Does nothing listen where they point?", closed),
    Check("keyless", "Do they lack the API key?", keyless),
    Check("installed", "Is a package missing that they need?", installed),
)
