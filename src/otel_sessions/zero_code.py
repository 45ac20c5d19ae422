"""Sessions without a change to the app: the entry points that `opentelemetry-instrument` and `OTEL_CONFIG_FILE` load.

The processor is added to the SDK's provider after instrumentation. The exporter is the trace exporter named
`sessions`: a `SessionExporter` around the OTLP exporter that OpenTelemetry's variables configure.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from otel_sessions import environment_variables
from otel_sessions.drops import drops
from otel_sessions.exporter import SessionExporter
from otel_sessions.processor import SessionSpanProcessor


class ConfiguredSessionExporter(SessionExporter):
    """The trace exporter `sessions`: `OTEL_TRACES_EXPORTER=sessions`, or `sessions: {}` in declarative configuration.

    Args:
        prices: path of a prices file; by default the environment variable `OTEL_SESSIONS_PRICES` names it.
        repair: as for `SessionExporter`.

    Raises:
        ImportError: the OTLP exporter is not installed; the message names the extra.
        ValueError: the protocol is unknown, or the prices file cannot be read.
    """

    latest: ClassVar[ConfiguredSessionExporter | None] = None

    def __init__(self, *, prices: str | None = None, repair: bool = False) -> None:
        super().__init__(
            _otlp_exporter(), price=prices or os.environ.get(environment_variables.PRICES) or True, repair=repair
        )
        ConfiguredSessionExporter.latest = self


def default_exporter() -> SessionExporter | None:
    """The last `SessionExporter` that zero-code configuration made; `None` if it made none.

    Example:
        >>> from otel_sessions import default_exporter
        >>> exporter = default_exporter()
        >>> costly = [] if exporter is None else exporter.sessions(sort="cost", limit=3)
    """
    return ConfiguredSessionExporter.latest


def add_processor() -> None:
    """Add a `SessionSpanProcessor` to the global tracer provider; if that is not the SDK's, log a warning instead."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        message = (
            f"no SessionSpanProcessor was added: the tracer provider is {type(provider).__name__}, not the SDK's;"
            " let opentelemetry-distro set one up, or add the processor where the app makes its provider"
        )
        drops.count("zero_code", "no_provider", message)
        return
    try:
        provider.add_span_processor(SessionSpanProcessor(**_arguments()))
    except ValueError as error:
        drops.count("zero_code", "configuration", f"no SessionSpanProcessor was added: {error}")


def _arguments() -> dict[str, Any]:
    arguments: dict[str, Any] = {"dialects": _names(os.environ.get(environment_variables.DIALECTS, ""))}
    accepted = os.environ.get(environment_variables.ACCEPT_BAGGAGE)
    if accepted is not None:
        arguments["accept_baggage"] = _names(accepted)
    return arguments


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name for part in listed.split(",") if (name := part.strip()))


def _otlp_exporter() -> SpanExporter:
    given = {name: os.environ.get(name, "").strip() for name in environment_variables.OTLP_PROTOCOLS}
    variable, protocol = next(((name, value) for name, value in given.items() if value), ("", "grpc"))
    try:
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 -- an optional extra
                OTLPSpanExporter as GrpcSpanExporter,
            )

            return GrpcSpanExporter()
        if protocol == "http/protobuf":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- an optional extra
                OTLPSpanExporter as HttpSpanExporter,
            )

            return HttpSpanExporter()
    except ImportError as error:
        raise ImportError(
            f"the trace exporter 'sessions' needs the OTLP exporter for {protocol}: install otel-sessions[otlp]"
        ) from error
    raise ValueError(f"{variable}={protocol!r} is not supported; set it to 'grpc' or 'http/protobuf'")
